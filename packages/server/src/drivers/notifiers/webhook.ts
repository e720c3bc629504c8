/** JSON by POST, signed: `Pavior-Signature: t=<seconds>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`. */
import { createHmac } from 'node:crypto'
import type { Notifier } from '../../rooms/reliability/notify/ports.ts'
import { send } from './http.ts'

export const webhook: Notifier = async ({ spec, secrets }, message, signal) => {
  const body = JSON.stringify({ version: 1, ...message })
  const { signingSecret } = secrets
  const at = Math.floor(Date.now() / 1000)
  const signature: Record<string, string> = signingSecret === undefined ? {} : { 'pavior-signature': `t=${at},v1=${createHmac('sha256', signingSecret).update(`${at}.${body}`).digest('hex')}` }
  const { status } = await send({ url: spec.webhook!.url, body, headers: { 'pavior-delivery': message.id, 'idempotency-key': message.id, ...signature } }, signal, Object.values(secrets))
  return { answer: `It answered ${status}.` }
}
