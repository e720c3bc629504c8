/** Time comes in as an argument, so that plans can be tested at any hour. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }
