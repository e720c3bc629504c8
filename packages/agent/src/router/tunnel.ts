import type { ClientConnection } from './client.ts'
import type { WorkerStats } from './protocol.ts'
import type { Upstream, UpstreamUser } from './upstream.ts'

/** Two connections joined after a 101 answer: bytes pass as they are, ends and back-pressure are passed on. */
export class Tunnel implements UpstreamUser {
  private readonly client: ClientConnection
  private readonly upstream: Upstream
  private readonly stats: WorkerStats
  private open = true

  constructor(client: ClientConnection, upstream: Upstream, stats: WorkerStats) {
    this.client = client
    this.upstream = upstream
    this.stats = stats
    stats.tunnels++
    upstream.handOver(this)
  }

  /** Passes on what already arrived behind the two heads. */
  start(fromInstance: Buffer, fromClient: Buffer | undefined): void {
    if (fromInstance.length > 0) this.onData(fromInstance)
    if (fromClient) this.fromClient(fromClient)
  }

  fromClient(chunk: Buffer): void {
    if (!this.upstream.socket.write(chunk)) this.client.pauseReading()
  }

  onData(data: Buffer): boolean {
    return this.client.write(Buffer.from(data))
  }

  onDrain(): void {
    this.client.resumeReading()
  }

  onClientDrain(): void {
    this.upstream.resume()
  }

  clientEnded(): void {
    this.upstream.socket.end()
  }

  clientClosed(): void {
    this.close()
  }

  onEnd(): void {
    this.client.socket.end()
  }

  onLost(): void {
    this.close()
  }

  onReady(): void { /* it was ready before it became a tunnel */ }
  onConnectFailed(): void { /* it was connected before it became a tunnel */ }

  private close(): void {
    if (!this.open) return
    this.open = false
    this.stats.tunnels--
    this.upstream.release(0)
    // What the instance sent last is still delivered; a client that is gone has nothing to deliver to.
    if (!this.client.socket.destroyed) this.client.socket.destroySoon()
  }
}
