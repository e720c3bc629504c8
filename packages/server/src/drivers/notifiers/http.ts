/** One request to the other side, with failures in the words of deliveries. */
import { addressProblem, refusalIn } from '../../kernel/outward.ts'
import { undelivered } from '../../rooms/reliability/notify/ports.ts'
import { exchange, retryAfterOf, saidIn, type Sent } from '../outward/exchange.ts'

const longestAnswerBytes = 4096
/** Statuses that say: later. Every other one of 4xx says never. */
const temporary = new Set([408, 409, 423, 425, 429])

export interface Answer {
  status: number
  text: string
}

/** Throws NOTIFICATION_FAILED for an address that is refused, for redirections and for every status but 2xx. */
export async function send(sent: Sent, signal: AbortSignal, secrets: readonly string[] = []): Promise<Answer> {
  const problem = addressProblem(sent.url)
  if (problem !== undefined) throw refusal(problem)
  const { status, headers, body } = await exchange(sent, signal, longestAnswerBytes).catch((error: unknown) => {
    const reason = refusalIn(error)
    throw reason === undefined ? error : refusal(reason)
  })
  if (status >= 200 && status < 300) return { status, text: body.toString('utf8') }
  const said = saidIn(body, secrets)
  const retryAfterMs = retryAfterOf(headers['retry-after'])
  throw undelivered(`It answered ${status}${said === '' ? '' : `: ${said}`}.`, { final: status >= 300 && status < 500 && !temporary.has(status), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}

function refusal(problem: string): Error {
  return undelivered(`The address ${problem}.`, { final: true })
}
