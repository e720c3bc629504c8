/** Mail by SMTP. A thread for each alert; the id of a message is the same however often it is sent. */
import { connect, type Socket } from 'node:net'
import { createTransport } from 'nodemailer'
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js'
import { hostProblem, outwardLookup, refusalIn } from '../../kernel/outward.ts'
import { undelivered, type Delivery, type Mailer, type Message, type Notifier, type Target } from '../../rooms/reliability/notify/ports.ts'
import { factsOf, plain, titleOf } from './text.ts'

const longestSubject = 160
const timeoutMs = 8000

export const email: Notifier = async ({ spec, secrets, mailTo }, message, signal) => {
  const { from, to = [] } = spec.email!
  const receivers = mailTo ?? to
  if (receivers.length === 0) throw undelivered('The channel names nobody in `to`, so only people on call get mail by it.', { final: true })
  return deliver({ spec, secrets }, mailOf(message, from, receivers), signal)
}

/** A letter to one address, by the server of a channel. */
export const mailLetter: Mailer = async (target, { id, to, subject, text, headers }, signal) => {
  const { from } = target.spec.email!
  return deliver(target, { from, to, subject: plain(subject, longestSubject), messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`, headers: { 'Auto-Submitted': 'auto-generated', ...headers }, text }, signal)
}

async function deliver({ spec, secrets }: Target, mail: Record<string, unknown>, signal: AbortSignal): Promise<Delivery> {
  const { host, port, security = 'starttls', user } = spec.email!
  const problem = hostProblem(host)
  if (problem !== undefined) throw refusal(problem)
  const options: SMTPTransport.Options & { host: string; port: number } = {
    host,
    port: port ?? (security === 'tls' ? 465 : 587),
    getSocket: (_options, done) => void connected(options, signal).then((connection) => done(null, { connection }), done),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === undefined ? {} : { auth: { user, pass: secrets.passwordSecret ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // What a message says comes from outside: nothing in it names a file or an address to read.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
  const transport = createTransport(options)
  const stop = (): void => transport.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await transport.sendMail(mail)
    return { answer: `${host} took it.` }
  } catch (error) {
    const reason = refusalIn(error)
    if (reason !== undefined) throw refusal(reason)
    throw told(error as { code?: string; responseCode?: number; response?: string }, Object.values(secrets))
  } finally {
    signal.removeEventListener('abort', stop)
    transport.close()
  }
}

function refusal(problem: string): Error {
  return undelivered(`The mail server ${problem}.`, { final: true })
}

/** By a connection of our own, because the library would resolve the name by itself. */
function connected({ host, port }: { host: string; port: number }, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, lookup: outwardLookup, signal })
    const late = (): unknown => socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
    socket.setTimeout(timeoutMs, late)
    socket.on('error', reject)
    socket.once('connect', () => {
      socket.setTimeout(0, late)
      resolve(socket)
    })
  })
}

function told({ code = 'the connection failed', responseCode, response = '' }: { code?: string; responseCode?: number; response?: string }, secrets: readonly string[]): Error {
  if (responseCode === undefined) return undelivered(`The mail server could not be used: ${code}.`)
  const said = secrets.filter((secret) => secret.length > 3).reduce((text, secret) => text.replaceAll(secret, '[redacted]'), plain(response, 200))
  // 5xx: the server will never take it. A password that is wrong may be mended.
  return undelivered(`The mail server answered ${said}.`, { final: responseCode >= 500 && code !== 'EAUTH' })
}

export function mailOf(message: Message, from: string, to: readonly string[]): Record<string, unknown> {
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const thread = `<${message.alert}@${domain}>`
  const first = message.kind === 'Fired' || message.kind === 'Flapping'
  return {
    from,
    to: [...to],
    subject: `[Pavior] ${plain(titleOf(message), longestSubject)}`,
    messageId: `<${message.id}@${domain}>`,
    references: thread,
    ...(first ? {} : { inReplyTo: thread }),
    // RFC 3834: out-of-office answers to this help nobody.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Pavior-Alert': plain(message.name, 100) },
    text: textOf(message),
    html: htmlOf(message),
  }
}

function textOf(message: Message): string {
  const { alert, acknowledge, resolve } = message.links
  return [
    plain(titleOf(message), 500), '',
    ...factsOf(message).map(([name, value]) => `${name}: ${plain(value, 500)}`), '',
    ...message.examples.map((example) => `- ${plain(example, 300)}`), '',
    `Open: ${alert}`,
    ...(acknowledge ? [`Acknowledge: ${acknowledge}`] : []),
    ...(resolve ? [`Resolve: ${resolve}`] : []), '',
  ].join('\n')
}

function htmlOf(message: Message): string {
  const { alert, acknowledge, resolve } = message.links
  const link = (text: string, url: string): string => `<a href="${escaped(url)}">${text}</a>`
  return [
    `<h2>${escaped(plain(titleOf(message), 500))}</h2>`,
    `<table>${factsOf(message).map(([name, value]) => `<tr><th align="left">${escaped(name)}</th><td>${escaped(plain(value, 500))}</td></tr>`).join('')}</table>`,
    `<ul>${message.examples.map((example) => `<li>${escaped(plain(example, 300))}</li>`).join('')}</ul>`,
    `<p>${[link('Open', alert), ...(acknowledge ? [link('Acknowledge', acknowledge)] : []), ...(resolve ? [link('Resolve', resolve)] : [])].join(' · ')}</p>`,
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}
