/**
 * Whether a release on trial is good enough. It is judged on its own floor first, and beside the serving release only
 * where that one is healthy itself: a broken release must not stand in the way of its fix.
 *
 * A verdict needs either enough requests or certainty: with few of them the limit counts as broken only when the lower
 * end of the confidence interval (Wilson, one-sided 95 %) lies above it, so that one unlucky request of twenty is not a failure
 * and ten failed requests of ten are one at once.
 */
import type { Judgement, ResolvedStrategy } from '@pavior/contract'

import type { Measured } from './measure.ts'

type Limits = ResolvedStrategy['judge']

export interface Sample {
  requests: number
  /** Answers with 5xx. */
  errors: number
  p95Ms: number | null
  p99Ms: number | null
}

export interface Evidence {
  source: Judgement['evidence']
  canary: Sample
  stable: Sample | undefined
  /** Of the instances on trial, since they are. */
  restarts: number
  /** Of its memory limit, by the instance on trial that holds most; undefined while nobody has measured. */
  saturation?: number | undefined
  /** What the strategy asks for beside all this. */
  measured?: Measured[] | undefined
}

/** One-sided 95 %. */
const z = 1.645
/** A single failed request is never certainty. */
const fewestErrors = 3
/** Differences below this are noise, whatever their ratio. */
const noticeableMs = 50

export function judge({ source, canary, stable, restarts, saturation, measured = [] }: Evidence, limits: Limits): Judgement {
  const enough = canary.requests >= limits.minRequests
  const failures = [
    restartsOver(restarts, limits.restarts),
    fullerThan(saturation, limits.saturation),
    errorsOver(canary, limits),
    ...measured.map(beyondLimits),
    ...(enough ? [slowerThan('p95', canary.p95Ms, limits.p95Ms), slowerThan('p99', canary.p99Ms, limits.p99Ms), slowerThanStable(canary, stable, limits)] : []),
  ].filter((text) => text !== undefined)
  const said = { evidence: source, requests: canary.requests }
  if (failures.length > 0) return { verdict: 'failing', ...said, text: failures }
  const ratio = `error ratio ${percent(ratioOf(canary))} of ${count(canary.requests)}, limit ${percent(limits.errorRatio)}`
  if (!enough) return { verdict: 'waiting', ...said, text: [`${ratio}; a verdict needs ${count(limits.minRequests)}`] }
  // Above the limit, but by so few that chance explains it: more requests decide.
  if (ratioOf(canary) > limits.errorRatio) return { verdict: 'waiting', ...said, text: [`${ratio}; too few to be certain`] }
  const unknown = measured.filter(isUnknown)
  if (unknown.length > 0) return { verdict: 'waiting', ...said, text: [ratio, ...unknown.map(({ name, problem }) => problem ?? `${name} has no value yet`)] }
  return { verdict: 'passing', ...said, text: [ratio, ...latencyText(canary, stable), ...measured.map(measuredText), ...brokenStable(stable, limits)] }
}

/** When its time is over, a ratio above the limit fails without certainty, and what was not measured counts as the strategy says. */
export function judgeAtEnd(evidence: Evidence, limits: Limits): Judgement {
  const { canary, measured = [] } = evidence
  const unknown = measured.filter(isUnknown)
  const found = judge({ ...evidence, measured: measured.filter((one) => !isUnknown(one)) }, limits)
  const judgement: Judgement = { ...found, text: [...found.text, ...unknown.map(unknownText)] }
  if (judgement.verdict !== 'failing' && unknown.some(({ unmeasured }) => unmeasured === 'fail')) return { ...judgement, verdict: 'failing', text: unknown.filter(({ unmeasured }) => unmeasured === 'fail').map(unknownText) }
  if (judgement.verdict !== 'waiting' || canary.requests < limits.minRequests) return judgement
  return { ...judgement, verdict: 'failing', text: [`error ratio ${percent(ratioOf(canary))} of ${count(canary.requests)}, limit ${percent(limits.errorRatio)}`] }
}

