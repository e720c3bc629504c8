/** `POST /tasks/:id/attach` with an upgrade: bytes in go to the task's input, bytes out are its output. */
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { errorCatalogue, fail } from '@pavior/contract'
import type { LogStore } from '../logs/store.ts'
import { readChunks } from '../logs/reader.ts'
import type { Task } from '../task.ts'
import { drained, toErrorObject } from './http.ts'

/** Name of the protocol in the Upgrade header. */
export const attachProtocol = 'pavior-attach'

/** Connects a socket with a task until the task has ended or the other side is gone. */
export async function attach(task: Task, logs: LogStore, socket: Socket, head: Buffer, offset: number): Promise<void> {
  const log = logs.find(task.id)
  if (!log) throw fail('NOT_FOUND', `Task ${task.id} has no output.`)
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${attachProtocol}\r\n\r\n`)
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  socket.on('error', () => socket.destroy())
  passInput(await task.input(), socket, head)
  for await (const { bytes } of readChunks(log, offset, { follow: true, live: true, signal: gone.signal })) {
    if (!socket.write(bytes)) await drained(socket)
  }
  // The other side may keep its half open for ever; there is nothing left to say to it.
  socket.destroySoon()
}

function passInput(input: Writable | undefined, socket: Socket, head: Buffer): void {
  if (!input) return void socket.resume()
  if (head.length > 0) input.write(head)
  // Not a plain pipe: closing the connection by force must not look like the end of the input of a later client.
  socket.on('data', (bytes: Buffer) => {
    if (!input.write(bytes)) {
      socket.pause()
      input.once('drain', () => socket.resume())
    }
  })
  socket.on('end', () => input.end())
}

/** Answers an upgrade that cannot be made. */
export function refuseUpgrade(socket: Socket, error: unknown): void {
  const object = toErrorObject(error)
  const body = JSON.stringify({ error: object })
  const head = [
    `HTTP/1.1 ${errorCatalogue[object.code].http} Refused`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
