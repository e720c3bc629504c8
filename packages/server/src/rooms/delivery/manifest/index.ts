/**
 * What the source says about itself: `pavior.yaml`, else `score.yaml`, else `Procfile` with `app.json`, else nothing.
 * Pure: text in, declaration out.
 */
import type { Declaration } from '../ports.ts'
import { readPaviorManifest } from './pavior.ts'
import { readProcfile } from './procfile.ts'

export const manifestFiles = ['pavior.yaml', 'pavior.yml', 'score.yaml', 'Procfile', 'app.json']

export function readDeclaration(texts: Readonly<Record<string, string>>): Declaration {
  for (const name of ['pavior.yaml', 'pavior.yml']) {
    const text = texts[name]
    if (text !== undefined) {
      const declared = readPaviorManifest(name, text)
      // A Procfile beside it still names the commands that the manifest leaves out.
      return texts.Procfile === undefined ? declared : { ...declared, spec: withCommands(declared.spec, readProcfile(texts.Procfile)) }
    }
  }
  if (texts.Procfile !== undefined) return { declaredBy: 'Procfile', spec: { processes: readProcfile(texts.Procfile) } }
  return { declaredBy: 'detection', spec: {} }
}

function withCommands(spec: Declaration['spec'], found: NonNullable<Declaration['spec']['processes']>): Declaration['spec'] {
  const names = [...new Set([...Object.keys(found), ...Object.keys(spec.processes ?? {})])]
  return { ...spec, processes: Object.fromEntries(names.map((name) => [name, { ...found[name], ...spec.processes?.[name] }])) }
}
