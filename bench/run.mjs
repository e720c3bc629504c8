// Runs one benchmark: `node bench/run.mjs <name> [arguments]` bundles bench/<name>.ts and starts it.
// What benchmarks compare with is installed on demand and never part of the product.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { build as buildProduct } from '../scripts/build.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const [name, ...rest] = process.argv.slice(2)
if (!name || !existsSync(join(here, `${name}.ts`))) {
  console.error('Usage: node bench/run.mjs <name>, where bench/<name>.ts exists')
  process.exit(2)
}

const stamp = join(here, 'node_modules', '.package-lock.json')
const lock = join(here, 'package-lock.json')
if (!existsSync(stamp) || statSync(stamp).mtimeMs < statSync(lock).mtimeMs) {
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here, stdio: 'inherit' })
  if (installed.status !== 0) console.error('Without its dependencies the benchmark leaves out what it cannot start.')
}

// What is measured is the product as it is now.
await buildProduct()
const outfile = join(here, 'dist', `${name}.mjs`)
await build({
  entryPoints: [join(here, `${name}.ts`)], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external',
  alias: { '@pavior/contract': join(here, '..', 'packages', 'contract', 'src', 'index.ts') }, logLevel: 'warning',
})
process.exit(spawnSync(process.execPath, [outfile, ...rest], { stdio: 'inherit' }).status ?? 1)
