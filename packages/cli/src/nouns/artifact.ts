/** `artifact`, `advisories`: what is in an artifact, who made it from what, and what is known to be wrong with it. */
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { fail, type AdvisoryState, type ArtifactView, type AppStatus, type ReleaseSpec, type Resource, type SignatureState } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'
import { advisoryLines } from '../advisory-files.ts'

interface Which {
  release?: string
  environment?: string
  digest?: string
}

const shownComponents = 20

export function addArtifact(program: Command, context: () => Context): void {
  const artifact = program.command('artifact').description('What is in an artifact, who made it from what, and what is known to be wrong with it.').addHelpText('before', 'Example:\n  pavior artifact inspect shop\n')
  const of = (command: Command): Command =>
    command.option('--release <number>', 'of this release, for example v3').option('-e, --environment <name>', 'of what serves in this environment').option('--digest <digest>', 'the artifact itself')
  of(artifact.command('inspect [app]').description('Show parts, licences, holes, secrets in the source and the signature. The app is that of the directory by default; the artifact what serves.')).action(
    async (app: string | undefined, which: Which) => inspect(context(), app, which),
  )
  of(artifact.command('sbom [app]').description('Print the list of parts as CycloneDX 1.6.').addHelpText('before', 'Example:\n  pavior artifact sbom shop > shop.cdx.json\n')).action(async (app: string | undefined, which: Which) => {
    const here = context()
    const path = await placeOf(here, app, which)
    process.stdout.write(`${JSON.stringify(await here.api.json({ path: `${path}/sbom` }), null, 2)}\n`)
  })
  of(artifact.command('provenance [app]').description('Print the signed statement of who made it from what: in-toto with SLSA provenance, in a DSSE envelope.')).action(async (app: string | undefined, which: Which) => {
    const here = context()
    const path = await placeOf(here, app, which)
    const { envelope } = await here.api.json<ArtifactView>({ path })
    process.stdout.write(`${JSON.stringify(envelope, null, 2)}\n`)
  })
  of(artifact.command('verify [app]').description('Check the signature, and that the stored files still have their digest.')).action(async (app: string | undefined, which: Which) => verify(context(), app, which))

  const advisories = program.command('advisories').description('Known holes of packages, imported from OSV.').addHelpText('before', 'Example:\n  pavior advisories import npm/all.zip\n')
  advisories.command('list').description('Show which ecosystems were imported, and how old they are.').action(async () => list(context()))
  advisories
    .command('import <files...>')
    .description('Take in advisories of OSV: all.zip of an ecosystem, .json or .jsonl. For administrators of the platform; nothing is fetched from the internet.')
    .addHelpText('before', 'Example:\n  curl -O https://osv-vulnerabilities.storage.googleapis.com/npm/all.zip\n  pavior advisories import all.zip\n')
    .action(async (files: string[]) => importFiles(context(), files))
}

async function placeOf(here: Context, given: string | undefined, { release, environment, digest }: Which): Promise<string> {
  const { team } = here
  const app = here.app(given)
  const found = digest ?? (await digestOf(here, app, release, environment))
  return `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/artifacts/${encodeURIComponent(found)}`
}

async function digestOf({ api, team }: Context, app: string, release: string | undefined, environment: string | undefined): Promise<string> {
  const number = release?.replace(/^v/, '') ?? String(await servingIn({ api, team }, app, environment))
  return (await api.get<Resource<ReleaseSpec>>('releases', team, `${app}-v${number}`)).spec.artifact
}

async function servingIn({ api, team }: Pick<Context, 'api' | 'team'>, app: string, environment: string | undefined): Promise<number> {
  const { status } = await api.get<Resource<unknown, AppStatus>>('apps', team, app)
  const serving = Object.entries(status?.environments ?? {}).filter(([name, { release }]) => release !== undefined && (environment === undefined || name === environment))
  const [, chosen] = serving.find(([name]) => name === 'production') ?? serving[0] ?? []
  if (chosen?.release === undefined) throw fail('NOT_FOUND', { message: `"${app}" serves nowhere${environment === undefined ? '' : ` in ${environment}`} yet.`, fix: 'Deploy it: pavior deploy' })
  return chosen.release
}

