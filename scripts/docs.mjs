/**
 * Writes the reference pages of docs/ from the same text that `pavior explain`, the API and the CLI show, and the
 * dashboards of examples/grafana from those that every team has.
 *
 *   node scripts/docs.mjs          write
 *   node scripts/docs.mjs --check  fail when a page is not what would be written
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'
import { build } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const check = process.argv.includes('--check')

/** In the order in which rooms may read each other. */
const rooms = ['identity', 'secrets', 'catalog', 'delivery', 'policy', 'release', 'gitops', 'runtime', 'routing', 'telemetry', 'reliability']
const roomsPath = 'packages/server/src/rooms'
const kindFiles = readdirSync(join(root, roomsPath), { recursive: true })
  .filter((file) => /(^|\/)kinds(-\w+)?\.ts$/.test(file))
  .map((file) => `${roomsPath}/${file}`)
  .toSorted((one, other) => place(one) - place(other) || one.localeCompare(other))

function place(file) {
  const found = rooms.indexOf(file.split('/')[4])
  if (found < 0) throw new Error(`${file}: name its room in scripts/docs.mjs`)
  return found
}

await build()
const directory = mkdtempSync(join(tmpdir(), 'pavior-docs-'))
const outfile = join(directory, 'source.mjs')
await bundle({
  stdin: {
    contents: `export { errorCatalogue } from './packages/contract/src/errors.ts'
export { settings } from './packages/server/src/kernel/config/config.ts'
export { ready } from './packages/server/src/rooms/telemetry/dashboards/ready.ts'
export { toGrafana } from './packages/server/src/rooms/telemetry/dashboards/grafana-export.ts'
${kindFiles.map((file, index) => `import * as kinds${index} from './${file}'`).join('\n')}
export const kinds = [${kindFiles.map((_, index) => `kinds${index}`).join(', ')}].flatMap((file) => Object.values(file)).filter((one) => one?.plural !== undefined)`,
    resolveDir: root,
    loader: 'ts',
  },
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile,
  logLevel: 'error',
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
})
const { errorCatalogue, settings, ready, toGrafana, kinds } = await import(outfile)
rmSync(directory, { recursive: true, force: true })

const made = 'Made by `node scripts/docs.mjs`; change the source, not this page.'
const cell = (text) => String(text ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (header, rows) => [`| ${header.join(' | ')} |`, `|${header.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`)].join('\n')

const pages = {
  'docs/reference/errors.md': `# Errors

Every refusal and failure has a code, one sentence with the thing's name, why, what to do, and what state the world is in. The same object
is shown by the command, sent by the API (in \`details.pavior\` of a Kubernetes \`Status\`) and kept in a resource's status. ${made}

${table(['code', 'meaning', 'what to do', 'HTTP', 'exit'], Object.entries(errorCatalogue).map(([code, { meaning, fix, http, exit }]) => [`\`${code}\``, meaning, fix, http, exit]))}

Exit codes: 0 done · 1 your app or source failed · 2 wrong use · 3 refused · 4 the platform failed · 130 interrupted.
`,
  'docs/reference/settings.md': `# Settings

Flag, then environment variable, then \`pavior.config.yaml\` in PAVIOR_HOME, then the default. \`pavior config\` prints what is in force and where it
comes from. ${made}

${table(['setting', 'variable', 'meaning'], [['home', '`PAVIOR_HOME`', 'Where everything is kept: `.pavior` in a clone, `~/.pavior` when installed.'], ...Object.entries(settings).map(([name, { variable, description }]) => [name, `\`${variable}\``, description])])}
`,
  'docs/reference/kinds.md': `# Kinds

What \`pavior get\`, \`explain\`, \`apply\` and kubectl work on: group \`pavior.dev/v1\`. ${made}

${kinds.map(describeKind).join('\n\n')}
`,
  'docs/reference/cli.md': `# The command

${made} Every command also takes \`--json\`, \`--quiet\`, \`--team\` and \`--home\`.

${commandHelp([])}
`,
  ...Object.fromEntries(Object.entries(ready).map(([name, spec]) => [`examples/grafana/${name}.json`, `${JSON.stringify(toGrafana(name, spec, `http://localhost:7070/dashboards/default/${name}`).dashboard, null, 2)}\n`])),
}

function describeKind({ kind, plural, shortNames, scope, description, spec, status, access, indexes }) {
  const roles = Object.entries(access).map(([role, verbs]) => `${role}: ${verbs.join(', ')}`)
  return [
    `## ${kind}`,
    '',
    `${description} \`${plural}\`${shortNames ? ` (${shortNames.join(', ')})` : ''}, ${scope === 'Namespaced' ? 'in a team' : 'for the whole platform'}. Beyond reading: ${roles.join(' · ') || 'the platform itself'}.${indexes ? ` Field selectors: ${indexes.map((path) => `\`${path}\``).join(', ')}.` : ''}`,
    '',
    table(['field', 'type', 'meaning'], fieldRows('spec', spec)),
    ...(status && Object.keys(status.properties).length > 0 ? ['', table(['status', 'type', 'meaning'], fieldRows('status', status))] : []),
  ].join('\n')
}

function fieldRows(prefix, schema) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}.${name}`
    const inner = field.items?.properties ? fieldRows(`${path}[]`, field.items) : field.patternProperties ? recordRows(path, field) : field.properties && field.description !== 'Why it did not work.' ? fieldRows(path, field) : []
    return [[`\`${path}\``, typeName(field), field.description ?? ''], ...inner]
  })
}

function recordRows(path, field) {
  const [value] = Object.values(field.patternProperties)
  return value?.properties ? fieldRows(`${path}.<name>`, value) : []
}

function typeName({ type, enum: values, items, patternProperties }) {
  if (values) return values.map((value) => `\`${value}\``).join(', ')
  if (type === 'array') return `list of ${items?.type ?? 'objects'}`
  return patternProperties ? 'map' : (type ?? 'any')
}

function commandHelp(words) {
  const { stdout } = spawnSync(process.execPath, [join(root, 'bin/pavior'), ...words, '--help'], { encoding: 'utf8', env: { ...process.env, COLUMNS: '120', NO_COLOR: '1' } })
  const own = ['--json', '--quiet', '--team', '--home']
  const text = stdout.split('\n').filter((line) => words.length === 0 || !own.some((flag) => line.includes(flag))).join('\n').trim()
  const names = [...(/^Commands:\n((?: {2}.*\n?)*)/m.exec(stdout)?.[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name).filter((name) => name !== 'help')
  const heading = words.length === 0 ? '' : `${'#'.repeat(Math.min(words.length + 1, 3))} pavior ${words.join(' ')}\n\n`
  return [`${heading}\`\`\`\n${text}\n\`\`\``, ...names.map((name) => commandHelp([...words, name]))].join('\n\n')
}

let stale = 0
for (const [path, text] of Object.entries(pages)) {
  const file = join(root, path)
  if (check) {
    let present = ''
    try {
      present = readFileSync(file, 'utf8')
    } catch {
      // A page that is missing is as stale as one that differs.
    }
    if (present === text) continue
    process.stderr.write(`${path} is not up to date: run \`node scripts/docs.mjs\`.\n`)
    stale++
  } else {
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
  }
}
process.exit(stale > 0 ? 1 : 0)
