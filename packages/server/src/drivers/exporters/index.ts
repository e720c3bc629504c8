/** Every way to send telemetry on. */
import type { Exporters } from '../../rooms/telemetry/exports/ports.ts'

export const exporters: Exporters = {
  otlp: async () => (await import('./otlp.ts')).otlp,
  prometheus: async () => (await import('./prometheus.ts')).prometheus,
  loki: async () => (await import('./loki.ts')).loki,
}
