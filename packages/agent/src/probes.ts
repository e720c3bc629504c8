/** Asks addresses every so often and counts each answer as a request, so that what cannot speak for itself is measured too. */
import { isDeepStrictEqual } from 'node:util'
import { trafficIntervalMs, type DesiredProbe, type RequestRecord } from '@pavior/contract'
import { RequestCounter } from './router/records.ts'
import { askOnce, brokenStatus, silentStatus, type Answer } from './synthetic.ts'

const wrongStatus = 500

export interface ProberOptions {
  /** Takes what one probe gave. */
  record: (record: RequestRecord) => void
  /** 0 … 1: probes that begin together do not all ask at the same moment. */
  random: () => number
}

export class Prober {
  readonly #options: ProberOptions
  readonly #running: { probe: DesiredProbe; stop: () => void }[] = []

  constructor(options: ProberOptions) {
    this.#options = options
  }

  /** From now on these. One that was asked already goes on as it was. */
  ask(probes: readonly DesiredProbe[] = []): void {
    const gone = this.#running.filter(({ probe }) => !probes.some((one) => isDeepStrictEqual(one, probe)))
    for (const one of gone) {
      one.stop()
      this.#running.splice(this.#running.indexOf(one), 1)
    }
    for (const probe of probes) if (!this.#running.some((one) => isDeepStrictEqual(one.probe, probe))) this.#running.push({ probe, stop: this.#start(probe) })
  }

  close(): void {
    this.ask([])
  }

  #start(probe: DesiredProbe): () => void {
    let stopped = false
    let timer: NodeJS.Timeout
    const once = async (): Promise<void> => {
      const began = Date.now()
      const answer = await askOnce(probe.url, probe.timeoutMs)
      if (stopped) return
      this.#options.record(recordOf(probe, began, answer))
      wait(Math.max(0, probe.intervalMs - answer.durationMs))
    }
    const wait = (ms: number): void => {
      timer = setTimeout(() => void once(), ms).unref()
    }
    wait(probe.intervalMs * this.#options.random())
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }
}

/** As the router counts: what it answers itself, because nobody else did, is an error of the router. */
function recordOf({ team, app, environment, expects }: DesiredProbe, beganMs: number, { status: given, durationMs, bytes }: Answer): RequestRecord {
  const status = given === expects || given >= wrongStatus ? given : wrongStatus
  const counter = new RequestCounter({ team, app, environment, release: 0, instance: '' }, [])
  counter.add(status, durationMs, 0, bytes, status === brokenStatus || status === silentStatus)
  return { sequence: 0, from: new Date(Math.floor(beganMs / trafficIntervalMs) * trafficIntervalMs).toISOString(), intervalMs: trafficIntervalMs, ...counter.take() }
}
