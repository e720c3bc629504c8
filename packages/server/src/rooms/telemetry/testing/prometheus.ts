/** Debian's Prometheus on this machine, filled by remote write: what ours is compared with. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Series } from '../metrics/series.ts'

const run = promisify(execFile)
/** Points sent at once. Prometheus takes points only in the order of time, so that every request is a slice of it. */
const sliceMs = 600_000

export interface RunningPrometheus {
  url: string
  write(series: readonly Series[]): Promise<void>
  stop(): Promise<void>
}

export async function hasPrometheus(): Promise<boolean> {
  return run('prometheus', ['--version']).then(
    ({ stdout, stderr }) => /version 2\.\d+/.test(stdout + stderr),
    () => false,
  )
}

/** `scrapes`: the list of its scrape_configs, in YAML. */
export async function startPrometheus(scrapes = ''): Promise<RunningPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior-prometheus-'))
  await writeFile(join(directory, 'prometheus.yml'), `global:\n  scrape_interval: 1h\n${scrapes === '' ? '' : `scrape_configs:\n${scrapes}`}`)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn('prometheus', [`--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`, '--web.enable-remote-write-receiver', '--enable-feature=promql-at-modifier,promql-negative-offset'], { stdio: ['ignore', 'ignore', 'pipe'] })
  await readiness(child)
  return {
    url,
    write: (series) => writeAll(`${url}/api/v1/write`, series),
    stop: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** It says so itself. */
async function readiness(child: ChildProcess): Promise<void> {
  const said: string[] = []
  for await (const line of createInterface({ input: child.stderr! })) {
    said.push(line)
    if (!line.includes('Server is ready to receive web requests')) continue
    // What it goes on to say must not fill the pipe.
    child.stderr!.resume()
    return
  }
  throw new Error(`Prometheus did not start:\n${said.slice(-5).join('\n')}`)
}

async function writeAll(url: string, series: readonly Series[]): Promise<void> {
  const times = series.flatMap((each) => [each.times[0] ?? Infinity, each.times.at(-1) ?? -Infinity])
  const [from, until] = [Math.min(...times), Math.max(...times)]
  for (let at = from; at <= until; at += sliceMs) {
    const body = new Uint8Array(snappyLiteral(writeRequest(series, at, at + sliceMs)))
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf', 'x-prometheus-remote-write-version': '0.1.0' } })
    if (!response.ok) throw new Error(`Prometheus refused a write: ${response.status} ${await response.text()}`)
  }
}

/** WriteRequest of remote write 1.0, with the points of this slice of time. Bits of values are copied, so that stale markers stay what they are. */
function writeRequest(series: readonly Series[], fromMs: number, untilMs: number): Buffer {
  return Buffer.concat(
    series.flatMap(({ labels, times, values }) => {
      const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
      const samples: Buffer[] = []
      for (const [index, time] of times.entries()) {
        if (time < fromMs || time >= untilMs) continue
        samples.push(field(2, Buffer.concat([Buffer.from([0x09]), bytes.subarray(index * 8, index * 8 + 8), Buffer.from([0x10]), varint(time)])))
      }
      if (samples.length === 0) return []
      const names = Object.keys(labels).sort()
      return [field(1, Buffer.concat([...names.map((name) => field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(labels[name]!))]))), ...samples]))]
    }),
  )
}

function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return Buffer.from([...bytes, rest])
}

/** Snappy without compression: one literal. */
function snappyLiteral(content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(content.length - 1)
  return Buffer.concat([varint(content.length), Buffer.from([63 << 2]), length, content])
}
