/** How many bytes may be worked on at once, of one sender and of all: what is unpacked and read takes many times its size. */
export class ByteBudget {
  readonly #mostOfOne: number
  readonly #most: number
  readonly #held = new Map<string, number>()
  #all = 0

  constructor(mostOfOne: number, most: number) {
    this.#mostOfOne = mostOfOne
    this.#most = most
  }

  /** The function to call at the end; undefined when there is no room now. */
  enter(sender: string, bytes: number): (() => void) | undefined {
    const own = this.#held.get(sender) ?? 0
    if (own + bytes > this.#mostOfOne || this.#all + bytes > this.#most) return undefined
    this.#held.set(sender, own + bytes)
    this.#all += bytes
    let left = false
    return () => {
      if (left) return
      left = true
      this.#all -= bytes
      const now = this.#held.get(sender)! - bytes
      if (now > 0) this.#held.set(sender, now)
      else this.#held.delete(sender)
    }
  }
}
