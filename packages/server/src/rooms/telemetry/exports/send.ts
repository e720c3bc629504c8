/** One request to the other side, within the time that it has. */
import { isPaviorError, type Resource, type TelemetryExportSpec, type TelemetryExportStatus } from '@pavior/contract'
import { deadline } from '../../../kernel/deadline.ts'
import { exportType } from './kinds.ts'
import { unsent, type ExportAnswer, type ExportBatch, type Exporters, type ExportTarget } from './ports.ts'
import { reachedBy, type OpenSecret } from './reach.ts'

export type TelemetryExport = Resource<TelemetryExportSpec, TelemetryExportStatus>

export const sendTimeoutMs = 10_000
/** So long a secret is used that was opened once: each opening is written down. */
const targetMs = 60_000
const rememberedTargets = 1000

export interface SendDeps {
  exporters: Exporters
  openSecret: OpenSecret
}

export interface Sender {
  /** Throws EXPORT_FAILED. `afresh`: with secrets as they are now. */
  send(to: TelemetryExport, batch: ExportBatch, stopped: AbortSignal, afresh?: boolean): Promise<ExportAnswer>
}

export function createSender({ exporters, openSecret }: SendDeps): Sender {
  const targets = new Map<string, { generation: number; openedAtMs: number; target: ExportTarget }>()

  const targetOf = async ({ metadata, spec }: TelemetryExport, afresh: boolean): Promise<ExportTarget> => {
    const before = targets.get(metadata.uid)
    if (!afresh && before && before.generation === metadata.generation && performance.now() - before.openedAtMs < targetMs) return before.target
    const { headers, secrets, missing } = await reachedBy(spec[exportType(spec)]!, { id: metadata.uid, name: `export ${metadata.name}`, team: metadata.namespace! }, openSecret)
    if (missing !== undefined) throw unsent(`The secret "${missing}" has no value.`)
    if (targets.size >= rememberedTargets) targets.clear()
    const target = { spec, headers, secrets }
    targets.set(metadata.uid, { generation: metadata.generation, openedAtMs: performance.now(), target })
    return target
  }

  return {
    send: async (to, batch, stopped, afresh = false) => {
      const { signal, clear } = deadline(sendTimeoutMs, stopped)
      try {
        const target = await targetOf(to, afresh)
        return await (await exporters[exportType(to.spec)]!())(target, batch, signal)
      } catch (error) {
        if (isPaviorError(error) && error.code === 'EXPORT_FAILED') {
          targets.delete(to.metadata.uid)
          throw error
        }
        // Other errors name addresses, and some of them secrets.
        throw unsent(isPaviorError(error) ? error.details.message : signal.aborted ? `It did not answer within ${sendTimeoutMs / 1000} s.` : `It could not be reached: ${reasonOf(error)}.`)
      } finally {
        clear()
      }
    },
  }
}

function reasonOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
  return String(cause?.code ?? code ?? 'the connection failed')
}
