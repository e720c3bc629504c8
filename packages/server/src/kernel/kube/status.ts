/** Errors as Kubernetes `Status` objects, with Pavior's own error object inside. */
import { apiGroup, fail, PaviorError, type Cause, type ErrorObject } from '@pavior/contract'

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, never>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: Cause[]
    retryAfterSeconds?: number
    pavior?: ErrorObject
  }
  code: number
}

/** What a coded error looks like to kubectl. `facts.kind`, `facts.name` and `facts.retryAfterSeconds` become details. */
export function failureStatus(error: PaviorError): Status {
  const { entry, details } = error
  const { kind, name, retryAfterSeconds } = (details.facts ?? {}) as { kind?: string; name?: string; retryAfterSeconds?: number }
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: details.message,
    reason: entry.reason,
    details: {
      ...(name ? { name } : {}),
      ...(kind ? { group: apiGroup, kind } : {}),
      ...(details.causes ? { causes: details.causes } : {}),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      pavior: error.toObject(),
    },
    code: entry.http,
  }
}

export function successStatus(details: NonNullable<Status['details']>): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 }
}

/** Faults of ours keep their cause to the log; the caller gets the request id to ask about. */
export function asPaviorError(error: unknown, requestId: string): PaviorError {
  if (error instanceof PaviorError) return error
  return fail('INTERNAL', { message: `Pavior itself failed at this request (${requestId}).`, facts: { requestId } }, { cause: error })
}
