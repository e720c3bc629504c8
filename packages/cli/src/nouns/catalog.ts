/** `catalog`: what software there is, who owns it, what depends on what; import and export in Backstage's format. */
import { readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fail, type CallRate, type CatalogDetails, type CatalogImport, type CatalogPage, type CatalogRelation } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

export function addCatalog(program: Command, context: () => Context): void {
  const catalog = program.command('catalog').description('What software there is, who owns it, what depends on what.')
  catalog
    .command('list [words...]')
    .description('List what the catalogue knows, or search it.')
    .option('--kind <kind>', 'only this kind: component, api, resource, system, domain, group, user')
    .option('--type <type>', 'only this type, for example service')
    .option('--owner <ref>', 'only what this one owns, for example group:default/payments')
    .option('-n, --limit <rows>', 'rows (default: 50, at most 500)')
    .addHelpText('before', 'Example:\n  pavior catalog list checkout --kind component\n')
    .action(async (words: string[], flags: { kind?: string; type?: string; owner?: string; limit?: string }) => {
      const { api, out } = context()
      const search = new URLSearchParams(Object.entries(flags).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as [string, string]] : [])))
      if (words.length > 0) search.set('q', words.join(' '))
      const page = await api.json<CatalogPage>({ path: `/v1/catalog/entities?${search}` })
      out.result(page, () => (page.items.length === 0 ? 'The catalogue has nothing like that.' : table(['REF', 'TYPE', 'OWNER', 'DRIFT', 'DESCRIPTION'], page.items.map(({ ref, type, owner, drift, description }) => [ref, type ?? '-', owner ?? '-', drift === 0 ? '-' : String(drift), (description ?? '').slice(0, 60)]))))
    })
  catalog
    .command('show <ref>')
    .description('Show one entity with its relations, and where what is declared and what is observed differ.')
    .addHelpText('before', 'Example:\n  pavior catalog show component:default/checkout-api\n')
    .action(async (ref: string) => {
      const { api, out, team } = context()
      const details = await api.json<CatalogDetails>({ path: `/v1/catalog/entities/${pathOf(ref, team)}` })
      out.result(details, () => describe(details))
    })
  catalog
    .command('import')
    .description('Take in the entities of a Backstage catalogue file; what the same location said before is replaced.')
    .requiredOption('-f, --file <path>', 'file with one or more entities, - for standard input')
    .option('--location <name>', 'name of this source, for example the URL of the file', 'import')
    .option('--dry-run', 'only check the file')
    .addHelpText('before', 'Example:\n  curl -s https://backstage.example.com/catalog-info.yaml | pavior catalog import -f - --location backstage\n')
    .action(async ({ file, location, dryRun }: { file: string; location: string; dryRun?: boolean }) => {
      const { api, out } = context()
      const search = new URLSearchParams({ location, ...(dryRun ? { dryRun: 'All' } : {}) })
      const answer = await api.json<CatalogImport>({ method: 'POST', path: `/v1/catalog/import?${search}`, body: { yaml: readFileSync(file === '-' ? 0 : file, 'utf8') } })
      for (const { document, name, reason } of answer.refused) out.progress(`document ${document}, ${name}: ${reason}`)
      out.result(answer, `${answer.accepted} entities of ${answer.location} ${dryRun ? 'are well formed' : `taken, ${answer.changed} changed`}; ${answer.refused.length} refused.`)
      if (answer.refused.length > 0) process.exitCode = 1
    })
  catalog
    .command('export')
    .description('Print the whole catalogue as one Backstage catalogue file.')
    .addHelpText('before', 'Example:\n  pavior catalog export > catalog.yaml\n')
    .action(async () => {
      await pipeline(await context().api.open({ path: '/v1/catalog/export' }), process.stdout, { end: false })
    })
}

/** `shop` is a component of one's team; anything more is said in full. */
function pathOf(ref: string, team: string): string {
  const match = /^(?:([^:/\s]+):)?(?:([^:/\s]+)\/)?([^:/\s]+)$/.exec(ref)
  if (!match) throw fail('BAD_REQUEST', { message: `"${ref}" is not a reference.`, fix: 'Write kind:namespace/name, for example component:default/checkout-api.' })
  const [, kind = 'component', namespace = team, name = ''] = match
  return [kind, namespace, name].map(encodeURIComponent).join('/')
}

/** Of dependencies it matters who says so; what one sees is the rest. */
function knownBy({ type, origins, traffic, unseen }: CatalogRelation): string[] {
  if (type !== 'dependsOn' && type !== 'dependencyOf') return []
  return [`(${origins.map((origin) => originWords[origin]).join(', ')})`, ...(traffic ? [rateText(traffic)] : []), ...(unseen ? ['never seen'] : [])]
}

const originWords = { derived: 'configuration', traffic: 'traffic', repository: 'catalog-info.yaml', import: 'import' }

function rateText({ requestsPerMinute, errorShare, lastSeenAt, atLeast }: CallRate): string {
  if (errorShare === null) return `last seen ${lastSeenAt}`
  return `${atLeast ? 'at least ' : ''}${requestsPerMinute.toFixed(1)} requests/min, ${(errorShare * 100).toFixed(1)} % errors`
}

function describe({ ref, entity: { metadata, spec = {} }, origins, drift, relations }: CatalogDetails): string {
  const rows: [string, string][] = [
    ['about', metadata.description ?? '-'],
    ['type', String(spec.type ?? '-')],
    ['lifecycle', String(spec.lifecycle ?? '-')],
    ['tags', metadata.tags?.join(', ') ?? '-'],
    ['known by', origins.join(', ')],
    ...(metadata.links ?? []).map(({ title, url }): [string, string] => ['link', title === undefined ? url : `${url} (${title})`]),
    ...relations.map((relation): [string, string] => [relation.type, [relation.target, ...knownBy(relation)].join('   ')]),
    ...drift.map(({ field, declared, observed }): [string, string] => ['drift', `${field} is declared ${JSON.stringify(declared)}, observed ${JSON.stringify(observed)}`]),
  ]
  return `${ref}\n${table(['', ''], rows).split('\n').slice(1).join('\n')}`
}
