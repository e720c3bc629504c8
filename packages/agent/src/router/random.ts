import { randomFillSync } from 'node:crypto'

const poolBytes = 4_096

/** Makes a source of random hexadecimal digits that asks the system for many at once. */
export function createRandomHex(): (digits: number) => string {
  const bytes = Buffer.alloc(poolBytes)
  let pool = ''
  let used = 0
  return (digits) => {
    if (used + digits > pool.length) {
      pool = randomFillSync(bytes).toString('hex')
      used = 0
    }
    used += digits
    return pool.slice(used - digits, used)
  }
}
