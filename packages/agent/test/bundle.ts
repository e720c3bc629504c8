/** Bundles the agent as it is shipped, so that tests can start it as a process of its own. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = fileURLToPath(new URL('../src/', import.meta.url))

/** Directory with agent.mjs and router-worker.mjs. The caller removes it. */
export async function bundleAgent(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'pavior-agent-dist-'))
  await build({
    entryPoints: { agent: join(source, 'main.ts'), 'router-worker': join(source, 'router/worker.ts') },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    // CommonJS packages inside of an ESM bundle ask for require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  })
  return directory
}