function restartsOver(restarts: number, limit: number): string | undefined {
  return restarts > limit ? `${restarts} ${restarts === 1 ? 'restart' : 'restarts'} on trial, limit ${limit}` : undefined
}

function fullerThan(saturation: number | undefined, limit: number | undefined): string | undefined {
  return saturation !== undefined && limit !== undefined && saturation > limit ? `an instance on trial holds ${percent(saturation)} of its memory, limit ${percent(limit)}` : undefined
}

export function isUnknown({ value }: Measured): boolean {
  return value === undefined
}

function beyondLimits(one: Measured): string | undefined {
  const { value, max = Infinity, min = -Infinity } = one
  return value !== undefined && (value > max || value < min) ? measuredText(one) : undefined
}

function measuredText({ name, value, max, min }: Measured): string {
  const limits = [max === undefined ? [] : `limit ${figure(max)}`, min === undefined ? [] : `at least ${figure(min)}`].flat()
  return `${name} ${figure(value!)}, ${limits.join(', ')}`
}

function unknownText({ name, problem, unmeasured }: Measured): string {
  return `${name} was not measured${problem === undefined ? '' : ` (${problem.replace(/\.$/, '')})`}, which ${unmeasured === 'fail' ? 'fails the release here' : 'does not count here'}`
}

/** Four digits tell enough. */
function figure(value: number): string {
  return String(Number(value.toPrecision(4)))
}

function errorsOver(canary: Sample, { errorRatio }: Limits): string | undefined {
  if (canary.errors < fewestErrors || lowerBound(canary.errors, canary.requests) <= errorRatio) return undefined
  return `error ratio ${percent(ratioOf(canary))} of ${count(canary.requests)}, limit ${percent(errorRatio)}`
}

function slowerThan(name: string, measured: number | null, limit: number | undefined): string | undefined {
  return limit !== undefined && measured !== null && measured > limit ? `${name} ${ms(measured)}, limit ${ms(limit)}` : undefined
}

function slowerThanStable(canary: Sample, stable: Sample | undefined, limits: Limits): string | undefined {
  if (!stable || !isHealthy(stable, limits) || canary.p95Ms === null || stable.p95Ms === null) return undefined
  const slower = canary.p95Ms > stable.p95Ms * limits.slowerThanStable && canary.p95Ms - stable.p95Ms > noticeableMs
  return slower ? `p95 ${ms(canary.p95Ms)} beside ${ms(stable.p95Ms)} of the serving release, limit ${limits.slowerThanStable} ×` : undefined
}

/** Only such a release is a measure for another. */
function isHealthy(sample: Sample, { errorRatio, minRequests }: Limits): boolean {
  return sample.requests >= minRequests && ratioOf(sample) <= errorRatio
}

function latencyText({ p95Ms }: Sample, stable: Sample | undefined): string[] {
  if (p95Ms === null) return []
  return [`p95 ${ms(p95Ms)}${stable?.p95Ms === undefined || stable.p95Ms === null ? '' : ` beside ${ms(stable.p95Ms)}`}`]
}

function brokenStable(stable: Sample | undefined, { errorRatio }: Limits): string[] {
  return stable && lowerBound(stable.errors, stable.requests) > errorRatio ? [`the serving release fails ${percent(ratioOf(stable))} of its requests itself, so it is no measure`] : []
}

function ratioOf({ errors, requests }: Sample): number {
  return requests === 0 ? 0 : errors / requests
}

/** Lower end of the Wilson score interval of a share. */
function lowerBound(errors: number, requests: number): number {
  if (requests === 0) return 0
  const share = errors / requests
  const spread = z * Math.sqrt((share * (1 - share)) / requests + (z * z) / (4 * requests * requests))
  return (share + (z * z) / (2 * requests) - spread) / (1 + (z * z) / requests)
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(ratio > 0 && ratio < 0.001 ? 3 : 1))} %`
}

function count(requests: number): string {
  return `${requests} ${requests === 1 ? 'request' : 'requests'}`
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}
