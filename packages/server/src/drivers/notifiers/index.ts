/** Every way to reach people and other systems. */
import type { Notifiers } from '../../rooms/reliability/notify/ports.ts'

export const notifiers: Notifiers = {
  email: async () => (await import('./email.ts')).email,
  slack: async () => (await import('./slack.ts')).slack,
  teams: async () => (await import('./teams.ts')).teams,
  pagerduty: async () => (await import('./pagerduty.ts')).pagerduty,
  webhook: async () => (await import('./webhook.ts')).webhook,
  servicenow: async () => (await import('./servicenow.ts')).servicenow,
}
