/** What everybody gets for free, as series: what the router counted for each instance, and what the instance used. Pure. */
import { durationBucketsMs, type RequestRecord } from '@pavior/contract'
import type { RunningInstance } from '../ports.ts'
import { staleInput } from './encoding.ts'
import type { Incoming } from './ingest.ts'
import { labelsOf, type OwnLabels } from './names.ts'
import { boundText } from './otlp.ts'
import type { MetricMetadata } from './series.ts'
import type { Labels } from './store.ts'

/** One counter and by how much it rose. */
export interface Increase {
  labels: Labels
  value: number
}

const bounds = [...durationBucketsMs.map((ms) => boundText(ms / 1000)), '+Inf']
/** Always there, so that the share of any can be asked for; 1xx never ends a request. */
const codes = ['2xx', '3xx', '4xx', '5xx']

export const goldenMetadata = new Map<string, MetricMetadata>([
  ['pavior_http_requests_total', { type: 'counter', help: 'Requests that the router answered for an instance, by class of the answer.', unit: '' }],
  ['pavior_http_router_errors_total', { type: 'counter', help: 'Answers 502, 503 and 504 that the router gave itself, because the instance gave none.', unit: '' }],
  ['pavior_http_request_duration_seconds', { type: 'histogram', help: 'Time until the answer was complete.', unit: 'seconds' }],
  ['pavior_http_received_bytes_total', { type: 'counter', help: 'Bytes of requests.', unit: 'bytes' }],
  ['pavior_http_sent_bytes_total', { type: 'counter', help: 'Bytes of answers.', unit: 'bytes' }],
  ['pavior_instance_cpu_seconds_total', { type: 'counter', help: 'CPU time of an instance since it started.', unit: 'seconds' }],
  ['pavior_instance_memory_bytes', { type: 'gauge', help: 'Memory of an instance.', unit: 'bytes' }],
  ['pavior_instance_restarts_total', { type: 'counter', help: 'Starts of an instance after the first.', unit: '' }],
  ['pavior_instance_oom_kills_total', { type: 'counter', help: 'Ends of an instance because it reached its memory limit.', unit: '' }],
  ['pavior_instance_healthy', { type: 'gauge', help: '1 while an instance is healthy, otherwise 0.', unit: '' }],
])

type Of = Pick<RequestRecord, 'team' | 'app' | 'environment' | 'release' | 'instance'>

function ownOf({ team, app, environment, release, instance }: Of): OwnLabels {
  return { team, app, environment, release: String(release), instance }
}

/** By how much each counter of an instance rose in one interval of the router. */
export function increasesOf(record: Of & Pick<RequestRecord, 'statusClasses' | 'routerErrors' | 'durationBuckets' | 'durationSumMs' | 'bytesIn' | 'bytesOut'>): Increase[] {
  const own = ownOf(record)
  const one = (name: string, value: number, more: [string, string][] = []): Increase => ({ labels: labelsOf(name, more, own), value })
  let below = 0
  const buckets = bounds.map((le, index) => one('pavior_http_request_duration_seconds_bucket', (below += record.durationBuckets[index] ?? 0), [['le', le]]))
  return [
    ...codes.map((code, index) => one('pavior_http_requests_total', record.statusClasses[index + 1] ?? 0, [['code', code]])),
    one('pavior_http_router_errors_total', record.routerErrors),
    ...buckets,
    one('pavior_http_request_duration_seconds_count', below),
    one('pavior_http_request_duration_seconds_sum', record.durationSumMs / 1000),
    one('pavior_http_received_bytes_total', record.bytesIn),
    one('pavior_http_sent_bytes_total', record.bytesOut),
  ]
}

/** The same counters of an instance that had no request: nothing is something else than not known. */
export function noIncreasesOf({ id, ...of }: RunningInstance): Increase[] {
  return increasesOf({ ...of, instance: id, statusClasses: [0, 0, 0, 0, 0], routerErrors: 0, durationBuckets: [], durationSumMs: 0, bytesIn: 0, bytesOut: 0 })
}

/** What an instance used until this moment. */
export function useOf(instance: RunningInstance, atMs: number): Incoming[] {
  const own = ownOf({ ...instance, instance: instance.id })
  const figures: [name: string, value: number | undefined][] = [
    ['pavior_instance_cpu_seconds_total', instance.cpuSeconds],
    ['pavior_instance_memory_bytes', instance.memoryBytes],
    ['pavior_instance_restarts_total', instance.restarts],
    ['pavior_instance_oom_kills_total', instance.outOfMemoryKills],
    ['pavior_instance_healthy', instance.healthy ? 1 : 0],
  ]
  return figures.flatMap(([name, value]) => (value === undefined ? [] : [{ labels: labelsOf(name, [['process', instance.process]], own), times: [atMs], values: [value] }]))
}

/** An instance that is gone uses nothing any more. */
export function endOf(instance: RunningInstance, atMs: number): Incoming[] {
  return useOf(instance, atMs).map((one) => ({ ...one, values: [staleInput] }))
}
