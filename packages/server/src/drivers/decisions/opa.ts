/** Asks Open Policy Agent for a decision: https://www.openpolicyagent.org/docs/latest/rest-api/#get-a-document-with-input. */
import type { DecisionPoint } from '../../rooms/policy/ports.ts'

const usualTimeoutMs = 500
const largestAnswer = 256 * 1024

export const openPolicyAgent: DecisionPoint = {
  ask: async ({ url, path, timeoutMs = usualTimeoutMs }, input) => {
    const response = await fetch(`${url.replace(/\/+$/, '')}/v1/data/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ input }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: Error) => {
      throw new Error(error.name === 'TimeoutError' ? `Open Policy Agent did not answer within ${timeoutMs} ms.` : `Open Policy Agent at ${url} cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}.`)
    })
    if (!response.ok) throw new Error(`Open Policy Agent answered ${response.status}.`)
    const text = await readWithin(response)
    const { result } = JSON.parse(text) as { result?: unknown }
    // An undefined decision is an answer without a result.
    if (result === undefined) throw new Error(`Open Policy Agent knows no decision ${path}.`)
    return result
  },
}

async function readWithin(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > largestAnswer) throw new Error(`Open Policy Agent answered more than ${largestAnswer / 1024} KiB.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
