/** One question to the HTTP API of HashiCorp Vault or OpenBao. */
export interface VaultCall {
  url: string
  token: string
  namespace?: string
  method: 'GET' | 'POST'
  /** Behind `/v1/`, its parts encoded. */
  path: string
  body?: unknown
  timeoutMs: number
  signal?: AbortSignal
}

export type VaultAnswer =
  | { type: 'answer'; status: number; body: { data?: Record<string, any>; errors?: string[] } }
  /** No answer that can be relied on; `why` never holds what was sent or received. */
  | { type: 'silence'; why: string }

const largestAnswerBytes = 1_048_576

export async function askVault({ url, token, namespace, method, path, body, timeoutMs, signal }: VaultCall): Promise<VaultAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': token, 'x-vault-request': 'true', ...(namespace ? { 'x-vault-namespace': namespace } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token is for the server that was named, not for where that one points.
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    const text = await readBounded(response)
    return { type: 'answer', status: response.status, body: parseObject(text) }
  } catch (error) {
    if (signal?.aborted) throw error
    return { type: 'silence', why: timeout.aborted ? `It did not answer within ${timeoutMs / 1000} s.` : reasonOf(error as Failure) }
  }
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > largestAnswerBytes) throw Object.assign(new Error(), { why: 'Its answer is larger than 1 MiB.' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parseObject(text: string): { data?: Record<string, any>; errors?: string[] } {
  if (text === '') return {}
  try {
    const parsed = JSON.parse(text) as unknown
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // Answered below: the parser's own words quote what was received.
  }
  throw Object.assign(new Error(), { why: 'Its answer is no JSON object.' })
}

interface Failure {
  why?: string
  cause?: { code?: string }
}

function reasonOf(error: Failure): string {
  return error.why ?? (error.cause?.code ? `The connection failed (${error.cause.code}).` : 'The connection failed.')
}
