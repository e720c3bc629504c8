/** The scorecard that every installation begins with. It is an ordinary resource: change it, or delete it. */
import type { ScorecardSpec } from '@pavior/contract'

export const productionReadiness: { name: string; spec: ScorecardSpec } = {
  name: 'production-readiness',
  spec: {
    title: 'Production readiness',
    description: 'What an app needs so that whoever is on call can sleep, and whoever comes next finds their way.',
    levels: ['bronze', 'silver', 'gold'],
    rules: [
      { name: 'deploy-succeeded', level: 'bronze', title: 'The last deploy succeeded', expression: 'deploy.succeeded', message: 'What is pushed is not what runs.', fix: 'Read why it failed: pavior releases, then deploy again.' },
      { name: 'health-check', level: 'bronze', title: 'Has a health check', expression: 'web.health.declared', message: 'An open port does not tell that the app can serve.', fix: 'Declare processes.web.health.path in pavior.yaml.', docs: '/docs/manifest.md', action: { type: 'propose', change: 'health' } },
      { name: 'description', level: 'bronze', title: 'Says what it does', expression: 'size(app.description) >= 10', fix: 'Write a description in pavior.yaml.', action: { type: 'propose', change: 'description' } },
      { name: 'no-plain-secrets', level: 'bronze', title: 'No secret in the manifest', expression: 'size(config.plainSecrets) == 0', message: 'Variables of the manifest stand in the repository, where everybody reads them.', fix: 'Take them out of env in pavior.yaml and set them with: pavior config set' },
      { name: 'readme', level: 'silver', title: 'Has a README', expression: 'docs.readme', fix: 'Write README.md: what it is, how to run it, how to test it.', action: { type: 'propose', change: 'readme' } },
      { name: 'declared-owner', level: 'silver', title: 'Declares its owner', expression: 'catalog.declared && catalog.owner != ""', message: 'The team that deploys is known, but not who answers for it.', fix: 'Add catalog-info.yaml with spec.owner; pavior catalog export prints one to begin with.', action: { type: 'propose', change: 'catalog-info' } },
      { name: 'no-drift', level: 'silver', title: 'Is what it declares to be', expression: 'catalog.drift == 0', fix: 'Correct catalog-info.yaml, or what runs; the catalogue shows both side by side.' },
      { name: 'two-instances', level: 'silver', title: 'Runs two instances', expression: 'web.replicas >= 2', message: 'One instance is none while it restarts.', fix: 'pavior scale web=2', action: { type: 'scale', process: 'web', replicas: 2 } },
      { name: 'from-git', level: 'silver', title: 'Is deployed from git', expression: 'release.git', message: 'An upload has no history.', fix: 'pavior init, then git push pavior main' },
      { name: 'pinned-toolchain', level: 'gold', title: 'Pins its toolchain', expression: 'toolchain.name == "" || toolchain.pinned', message: 'It is built with whatever version is there, so the next build may behave otherwise.', fix: 'Name the version: engines.node in package.json, .python-version, go.mod, rust-toolchain.toml, .ruby-version.', docs: '/docs/builders.md' },
      { name: 'current-template', level: 'gold', title: 'Runs a current template version', expression: 'template.name == "" || template.behind == 0', message: 'What was learned and repaired in the template since has not arrived.', fix: 'pavior template upgrade', docs: '/docs/templates.md', action: { type: 'upgrade' } },
      { name: 'docs', level: 'gold', title: 'Has documentation', expression: 'docs.pages > 0', fix: 'Add Markdown pages below docs/.', action: { type: 'propose', change: 'docs' } },
      { name: 'docs-fresh', level: 'gold', title: 'Documentation is fresh', expression: 'docs.daysOld <= 180', message: 'Nothing in it was touched for half a year.', fix: 'Read it once and correct what is not true any more.' },
      { name: 'deployed-lately', level: 'gold', title: 'Deployed within 30 days', expression: 'deploy.daysAgo <= 30', message: 'What is not deployed for long is feared, and its dependencies are old.' },
      { name: 'few-failures', level: 'gold', title: 'Deploys seldom fail', expression: 'deploys.failedLast30Days * 5 <= deploys.last30Days', message: 'More than one in five deploys of the last 30 days failed.' },
    ],
  },
}
