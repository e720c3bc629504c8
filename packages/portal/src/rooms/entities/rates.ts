/** Requests between apps in words. */
import type { CallRate } from '@pavior/contract'
import { percentText, shortNumber } from '../../pieces/number-text.ts'
import type { Tone } from '../../pieces/status.tsx'

/** Shares of errors from which on a person should look, and from which on it is broken. */
const worthALook = 0.01
const broken = 0.05

export function toneOf(errorShare: number): Tone {
  return errorShare >= broken ? 'bad' : errorShare >= worthALook ? 'warn' : 'good'
}

export function rateText({ requestsPerMinute, errorShare, atLeast }: CallRate): string {
  if (errorShare === null) return 'none'
  return `${atLeast ? '≥ ' : ''}${shortNumber(requestsPerMinute)}/min`
}

/** What stands at an edge of the graph. */
export function edgeText(rate: CallRate): string {
  return rate.errorShare === null ? rateText(rate) : `${rateText(rate)}, ${percentText(rate.errorShare, 1)} errors`
}
