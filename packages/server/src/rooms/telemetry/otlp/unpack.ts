/** Bodies as they were before they were packed, never larger than they may be. */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { fail } from '@pavior/contract'

const unzip = promisify(gunzip)

/** `encoding`: of the header Content-Encoding. Throws TOO_LARGE, BAD_REQUEST, UNSUPPORTED_MEDIA. */
export async function unpack(body: Buffer, encoding: string | undefined, mostBytes: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return body
  if (encoding === 'gzip') return unzip(body, { maxOutputLength: mostBytes }).catch((error: Error & { code?: string }) => refuse(error.code === 'ERR_BUFFER_TOO_LARGE', 'gzip', mostBytes))
  if (encoding === 'snappy') return unpackSnappy(body, mostBytes)
  throw fail('UNSUPPORTED_MEDIA', { message: `The content encoding "${encoding.slice(0, 30)}" is not accepted here.`, fix: 'Send it plain, or with gzip or snappy.' })
}

async function unpackSnappy(body: Buffer, mostBytes: number): Promise<Buffer> {
  const { default: snappy } = await import('snappyjs')
  const length = snappyLength(body)
  if (length === undefined || length > mostBytes) refuse(length !== undefined, 'snappy', mostBytes)
  try {
    return snappy.uncompress(body)
  } catch {
    return refuse(false, 'snappy', mostBytes)
  }
}

/** How long it says that it is: a number of at most 32 bits before everything else. */
function snappyLength(body: Buffer): number | undefined {
  let length = 0
  for (let index = 0; index < 5 && index < body.length; index++) {
    length += (body[index]! & 0x7f) * 2 ** (7 * index)
    if (body[index]! < 0x80) return length
  }
  return undefined
}

function refuse(tooLarge: boolean, encoding: string, mostBytes: number): never {
  if (tooLarge) throw fail('TOO_LARGE', { message: `The body is larger than ${mostBytes} bytes when it is unpacked.`, fix: 'Send less at once.' })
  throw fail('BAD_REQUEST', { message: `The body is not valid ${encoding}.` })
}
