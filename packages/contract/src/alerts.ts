/** What the API tells of alerts beyond their resources. */

export const notificationStates = ['Queued', 'Sending', 'Delivered', 'Failed', 'HandedOver'] as const
export type NotificationState = (typeof notificationStates)[number]

/** One line of the delivery log. */
export interface NotificationRow {
  id: string
  team: string
  /** Name of the alert; absent for a test, and for what is said in an incident. */
  alert?: string
  kind: 'Fired' | 'Flapping' | 'Acknowledged' | 'Resolved' | 'Test' | 'Incident'
  /** Level of the escalation that it belongs to, from 1; 0 for what is told to all who were told before. */
  level: number
  round: number
  /** `user:ada` or `channel:ops`. */
  recipient: string
  /** NotificationChannel that carries it. */
  channel: string
  /** HandedOver: the fallback of the channel took over. */
  state: NotificationState
  attempts: number
  createdAt: string
  /** Of the next attempt. */
  nextAt?: string
  deliveredAt?: string
  /** What the other side answered last. */
  answer?: string
}

/** How a rule did in a time. */
export interface RuleNoise {
  source: string
  alerts: number
  pages: number
  actedUpon: number
  noise: number
  /** Pages between 22:00 and 06:00 UTC. */
  atNight: number
  /** Share of those with a verdict that somebody acted upon; absent without any. */
  precision?: number
}

export interface NoiseReport {
  from: string
  until: string
  /** Worst first. */
  rules: RuleNoise[]
}
