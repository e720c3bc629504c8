/** Who answers when something breaks. */
import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

const TimeOfDay = (description: string) => Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description })
const Day = (description: string) => Type.String({ pattern: '^20[0-9]{2}-[01][0-9]-[0-3][0-9]$', description })
const User = (description: string) => Type.String({ minLength: 1, maxLength: 63, description })

export const OnCallLayer = Type.Object(
  {
    name: dnsLabel(40, 'Name of the layer.'),
    users: Type.Array(User('Name of a User.'), { minItems: 1, maxItems: 50, description: 'In the order in which they take turns.' }),
    start: Day('Day of the first turn, for example 2026-01-05.'),
    every: Type.Optional(Type.Enum(['day', 'week'], { description: 'Length of a turn. Default: week.' })),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 8, description: 'So many days or weeks a turn. Default: 1.' })),
    handoff: Type.Optional(TimeOfDay('Local time at which a turn ends and the next begins. Default: 09:00.')),
    within: Type.Optional(
      Type.Object(
        {
          days: Type.Optional(Type.Array(Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), { minItems: 1, maxItems: 7, description: 'Days on which it begins. Default: all.' })),
          from: TimeOfDay('Local time at which it begins.'),
          to: TimeOfDay('Local time at which it ends; at or before `from` it is on the next day.'),
        },
        { additionalProperties: false, description: 'Hours in which the layer holds. Default: always.' },
      ),
    ),
    holidays: Type.Optional(Type.Enum(['also', 'only', 'never'], { description: 'Whether it holds on the holidays of the schedule. Default: also.' })),
  },
  { additionalProperties: false },
)
export type OnCallLayer = Type.Static<typeof OnCallLayer>

export const OnCallOverride = Type.Object(
  {
    user: User('Who takes it.'),
    from: Timestamp('From when.'),
    until: Timestamp('Until when.'),
    reason: Type.Optional(Type.String({ maxLength: 200, description: 'Why.' })),
  },
  { additionalProperties: false },
)
export type OnCallOverride = Type.Static<typeof OnCallOverride>

export const OnCallScheduleSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 500, description: 'What they answer for.' })),
    timeZone: Type.String({ maxLength: 64, description: 'IANA time zone of all local times, for example Europe/Berlin.' }),
    layers: Type.Array(OnCallLayer, { minItems: 1, maxItems: 10, description: 'A later layer stands in for earlier ones where it holds.' }),
    holidays: Type.Optional(Type.Array(Day('A day that is none of work.'), { maxItems: 400, description: 'Days on which layers hold or do not.' })),
    overrides: Type.Optional(Type.Array(OnCallOverride, { maxItems: 500, description: 'Somebody stands in for whoever would be on call; the last one that covers a moment decides.' })),
  },
  { additionalProperties: false, description: 'Who is on call when, by layers of turns.' },
)
export type OnCallScheduleSpec = Type.Static<typeof OnCallScheduleSpec>

export const OnCallShift = Type.Object(
  {
    user: Type.String({ description: 'Who.' }),
    from: Timestamp('From when.'),
    until: Timestamp('Until when.'),
    layer: Type.Optional(Type.String({ description: 'Layer that says so; absent for an override.' })),
  },
  { additionalProperties: false },
)
export type OnCallShift = Type.Static<typeof OnCallShift>

export const OnCallScheduleStatus = Type.Object(
  {
    now: Type.Optional(OnCallShift),
    next: Type.Optional(OnCallShift),
    gaps: Type.Optional(Type.Array(Type.Object({ from: Timestamp('From when.'), until: Timestamp('Until when.') }, { additionalProperties: false }), { description: 'Times of the next 28 days in which nobody is on call; the first ten.' })),
    unknownUsers: Type.Optional(Type.Array(Type.String(), { description: 'Names that no active User has.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation that this status describes.' })),
  },
  { additionalProperties: false },
)
export type OnCallScheduleStatus = Type.Static<typeof OnCallScheduleStatus>
