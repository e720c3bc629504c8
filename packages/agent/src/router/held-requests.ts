/** Requests that wait for a set that is asleep. Whoever comes first asks for it to be woken; all go on together. */
export class HeldRequests {
  private readonly ask: (set: string) => void
  private readonly waiting = new Map<string, (() => void)[]>()

  constructor(ask: (set: string) => void) {
    this.ask = ask
  }

  hold(set: string, goOn: () => void): void {
    const others = this.waiting.get(set)
    if (others) others.push(goOn)
    else {
      this.waiting.set(set, [goOn])
      this.ask(set)
    }
  }

  /** Those whose set is not asleep any more go on. */
  release(isAsleep: (set: string) => boolean): void {
    for (const [set, all] of this.waiting) {
      if (isAsleep(set)) continue
      this.waiting.delete(set)
      for (const goOn of all) goOn()
    }
  }
}
