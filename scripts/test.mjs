/**
 * `npm test`: installs what is missing, then every check and every test.
 *
 *   --checks-only   types, lint, dependency rules
 *   --tests-only    the tests
 *   anything else goes to vitest, for example: npm test -- --tests-only --project server
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureDependencies, ensureNode } from './ensure.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const own = new Set(['--checks-only', '--tests-only'])
const passed = args.filter((argument) => !own.has(argument))

ensureNode()
ensureDependencies()
const { build } = await import('./build.mjs')
await build()

const checks = [
  ['types', ['node_modules/typescript/bin/tsc', '-p', '.']],
  ['types of the portal', ['node_modules/typescript/bin/tsc', '-p', 'packages/portal']],
  ['lint', ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', 'packages', 'scripts', 'bench']],
  ['dependency rules', ['scripts/rules.mjs']],
  ['unused code', ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints']],
  ['reference pages', ['scripts/docs.mjs', '--check']],
]

/** Every step runs, so that one run tells everything; the exit code is that of the first that failed. */
let failed = 0
function step(name, command) {
  const began = Date.now()
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${name}  ${((Date.now() - began) / 1000).toFixed(1)} s\n`)
  if (status !== 0) failed ||= status ?? 1
}

if (!args.includes('--tests-only')) for (const [name, command] of checks) step(name, command)
if (!args.includes('--checks-only')) step('tests', [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...passed])
process.exit(failed)
