/** Installs dependencies when they are missing or belong to another lock file or Node. Plain Node: nothing is installed yet. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const oldestNode = [20, 19]

export function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return
  process.stderr.write(`Pavior needs Node.js ${oldestNode.join('.')} or later; this is ${process.versions.node}.\n`)
  process.exit(2)
}

export function ensureDependencies() {
  const stamp = join(root, 'node_modules', '.pavior-stamp')
  const wanted = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).update(process.version).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write('Installing dependencies (once) …\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) {
    process.stderr.write('\n`npm ci` failed; see above. Pavior needs a reachable npm registry for its first start.\n')
    process.exit(1)
  }
  writeFileSync(stamp, wanted)
}
