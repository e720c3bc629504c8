/** The policies that Pavior brings: made at the first start. Whoever deletes one does not get it back, and whoever changes one keeps it as it is. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { systemActor } from '../../kernel/actor.ts'
import type { Database } from '../../kernel/db/index.ts'
import { ignore } from '../../kernel/errors.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import type { Policy } from './engine.ts'

const actor = systemActor('policy')
/** The generation that Pavior wrote last; a later one is somebody's own. */
const builtinAnnotation = 'pavior.dev/built-in'

export async function readLibrary(directory: string): Promise<Policy[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml') && !name.endsWith('.fixtures.yaml')).toSorted()
  return Promise.all(files.map(async (file) => parse(await readFile(join(directory, file), 'utf8')) as Policy))
}

export async function ensureLibrary(database: Database, resources: Resources, directory: string): Promise<void> {
  for (const { metadata, spec } of await readLibrary(directory)) {
    const key = { kind: 'Policy', namespace: '', name: metadata.name }
    const { rowCount } = await database.write(`insert into counters (name, value) values ($1, 1) on conflict do nothing`, [`policy seeded ${metadata.name}`])
    if (rowCount > 0) {
      await resources.create(actor, 'Policy', '', { metadata: { name: metadata.name, annotations: { [builtinAnnotation]: '1' } }, spec }).catch(ignore('ALREADY_EXISTS'))
      continue
    }
    const current = await resources.get<Policy>(actor, key)
    if (!current || !isOurs(current) || isDeepStrictEqual(current.spec, spec)) continue
    await resources
      .mutate<Policy>(actor, key, (found) => (isOurs(found!) ? { ...found!, metadata: { ...found!.metadata, annotations: { ...found!.metadata.annotations, [builtinAnnotation]: String(found!.metadata.generation + 1) } }, spec } : found!))
      .catch(ignore('NOT_FOUND'))
  }
}

function isOurs({ metadata }: Policy): boolean {
  return String(metadata.generation) === metadata.annotations?.[builtinAnnotation]
}
