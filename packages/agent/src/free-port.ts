/** Ports for instances, on 127.0.0.1 only. */
import { createServer } from 'node:net'
import { fail } from '@pavior/contract'

const attemptsMax = 200

/**
 * A port that nobody listens on now and that is not in `taken`. Chosen at random, so that two agents on one machine
 * hardly meet; if they do, the instance that comes second exits and gets another one.
 */
export async function findFreePort(
  range: { portMin: number; portMax: number },
  taken: ReadonlySet<number>,
  random: () => number,
): Promise<number> {
  const count = range.portMax - range.portMin + 1
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = range.portMin + Math.floor(random() * count)
    if (!taken.has(port) && (await isFree(port))) return port
  }
  throw fail('START_FAILED', {
    message: `No free port was found between ${range.portMin} and ${range.portMax}.`,
    fix: 'Stop what holds them, or run fewer instances on this machine.',
  })
}

/** Binding every address fails when any of them is taken. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
