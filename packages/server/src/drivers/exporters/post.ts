/** One request to the receiver, with failures in the words of exports. */
import { Agent } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { addressProblem, refusalIn } from '../../kernel/outward.ts'
import { unsent, type ExportTarget } from '../../rooms/telemetry/exports/ports.ts'
import { exchange, retryAfterOf, saidIn, type Answer } from '../outward/exchange.ts'

const mostAnswerBytes = 64 * 1024
const idleMs = 15_000
/** Of one export, each signal sends one request at a time. */
const keptConnections = 3
const plain = new Agent({ keepAlive: true, maxFreeSockets: keptConnections, timeout: idleMs })
const secure = new SecureAgent({ keepAlive: true, maxFreeSockets: keptConnections, timeout: idleMs })

/** What was sent will never be taken. Others of 4xx (sign-in, address) can be mended, so that what waits is not given up at once. */
const never = new Set([400, 422])
const tooLarge = 413

/** Throws EXPORT_FAILED for every status but 2xx. */
export async function post({ headers: own, secrets }: ExportTarget, url: string, headers: Record<string, string>, body: Buffer, signal: AbortSignal): Promise<Answer> {
  const problem = addressProblem(url)
  if (problem !== undefined) throw unsent(`The address ${problem}.`)
  const agent = url.startsWith('https:') ? secure : plain
  const answer = await exchange({ url, headers: { ...own, ...headers }, body, agent }, signal, mostAnswerBytes).catch((error: unknown) => {
    const reason = refusalIn(error)
    throw reason === undefined ? error : unsent(`The address ${reason}.`)
  })
  const { status } = answer
  if (status >= 200 && status < 300) return answer
  const said = saidIn(answer.body, secrets)
  const retryAfterMs = retryAfterOf(answer.headers['retry-after'])
  throw unsent(`It answered ${status}${said === '' ? '' : `: ${said}`}.`, { refused: never.has(status), large: status === tooLarge, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}
