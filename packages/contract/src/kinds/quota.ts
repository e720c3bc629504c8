import Type from 'typebox'
import { Conditions } from './shared.ts'

const whole = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description }))

export const QuotaSpec = Type.Object(
  {
    apps: whole('Apps of the team.'),
    environments: whole('Environments of the team.'),
    instances: whole('Instances of all apps together, in all environments where they serve.'),
    cpu: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000, description: 'CPU cores that all instances together may use.' })),
    memoryMib: whole('MiB of memory that all instances together may use.'),
    buildsPerDay: whole('Builds of the last 24 hours.'),
  },
  { additionalProperties: false, description: 'How much a team may use; what is left out is not limited. It has the name of its team.' },
)
export type QuotaSpec = Type.Static<typeof QuotaSpec>
export const QuotaStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type QuotaStatus = Type.Static<typeof QuotaStatus>

/** What a team uses, by the names of its quota. */
export type QuotaUse = Required<QuotaSpec>

export interface TeamQuota {
  team: string
  /** What is left out is not limited. */
  limits: QuotaSpec
  used: QuotaUse
}
