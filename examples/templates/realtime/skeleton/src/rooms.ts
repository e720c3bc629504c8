/** Who hears whom. It knows nothing of sockets, so that tests need none. */
export interface Member {
  send(text: string): void
}

export class Rooms {
  readonly #rooms = new Map<string, Set<Member>>()

  /** Returns how to leave. */
  join(room: string, member: Member): () => void {
    const members = this.#rooms.get(room) ?? new Set()
    this.#rooms.set(room, members.add(member))
    this.#tell(room, { type: 'members', count: members.size })
    return () => {
      if (!members.delete(member)) return
      if (members.size === 0) this.#rooms.delete(room)
      else this.#tell(room, { type: 'members', count: members.size })
    }
  }

  say(room: string, text: string): void {
    this.#tell(room, { type: 'message', text, at: new Date().toISOString() })
  }

  get count(): number {
    return this.#rooms.size
  }

  #tell(room: string, message: Record<string, unknown>): void {
    const text = JSON.stringify(message)
    for (const member of this.#rooms.get(room) ?? []) member.send(text)
  }
}
