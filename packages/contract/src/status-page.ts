/** Who is told of the updates of a status page, as the API gives it to its editors. */
export interface StatusSubscriber {
  id: string
  kind: 'mail' | 'webhook'
  address: string
  state: 'Pending' | 'Active'
  since: string
  /** Messages that arrived. */
  delivered: number
  /** Messages that could not be delivered. */
  failed: number
  /** What the other side answered last when it did not take a message. */
  answer?: string
}
