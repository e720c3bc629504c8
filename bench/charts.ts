/**
 * How long the portal's chart takes to draw ten series of a thousand points, from nothing to painted.
 *
 *   node bench/run.mjs charts [draws=20]
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'
import { findChromium } from '../packages/portal/test/chromium.ts'
import { percentile, root, show } from './platform.ts'

const draws = Number(process.argv[2] ?? 20)
const mostMs = 100

/** The page: the real piece, in a frame of its own each time. */
const page = `
import { MantineProvider } from '@mantine/core'
import { createRoot } from 'react-dom/client'
import { flushSync } from 'react-dom'
import { TimeSeries } from './src/pieces/time-series.tsx'
const times = Array.from({ length: 1000 }, (_, index) => 1_700_000_000 + index * 10)
const lines = Array.from({ length: 10 }, (_, series) => ({ label: 'series ' + series, values: times.map((_time, index) => 50 + series * 10 + 20 * Math.sin((index + series * 40) / 25)) }))
globalThis.draw = async () => {
  const host = document.body.appendChild(document.createElement('div'))
  const shown = createRoot(host)
  const began = performance.now()
  flushSync(() => shown.render(<MantineProvider><TimeSeries title="Bench" unit="ms" times={times} lines={lines} /></MantineProvider>))
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
  const took = performance.now() - began
  if (!host.querySelector('canvas')) throw new Error('nothing was drawn')
  shown.unmount()
  host.remove()
  return took
}
`

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: page, resolveDir: join(root, 'packages/portal'), loader: 'tsx' },
    bundle: true, write: false, outdir: 'out', format: 'esm', minify: true, jsx: 'automatic', loader: { '.css': 'empty' }, define: { 'process.env.NODE_ENV': '"production"' },
  })
  return outputFiles[0]!.text
}

const script = await bundle()
const server = createServer((request, response) => {
  const isScript = request.url === '/page.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? script : '<!doctype html><html><body style="width:1000px"><script type="module" src="/page.js"></script></body></html>')
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const found = await findChromium()
if (!found) {
  console.log('There is no Chromium here, so nothing was measured.')
  process.exit(0)
}
const browser = await chromium.launch({ executablePath: found.path, args: found.args })
const tab = await browser.newPage({ locale: 'en-US' })
await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
await tab.waitForFunction('globalThis.draw')
const took: number[] = []
for (let index = 0; index < draws; index++) took.push(await tab.evaluate<number>('draw()'))
took.sort((one, other) => one - other)
for (const [name, ms] of [['median', percentile(took, 0.5)], ['slowest', took.at(-1)!]] as const) {
  show(`draw 10 series of 1,000 points (${name} of ${draws})`, `${ms.toFixed(1)} ms (${(ms / mostMs).toFixed(2)} of it)`, `<= ${mostMs} ms`, ms <= mostMs)
}
await browser.close()
server.close()
