/** `source`: a Prometheus elsewhere that metrics are asked of. */
import type { Command } from 'commander'
import type { MetricSourceSpec, MetricSourceStatus, Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { reachOf, withReach, type ReachFlags } from '../reach.ts'

type MetricSource = Resource<MetricSourceSpec, MetricSourceStatus>

export function addSource(program: Command, context: () => Context): void {
  const source = program.command('source').description('A Prometheus elsewhere: pavior metrics --source, objectives and alerts can ask it.').addHelpText('before', 'Example:\n  pavior source list\n')
  source
    .command('list')
    .description('List the sources of the team, and whether they answer.')
    .addHelpText('before', 'Example:\n  pavior source list\n')
    .action(async () => {
      const { api, out, team } = context()
      const found = await api.list<MetricSource>('metricsources', team)
      out.result(found, () => (found.length === 0 ? 'There is no source. Begin with: pavior source add <name> <url>' : table(['NAME', 'URL', 'STATE', 'MESSAGE'], found.map(({ metadata, spec, status }) => [metadata.name, spec.url, status?.state?.toLowerCase() ?? 'not asked yet', status?.message ?? '']))))
    })

  withReach(source.command('add <name> <url>').description('Ask a Prometheus, or what answers like one.'))
    .option('--timeout <seconds>', 'how long an answer may take', '10')
    .addHelpText('before', 'Example:\n  pavior source add central https://prometheus.example --token-secret prometheus-token\n')
    .action(async (name: string, url: string, { timeout, ...flags }: ReachFlags & { timeout: string }) => {
      const { api, out, team } = context()
      const made = await api.json<MetricSource>({ method: 'POST', path: `/apis/pavior.dev/v1/namespaces/${encodeURIComponent(team)}/metricsources`, body: { metadata: { name }, spec: { url, ...reachOf(flags), timeoutSeconds: Number(timeout) } } })
      out.result(made, `${name} can be asked: pavior metrics --source ${name} up`)
    })

  source
    .command('test <source>')
    .description('Ask it for a number.')
    .addHelpText('before', 'Example:\n  pavior source test central\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const result = await api.json<{ answer: string }>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/metricsources/${encodeURIComponent(name)}/test`, body: {} })
      out.result(result, `${name} works. ${result.answer}`)
    })

  source
    .command('remove <source>')
    .description('Ask it no more. Objectives and alerts that name it have no data then.')
    .addHelpText('before', 'Example:\n  pavior source remove central\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      await api.json({ method: 'DELETE', path: `/apis/pavior.dev/v1/namespaces/${encodeURIComponent(team)}/metricsources/${encodeURIComponent(name)}` })
      out.result({ removed: name }, `${name} is removed.`)
    })
}
