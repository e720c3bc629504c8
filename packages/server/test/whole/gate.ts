/** A door in the test that builds and apps knock at and wait behind: tells when they are there, and lets them go on. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export interface Gate {
  /** URL to fetch; it answers when the gate of this name is open. */
  url(name: string): string
  /** Resolves when somebody waits behind, or has passed. */
  arrived(name: string): Promise<void>
  close(name: string): void
  open(name: string): void
  /** How many knocked so far. */
  count(name: string): number
}

const servers: Server[] = []
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** Gates are open until they are closed. */
export async function newGate(): Promise<Gate> {
  const counts = new Map<string, number>()
  const closed = new Set<string>()
  const waiting = new Map<string, ServerResponse[]>()
  const listeners: { name: string; resolve: () => void }[] = []
  const server = createServer((request, response) => {
    const name = request.url!.slice(1)
    counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const listener of listeners) if (listener.name === name) listener.resolve()
    if (closed.has(name)) waiting.set(name, [...(waiting.get(name) ?? []), response])
    else response.end('go')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  servers.push(server)
  return {
    url: (name) => `http://127.0.0.1:${port}/${name}`,
    arrived: (name) => new Promise((resolve) => ((counts.get(name) ?? 0) > 0 ? resolve() : void listeners.push({ name, resolve }))),
    close: (name) => void closed.add(name),
    open: (name) => {
      closed.delete(name)
      for (const response of waiting.get(name) ?? []) response.end('go')
      waiting.delete(name)
    },
    count: (name) => counts.get(name) ?? 0,
  }
}

/** An app that knocks at `<prefix>-build`, `<prefix>-release` and `<prefix>-start` at these moments of its life. */
export function gatedApp(gate: Gate, prefix: string, text = prefix, { release = true }: { release?: boolean } = {}): Record<string, string> {
  const knock = (name: string): string => `fetch(${JSON.stringify(gate.url(`${prefix}-${name}`))}).then((answer) => answer.text())`
  return {
    'package.json': JSON.stringify({ name: 'app', private: true, scripts: { build: 'node build.js', start: 'node server.js' } }),
    'build.js': `console.log('building'); ${knock('build')}.then(() => require('fs').writeFileSync('built.txt', ${JSON.stringify(text)}))`,
    'release.js': `console.log('releasing'); ${knock('release')}`,
    'server.js': `const text = require('fs').readFileSync('built.txt', 'utf8')
${knock('start')}.then(() => {
  const server = require('http').createServer((request, response) => response.end(text))
  server.listen(process.env.PORT)
  process.on('SIGTERM', () => server.close(() => process.exit(0)))
})
`,
    Procfile: `web: node server.js\n${release ? 'release: node release.js\n' : ''}`,
  }
}
