/** How long instances take from their start until they are healthy. */
import { Histogram, type Registry } from 'prom-client'
import type { RuntimeDriver } from './ports.ts'

const secondsBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

export function measureStarts(driver: Pick<RuntimeDriver, 'onEvent'>, registry: Registry): void {
  const seconds = new Histogram({ name: 'pavior_instance_start_seconds', help: 'From when an instance was started until it was healthy.', buckets: secondsBuckets, registers: [registry] })
  /** When each was healthy first, as far as it was counted. */
  const counted = new Map<string, string>()
  driver.onEvent((event) => {
    // What was healthy before we looked was counted by whoever looked then.
    if (event.type === 'state') for (const { id, healthyAt } of event.state.instances) if (healthyAt !== undefined) counted.set(id, healthyAt)
    if (event.type === 'removed') counted.delete(event.id)
    if (event.type !== 'instance') return
    const { id, startedAt, healthyAt } = event.instance
    if (startedAt === undefined || healthyAt === undefined || counted.get(id) === healthyAt) return
    counted.set(id, healthyAt)
    seconds.observe(Math.max(0, Date.parse(healthyAt) - Date.parse(startedAt)) / 1000)
  })
}
