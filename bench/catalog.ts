/**
 * Measures the catalogue: taking in 10,000 entities of a catalogue file, and list and search over many entities through the API.
 * With --backstage a Backstage backend from npm does the same with the same 10,000 entities, on the same PostgreSQL.
 *
 *   node bench/run.mjs catalog [entities=100000] [requests=400]
 *   node bench/run.mjs catalog 10000 400 --backstage
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { stringify } from 'yaml'
import { createApi, createIdempotencyStore } from '../packages/server/src/kernel/api/index.ts'
import type { Actor } from '../packages/server/src/kernel/actor.ts'
import { systemClock } from '../packages/server/src/kernel/clock.ts'
import { connectDatabase, migrate, startEmbedded } from '../packages/server/src/kernel/db/index.ts'
import { KindRegistry } from '../packages/server/src/kernel/kind.ts'
import { createLog } from '../packages/server/src/kernel/log.ts'
import { mayAct } from '../packages/server/src/kernel/resources/index.ts'
import { flushStatement } from '../packages/server/src/kernel/store/store.ts'
import { entityRoutes } from '../packages/server/src/rooms/catalog/entities/routes.ts'
import { replaceLocation } from '../packages/server/src/rooms/catalog/entities/store.ts'
import type { Entity } from '../packages/server/src/rooms/catalog/entities/types.ts'
import { readEntities } from '../packages/server/src/rooms/catalog/entities/validate.ts'
import { startBackstage } from './backstage.ts'
import { show } from './platform.ts'

const beside = process.argv.includes('--backstage')
const [entities = 100_000, requests = 400] = process.argv.slice(2).filter((argument) => !argument.startsWith('--')).map(Number)
const fileSize = 10_000
const words = ['payment', 'stock', 'search', 'user', 'mail', 'billing', 'report', 'image', 'login', 'order', 'cart', 'fraud', 'ledger', 'export', 'queue', 'audit', 'price', 'offer', 'ship', 'track']
const types = ['service', 'website', 'library', 'worker']

function entity(index: number): Entity {
  const [one, other] = [words[index % words.length]!, words[Math.floor(index / words.length) % words.length]!]
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name: `${one}-${other}-${index}`, namespace: `team-${index % 200}`, description: `Takes care of ${one} and ${other}, number ${index}.`, tags: [one, other], annotations: { 'example.com/repository': `https://git.example.com/team-${index % 200}/${one}-${other}` } },
    spec: { type: types[index % types.length], lifecycle: 'production', owner: `group:default/team-${index % 200}`, dependsOn: [`component:team-${(index * 7) % 200}/${one}-${other}-${(index * 7) % entities}`] },
  }
}

const log = createLog('warn', 'bench')
const directory = mkdtempSync(join(tmpdir(), 'pavior-bench-'))
chmodSync(directory, 0o755)
const embedded = await startEmbedded({ directory: join(directory, 'pg'), socketDirectory: directory, passwordFile: join(directory, 'password'), log })
const database = await connectDatabase({ connection: embedded.connection, poolSize: 10, flushStatement, log })
try {
  await migrate(database, join(import.meta.dirname, '..', '..', 'packages/server/migrations'), log)
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${entities} entities`)
  const ours = { ingest: await ingest(), ...(await measure()) }
  if (beside) await compare(ours)
} finally {
  await database.close()
  await embedded.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function ingest(): Promise<number> {
  const text = catalogueFile()
  const began = performance.now()
  const { accepted, refused } = await readEntities(text)
  const read = performance.now()
  await replaceLocation(database, 'import', 'file-0', accepted)
  const seconds = (performance.now() - began) / 1000
  if (accepted.length !== fileSize || refused.length > 0) throw new Error(`only ${accepted.length} were accepted: ${refused[0]?.reason}`)
  show(`ingest of ${fileSize} entities of a file (${(text.length / 1e6).toFixed(1)} MB)`, `${seconds.toFixed(1)} s (${((read - began) / 1000).toFixed(1)} s to read and check)`, '<= 20 s', seconds <= 20)
  for (let first = fileSize; first < entities; first += fileSize) await replaceLocation(database, 'import', `file-${first / fileSize}`, Array.from({ length: fileSize }, (_, index) => entity(first + index)))
  await database.query('vacuum analyze catalog_entities')
  await database.query('vacuum analyze catalog_relations')
  return seconds
}

function catalogueFile(): string {
  return Array.from({ length: fileSize }, (_, index) => stringify(entity(index))).join('---\n')
}

function word(index: number): string {
  return words[index % words.length]!
}

async function measure(): Promise<Record<string, number>> {
  const actor: Actor = { name: 'user:bench', kind: 'user', admin: true, roles: new Map() }
  const well = { checks: [] }
  const api = createApi({
    kinds: new KindRegistry([]), resources: {} as never, routes: [entityRoutes({ database })], metrics: new Registry(), log, clock: systemClock, version: { version: 'bench' },
    authorize: mayAct, authenticate: async () => actor, events: { list: async () => [] } as never, idempotency: createIdempotencyStore(database), audit: {} as never,
    limits: { requestsPerSecond: 1e6, requestBurst: 1e6 }, health: () => well, ready: () => well,
  })
  const url = await api.listen({ port: 0, host: '127.0.0.1' })
  const asks: Record<string, (index: number) => string> = {
    'list, any page': (index) => `limit=50&continue=${Buffer.from(JSON.stringify({ name: `${word(index)}-${word(index + 3)}`, ref: '' })).toString('base64url')}`,
    'list of a team': (index) => `limit=50&owner=group:default/team-${index % 200}`,
    'list of a kind and type': (index) => `limit=50&kind=component&type=${types[index % types.length]}`,
    'search, one word begun': (index) => `limit=20&q=${word(index).slice(0, 3)}`,
    'search, two words': (index) => `limit=20&q=${word(index)}%20${word(index + 1)}`,
    'search, exact name': (index) => `limit=20&q=${nameOf(index)}`,
  }
  const p95: Record<string, number> = {}
  for (const [name, ask] of Object.entries(asks)) {
    p95[name] = await slowOf((index) => `${url}/v1/catalog/entities?${ask(index)}`)
    show(`${name}, p95 with 4 at once`, `${p95[name].toFixed(1)} ms`, '<= 50 ms', p95[name] <= 50)
  }
  await api.close()
  return p95
}

function nameOf(index: number): string {
  return entity((index * 37) % Math.min(entities, fileSize)).metadata.name
}

/** p95 in ms of asking for these addresses, 4 at once; every answer has items. */
async function slowOf(ask: (index: number) => string): Promise<number> {
  const times: number[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (next < requests) {
        const index = next++
        const began = performance.now()
        const response = await fetch(ask(index))
        const { items } = (await response.json()) as { items: unknown[] }
        times.push(performance.now() - began)
        if (!response.ok || items.length === 0) throw new Error(`nothing found for ${ask(index)}`)
      }
    }),
  )
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.95)]!
}

