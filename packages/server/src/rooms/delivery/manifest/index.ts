/**
 * What the source says about itself: `pavior.yaml`, else `score.yaml`, else `Procfile` with `app.json`, else nothing.
 * A Procfile beside one of the former names the commands that it leaves out. Pure: text in, declaration out.
 */
import { fail } from '@pavior/contract'
import type { Declaration } from '../ports.ts'
import { readAppJson } from './app-json.ts'
import { readPaviorManifest } from './pavior.ts'
import { readProcfile, withDefaultFormation } from './procfile.ts'
import { readScore } from './score.ts'

export const manifestFiles = ['pavior.yaml', 'pavior.yml', 'score.yaml', 'Procfile', 'app.json']

const readers: [file: string, read: (file: string, text: string) => Declaration][] = [
  ['pavior.yaml', readPaviorManifest],
  ['pavior.yml', readPaviorManifest],
  ['score.yaml', readScore],
]

/** `paths` tells of manifests that are so large that their text was not read. */
export function readDeclaration(texts: Readonly<Record<string, string>>, paths: readonly string[] = []): Declaration {
  const unread = manifestFiles.find((file) => paths.includes(file) && texts[file] === undefined)
  if (unread !== undefined) throw fail('MANIFEST_TOO_LARGE', { message: `${unread} is larger than any manifest needs to be.` })
  for (const [file, read] of readers) {
    const text = texts[file]
    if (text !== undefined) return completed(read(file, text), texts.Procfile)
  }
  if (texts.Procfile === undefined) return { declaredBy: 'detection', spec: {} }
  const processes = readProcfile(texts.Procfile)
  if (texts['app.json'] === undefined) return { declaredBy: 'Procfile', spec: { processes: withDefaultFormation(processes) } }
  const { processes: formation = {}, ...rest } = readAppJson(texts['app.json'])
  // Of the formation only what the Procfile runs.
  const known = Object.keys(processes).map((name) => [name, { ...processes[name], ...formation[name] }])
  return { declaredBy: 'Procfile', spec: { ...rest, processes: withDefaultFormation(Object.fromEntries(known)) } }
}

function completed(declared: Declaration, procfile: string | undefined): Declaration {
  if (procfile === undefined) return declared
  const found = readProcfile(procfile)
  const names = [...new Set([...Object.keys(found), ...Object.keys(declared.spec.processes ?? {})])]
  return { ...declared, spec: { ...declared.spec, processes: Object.fromEntries(names.map((name) => [name, { ...found[name], ...declared.spec.processes?.[name] }])) } }
}
