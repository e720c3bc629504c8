/** Sign-in through the portal: in a browser on this machine, or with a code on another. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { hostname } from 'node:os'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '@pavior/contract'
import { Api } from './api.ts'
import type { Output } from './output.ts'

const waitMs = 10 * 60_000

interface Issued {
  token: string
}

const page = (text: string): string => `<!doctype html><meta charset="utf-8"><title>Pavior</title><p style="font: 16px system-ui; margin: 3rem">${text}</p>\n`

/** Listens on the loopback for the code that the portal sends the browser back with; PKCE makes the code useless to others. */
export async function loginInBrowser(url: string, out: Output, open: (address: string) => void): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const redirect = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const address = `${url}/authorize?${new URLSearchParams({ redirect_uri: redirect, code_challenge: challenge, state, machine: hostname() }).toString()}`
    out.progress(`Sign in with your browser: ${address}`)
    open(address)
    const code = await codeFrom(server, state, url)
    return (await new Api({ url, token: '', team: '' }).json<Issued>({ method: 'POST', path: '/v1/cli/token', body: { code, verifier } })).token
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function codeFrom(server: Server, state: string, portal: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(fail('UNAUTHENTICATED', { message: 'Nobody signed in within ten minutes.', fix: 'Run pavior login again.' })), waitMs)
    server.on('request', (request, response) => {
      const asked = new URL(request.url ?? '/', 'http://127.0.0.1')
      const ours = asked.pathname === '/callback' && asked.searchParams.get('state') === state
      response.writeHead(ours ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', connection: 'close', 'referrer-policy': 'no-referrer' })
      response.end(page(ours ? `The command line is signed in to ${portal.replaceAll(/[&<>"]/g, '')}. You can close this page.` : 'There is nothing here.'), () => {
        if (!ours) return
        clearTimeout(timer)
        const code = asked.searchParams.get('code')
        if (code) resolve(code)
        else reject(fail('FORBIDDEN', { message: 'The sign-in was refused in the browser.', fix: 'Run pavior login again.' }))
      })
    })
  })
}

interface Device {
  deviceCode: string
  userCode: string
  verificationUri: string
  expiresInSeconds: number
  intervalSeconds: number
}

/** For a machine without a browser: a person types the code into the portal on another. */
export async function loginWithCode(url: string, out: Output): Promise<string> {
  const api = new Api({ url, token: '', team: '' })
  const device = await api.json<Device>({ method: 'POST', path: '/v1/device', body: { machine: hostname().slice(0, 100) } })
  out.progress(`Open ${device.verificationUri} on any machine and enter the code ${device.userCode}`)
  const deadline = Date.now() + device.expiresInSeconds * 1000
  while (Date.now() < deadline) {
    await sleep(device.intervalSeconds * 1000)
    const answer = await api.json<Partial<Issued>>({ method: 'POST', path: '/v1/device/token', body: { deviceCode: device.deviceCode } })
    if (answer.token !== undefined) return answer.token
  }
  throw fail('UNAUTHENTICATED', { message: 'Nobody entered the code in time.', fix: 'Run pavior login again.' })
}