/** Backstage searches for a part of one field: it has no counterpart of two words. */
async function compare(ours: Record<string, number>): Promise<void> {
  const backstage = await startBackstage(directory, embedded.connection, catalogueFile(), fileSize)
  try {
    const asks: Record<string, (index: number) => string> = {
      'list, any page': (index) => `limit=50&orderField=metadata.name,asc&offset=${(index * 50) % (fileSize - 50)}`,
      'list of a team': (index) => `limit=50&filter=spec.owner=group:default/team-${index % 200}`,
      'list of a kind and type': (index) => `limit=50&filter=kind=component,spec.type=${types[index % types.length]}`,
      'search, one word begun': (index) => `limit=20&fullTextFilterFields=metadata.name&fullTextFilterTerm=${word(index).slice(0, 3)}`,
      'search, exact name': (index) => `limit=20&filter=metadata.name=${nameOf(index)}`,
    }
    const beside = (name: string, theirs: number, own: number, unit: string): void => show(`${name}, beside Backstage`, `${theirs.toFixed(1)} ${unit}, ${(own / theirs).toFixed(2)} x`, '<= 1 x', own <= theirs)
    beside(`ingest of ${fileSize} entities`, backstage.ingestSeconds, ours.ingest!, 's')
    for (const [name, ask] of Object.entries(asks)) beside(`${name}, p95 with 4 at once`, await slowOf((index) => `${backstage.url}/api/catalog/entities/by-query?${ask(index)}`), ours[name]!, 'ms')
  } finally {
    await backstage.stop()
  }
}