async function inspect(here: Context, app: string | undefined, which: Which): Promise<void> {
  const view = await here.api.json<ArtifactView>({ path: await placeOf(here, app, which) })
  here.out.result(view, () => describe(view).join('\n'))
}

function describe({ digest, app, team, build, at, components, licences, findings, unknownEcosystems, advisories, secrets, signature }: ArtifactView): string[] {
  return [
    `artifact   ${digest}`,
    `made       by build ${build} of ${team}/${app}, ${age(at)} ago`,
    `signature  ${signatureText(signature)}`,
    `parts      ${components.length} of others${components.length === 0 ? '' : `: ${components.slice(0, shownComponents).map(({ name, version }) => `${name} ${version}`).join(', ')}${components.length > shownComponents ? ', …' : ''}`}`,
    `licences   ${licences.map(({ licence, components: count }) => `${licence || 'none said'} ${count}`).join(', ') || '–'}`,
    `holes      ${holesText(findings.length, unknownEcosystems, advisories)}`,
    ...findings.map(({ id, aliases, severity, component, fixed, certain, summary }) => `  ${severity.padEnd(8)} ${component.name} ${component.version}  ${[id, ...aliases.filter((alias) => alias.startsWith('CVE'))].join(' ')}  ${fixed === undefined ? 'no fix known' : `fixed in ${fixed}`}${certain ? '' : '  (its version could not be compared)'}  ${summary}`),
    `secrets    ${secrets.length === 0 ? 'no line of the source looks like one' : `${secrets.length} lines of the source look like one`}`,
    ...secrets.map(({ path, line, rule }) => `  ${path}:${line}  ${rule}`),
  ]
}

function signatureText({ state, key }: SignatureState): string {
  if (state === 'missing') return 'missing: it was built before artifacts were signed'
  return `${state}${key === undefined ? '' : `, key ${key}`}`
}

function holesText(found: number, unknown: readonly string[], advisories: readonly AdvisoryState[]): string {
  const known = advisories.map(({ ecosystem, newestAt }) => `${ecosystem} as of ${age(newestAt)} ago`).join(', ')
  const missing = unknown.length === 0 ? '' : `unknown for ${unknown.join(', ')}: no advisories were imported`
  return [known === '' ? '' : `${found === 0 ? 'none known' : `${found} known`} (${known})`, missing].filter(Boolean).join('; ') || 'none: it has no parts of others'
}

async function verify(here: Context, app: string | undefined, which: Which): Promise<void> {
  const { api, out } = here
  const result = await api.json<{ digest: string; signature: SignatureState; contents: 'unchanged' | 'changed' }>({ method: 'POST', path: `${await placeOf(here, app, which)}/verify` })
  const good = result.signature.state === 'valid' && result.contents === 'unchanged'
  out.result(result, () => `${good ? 'It is what was built.' : 'It is not what was built, or nobody can tell.'} ${result.digest.slice(0, 19)}: signature ${result.signature.state}, files ${result.contents}.`)
  if (!good) process.exitCode = 1
}

async function list({ api, out }: Context): Promise<void> {
  const { items } = await api.json<{ items: AdvisoryState[] }>({ path: '/v1/advisories' })
  out.result(items, () => (items.length === 0 ? 'No advisories were imported, so holes of packages are unknown. pavior advisories import --help' : table(['ECOSYSTEM', 'ADVISORIES', 'IMPORTED', 'NEWEST'], items.map((one) => [one.ecosystem, String(one.advisories), `${age(one.importedAt)} ago`, `${age(one.newestAt)} ago`]))))
}

async function importFiles({ api, out }: Context, files: string[]): Promise<void> {
  for (const file of files) await stat(file).catch(() => { throw fail('BAD_REQUEST', { message: `There is no file "${file}".` }) })
  const stream = Readable.from(advisoryLines(files)).pipe(createGzip())
  const result = await api.json<{ ecosystems: { ecosystem: string; advisories: number; newestAt: string }[] }>({ method: 'POST', path: '/v1/advisories', stream, type: 'application/x-ndjson', headers: { 'content-encoding': 'gzip' } })
  out.result(result, () => result.ecosystems.map(({ ecosystem, advisories, newestAt }) => `${ecosystem}: ${advisories} advisories, the newest of ${newestAt.slice(0, 10)}`).join('\n'))
}
