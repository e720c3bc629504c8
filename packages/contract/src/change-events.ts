/** A change that somebody else made and told of, as the API gives it. */
export interface ChangeEvent {
  id: string
  source: string
  /** Of the event, in reverse-DNS form: com.example.flag.changed */
  type: string
  /** ISO 8601. */
  at: string
  team: string
  app: string
  environment: string
  subject?: string
  /** What changed, in a line. */
  text: string
  /** What came with it; left out when it was too large. */
  data?: unknown
}
