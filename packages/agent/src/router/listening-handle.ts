import net from 'node:net'
import { fail } from '@pavior/contract'

/** A bound socket that this process keeps but does not accept on. */
export interface ListeningHandle {
  getsockname(out: { port?: number }): number
  close(): void
}

// What node:cluster itself binds with. A server of `net` would accept connections in this process, and cluster gives the
// port up while its last worker is being replaced; the bound handle keeps it, and the kernel queues connections meanwhile.
type CreateHandle = (address: string | null, port: number, addressType: 4 | 6, fd: number) => ListeningHandle | number

/** Binds a port (0: any free one) for worker processes to accept on. Throws PORT_IN_USE, or INTERNAL with the system's reason. */
export function bindPort(host: string | undefined, port: number): { handle: ListeningHandle; port: number } {
  const create = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle
  const handle = create(host ?? null, port, host?.includes(':') ? 6 : 4, -1)
  if (typeof handle === 'number') throw bindFailure(host, port, handle)
  // A taken port may show only here: bind() puts the error off until the socket is used.
  const address: { port?: number } = {}
  const error = handle.getsockname(address)
  if (error !== 0 || address.port === undefined || (port !== 0 && address.port !== port)) {
    handle.close()
    throw bindFailure(host, port, error)
  }
  return { handle, port: address.port }
}

const addressInUse = -98
const accessDenied = -13

function bindFailure(host: string | undefined, port: number, errno: number): Error {
  const where = `port ${port}${host === undefined ? '' : ` of ${host}`}`
  if (errno === accessDenied) {
    return fail('CONFIG_INVALID', {
      message: `The router may not listen on ${where}.`, why: 'Ports below 1024 need privileges that this user does not have.',
      fix: 'Choose a port above 1023 with --router-port.', facts: { port },
    })
  }
  if (errno === addressInUse || errno === 0) return portInUse(port)
  return fail('CONFIG_INVALID', { message: `The router cannot listen on ${where} (system error ${-errno}).`, facts: { port } })
}

export function portInUse(port: number): Error {
  return fail('PORT_IN_USE', { message: `The router cannot listen on port ${port} because another process has it.`, facts: { port } })
}
