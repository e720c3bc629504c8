import { request, type Agent, type IncomingHttpHeaders } from 'node:http'

/** One request to a host on this machine; on a connection of its own unless an agent keeps some. */
export function httpGet(port: number, host: string, path = '/', agent?: Agent): Promise<{ status: number; body: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers: { host }, agent: agent ?? false }, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
