/** What room telemetry needs from whatever routes requests. */
import type { RequestRecords } from '@pavior/contract'

export interface TrafficSource {
  name: string
  /** Records above `after`; those up to it are given up. Throws AGENT_UNAVAILABLE. */
  requests(after: number): Promise<RequestRecords>
}
