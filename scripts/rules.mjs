/** Checks the rules of the house, and that the check itself can fail: a planted violation of each rule must be found. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cruise } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import rules from './rules.config.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

/** A file that breaks exactly this rule. */
const planted = {
  'contract-imports-only-the-validator': ['packages/contract/src/planted.ts', "import 'node:fs'\n"],
  'kernel-knows-no-room': ['packages/server/src/kernel/planted.ts', "import '../rooms/catalog/index.ts'\n"],
  'rooms-only-through-their-door': ['packages/server/src/rooms/delivery/planted.ts', "import '../identity/store.ts'\n"],
  'rooms-read-only-earlier-rooms': ['packages/server/src/rooms/identity/planted.ts', "import '../release/index.ts'\n"],
  'drivers-see-only-ports': ['packages/server/src/drivers/planted.ts', "import '../rooms/release/commands.ts'\n"],
  'pg-only-in-the-kernel-database': ['packages/server/src/rooms/identity/planted.ts', "import 'pg'\n"],
  'plans-do-no-io': ['packages/server/src/rooms/release/planted/plan.ts', "import 'node:fs'\n"],
  'packages-meet-in-contract': ['packages/cli/src/planted.ts', "import '../../server/src/up.ts'\n"],
  'the-portal-sees-only-the-contract': ['packages/portal/src/planted.ts', "import '../../server/src/kernel/clock.ts'\n"],
  'portal-rooms-do-not-meet': ['packages/portal/src/rooms/catalog/planted.ts', "import '../index.ts'\n"],
  'no-cycles': ['packages/cli/src/planted.ts', "import './planted-other.ts'\n", 'packages/cli/src/planted-other.ts', "import './planted.ts'\n"],
}

async function violations(paths) {
  const { output } = await cruise(paths, { validate: true, ruleSet: rules, doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true, exclude: { path: '\\.test\\.ts$|^packages/portal/dist/' } }, { fullyQualifiedExtensions: true, extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'], conditionNames: ['import', 'node'], exportsFields: ['exports'] }, { tsConfig: extractTSConfig('tsconfig.json') })
  return output
}

const whole = await violations(['packages'])
if (whole.summary.totalCruised < 100) {
  process.stderr.write(`The dependency check saw only ${whole.summary.totalCruised} modules: it is not looking.\n`)
  process.exit(1)
}
const found = whole.summary.violations.filter(({ rule }) => rule.severity === 'error')
for (const { rule, from, to } of found) process.stderr.write(`${rule.name}: ${from} → ${to}\n`)

let blind = 0
for (const [rule, files] of Object.entries(planted)) {
  const written = []
  try {
    for (let index = 0; index < files.length; index += 2) {
      mkdirSync(dirname(files[index]), { recursive: true })
      writeFileSync(join(root, files[index]), files[index + 1])
      written.push(files[index])
    }
    const { summary } = await violations([dirname(files[0])])
    if (!summary.violations.some((violation) => violation.rule.name === rule)) {
      process.stderr.write(`The rule ${rule} does not see a planted violation.\n`)
      blind++
    }
  } finally {
    for (const path of written) rmSync(path, { force: true })
    rmSync('packages/server/src/rooms/release/planted', { recursive: true, force: true })
  }
}
process.stdout.write(`${whole.summary.totalCruised} modules, ${found.length} violations; ${Object.keys(planted).length - blind} of ${Object.keys(planted).length} planted violations found\n`)
process.exit(found.length + blind > 0 ? 1 : 0)
