/** `npm start`: everything that is missing, then `pavior up` in this process. */
import { fileURLToPath } from 'node:url'
import { ensureDependencies, ensureNode } from './ensure.mjs'

ensureNode()
ensureDependencies()
const { build } = await import('./build.mjs')
await build()
process.argv = [process.argv[0], fileURLToPath(new URL('../bin/pavior', import.meta.url)), 'up', ...process.argv.slice(2)]
await import('../dist/cli.mjs')
