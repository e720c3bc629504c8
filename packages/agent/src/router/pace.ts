/** How fast a request body comes. Pure: time is given. */
export class Pace {
  private readonly leastBytes: number
  private readonly windowMs: number
  private since: number
  private bytes = 0

  /** `bytesPerSecond` 0 takes any pace. */
  constructor(bytesPerSecond: number, windowMs: number, now: number) {
    this.leastBytes = (bytesPerSecond * windowMs) / 1_000
    this.windowMs = windowMs
    this.since = now
  }

  took(bytes: number): void {
    this.bytes += bytes
  }

  /** Begins a new window: for the time before it the sender is not to blame, or has done its part. */
  restart(now: number): void {
    this.since = now
    this.bytes = 0
  }

  /** Whether a whole window has passed with less than it should have brought. */
  isTooSlow(now: number): boolean {
    if (now - this.since < this.windowMs) return false
    if (this.bytes < this.leastBytes) return true
    this.restart(now)
    return false
  }
}
