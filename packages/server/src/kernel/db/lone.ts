/** One connection outside the pool, made anew by the next who needs it after it broke. */
import pg from 'pg'

export class LoneConnection {
  #client: pg.Client | undefined
  #connecting: Promise<pg.Client> | undefined
  readonly #config: pg.ClientConfig

  constructor(config: pg.ClientConfig) {
    this.#config = config
  }

  /** The connection that is there, else a new one; rejects when the database does not answer. */
  async client(): Promise<pg.Client> {
    if (this.#client) return this.#client
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  /** Gives up this connection, after an error that leaves its state in doubt. */
  drop(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined
    client.end().catch(() => {})
  }

  async end(): Promise<void> {
    await this.#client?.end()
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config)
    const lose = (): void => {
      if (this.#client === client) this.#client = undefined
    }
    client.on('error', lose)
    client.on('end', lose)
    try {
      await client.connect()
    } catch (error) {
      client.end().catch(() => {})
      throw error
    }
    this.#client = client
    return client
  }
}
