/**
 * Pictures of every page of the portal, light and dark, from a real platform with the examples deployed: docs/gallery/.
 *
 *   node scripts/gallery.mjs
 *
 * It needs a Chromium: one on the machine, one named in PAVIOR_CHROMIUM, or that of the npm package (Linux x64).
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'
import { build } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const outfile = join(root, 'packages/portal/node_modules/.cache/gallery.mjs')

await build()
await bundle({ entryPoints: [join(root, 'packages/portal/test/gallery.ts')], outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'warning' })
process.exit(spawnSync(process.execPath, [outfile, root], { stdio: 'inherit' }).status ?? 1)
