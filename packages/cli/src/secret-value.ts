/** Where the value of a secret comes from: never from an argument, unless somebody insists. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fail, secretFileBytes, type NewSecretVersion } from '@pavior/contract'
import type { Output } from './output.ts'

const generatedBytes = 32
type Value = Pick<NewSecretVersion, 'value' | 'encoding'>

export async function readNewValue(out: Output, key: string, { fromFile, generate }: { fromFile?: string; generate?: boolean }, argument: string | undefined): Promise<Value> {
  const sources = [fromFile !== undefined, generate === true, argument !== undefined].filter(Boolean).length
  if (sources > 1) throw fail('BAD_REQUEST', { message: 'A value comes from one place: standard input, --from-file, --generate or KEY=VALUE.' })
  if (argument !== undefined) return { value: argument }
  if (generate) return { value: randomBytes(generatedBytes).toString('base64url') }
  if (fromFile !== undefined) return valueOf(readGiven(fromFile))
  if (process.stdin.isTTY) return { value: await askHidden(out, key) }
  // What echo and editors put behind the last line is no part of it.
  return valueOf(withoutLineEnd(await readInput()))
}

function valueOf(bytes: Buffer): Value {
  if (bytes.length === 0) throw fail('BAD_REQUEST', { message: 'The value is empty.', fix: 'Give it on standard input, for example: pavior secrets set KEY < file' })
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) && !text.includes('\0') ? { value: text } : { value: bytes.toString('base64'), encoding: 'base64' }
}

function readGiven(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `${path} cannot be read (${(error as NodeJS.ErrnoException).code}).` })
  }
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > secretFileBytes + 2) throw fail('TOO_LARGE', { message: `The value is larger than ${secretFileBytes} bytes.` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1)
}

/** Asks on the terminal without showing what is typed. */
async function askHidden(out: Output, key: string): Promise<string> {
  if (out.json) throw fail('BAD_REQUEST', { message: 'The value is missing.', fix: 'Give it on standard input or with --from-file.' })
  process.stderr.write(`Value of ${key} (it is not shown): `)
  process.stdin.setRawMode(true)
  try {
    const value = await readTyped()
    if (value === '') throw fail('BAD_REQUEST', { message: 'The value is empty.' })
    return value
  } finally {
    process.stdin.setRawMode(false)
    process.stdin.pause()
    process.stderr.write('\n')
  }
}

async function readTyped(): Promise<string> {
  let value = ''
  for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) {
    for (const character of chunk) {
      if (character === '\r' || character === '\n' || character === '\u0004') return value
      if (character === '\u0003') throw Object.assign(new Error('canceled'), { name: 'AbortError' })
      value = character === '\u007f' || character === '\b' ? [...value].slice(0, -1).join('') : value + character
    }
  }
  return value
}
