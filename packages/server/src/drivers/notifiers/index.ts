/** Every way to reach people and other systems. */
import type { Messengers, Notifiers } from '../../rooms/reliability/notify/ports.ts'

export const notifiers: Notifiers = {
  email: async () => (await import('./email.ts')).email,
  slack: async () => (await import('./slack.ts')).slack,
  teams: async () => (await import('./teams.ts')).teams,
  pagerduty: async () => (await import('./pagerduty.ts')).pagerduty,
  webhook: async () => (await import('./webhook.ts')).webhook,
  servicenow: async () => (await import('./servicenow.ts')).servicenow,
}

/** Loaded with the first letter or call. */
export const messengers: Messengers = {
  mail: async (...given) => (await import('./email.ts')).mailLetter(...given),
  post: async (...given) => (await import('./http.ts')).send(...given),
}
