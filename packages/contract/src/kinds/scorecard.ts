import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

const name = (description: string) => Type.String({ pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 60, description })

/** What the platform can do about a rule that is broken. */
export const RuleAction = Type.Object(
  {
    type: Type.Enum(['scale', 'upgrade', 'propose'], { description: 'scale: more instances; upgrade: the offered version of its template, as a branch; propose: a change of its source, as a branch.' }),
    process: Type.Optional(dnsLabel(30, 'Process to scale. Default: web.')),
    replicas: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Instances to scale to.' })),
    change: Type.Optional(Type.Enum(['readme', 'docs', 'catalog-info', 'description', 'health'], { description: 'What to propose: a README or docs/index.md to begin with, catalog-info.yaml as the catalogue knows it, a description or a health path in pavior.yaml.' })),
  },
  { additionalProperties: false },
)
export type RuleAction = Type.Static<typeof RuleAction>

export const ScorecardRule = Type.Object(
  {
    name: name('Name of the rule, unique in the scorecard.'),
    title: Type.String({ maxLength: 120, description: 'What is asked for, in a few words: Has a health check.' }),
    level: Type.Optional(name('Level that this rule belongs to. Default: the first.')),
    expression: Type.String({ minLength: 1, maxLength: 2000, description: 'CEL over the facts of an app, true when the rule is kept; `pavior scorecard facts <app>` prints them.' }),
    message: Type.Optional(Type.String({ maxLength: 500, description: 'Why it is asked for.' })),
    fix: Type.Optional(Type.String({ maxLength: 1000, description: 'What to do when it is not kept.' })),
    docs: Type.Optional(Type.String({ maxLength: 500, description: 'Where to read on.' })),
    action: Type.Optional(RuleAction),
    weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Share in the score. Default: 1.' })),
  },
  { additionalProperties: false },
)
export type ScorecardRule = Type.Static<typeof ScorecardRule>

export const ScorecardSpec = Type.Object(
  {
    title: Type.String({ maxLength: 120, description: 'Name for people.' }),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it measures and why.' })),
    levels: Type.Optional(Type.Array(name('Name of a level.'), { minItems: 1, maxItems: 10, description: 'Levels of maturity, the lowest first. An app has a level when it keeps every rule of it and of those below. Default: one level, ready.' })),
    rules: Type.Array(ScorecardRule, { minItems: 1, maxItems: 100, description: 'What is asked for.' }),
    teams: Type.Optional(Type.Array(dnsLabel(30, 'Name of a Team.'), { maxItems: 500, description: 'Teams whose apps it measures. Default: all.' })),
    labels: Type.Optional(Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 63 }), { description: 'Labels that an app must have to be measured. Default: none.' })),
    campaign: Type.Optional(
      Type.Object(
        {
          level: name('Level that every app should have reached.'),
          deadline: Timestamp('By when.'),
          note: Type.Optional(Type.String({ maxLength: 1000, description: 'Why now, and who helps.' })),
        },
        { additionalProperties: false, description: 'A push with a date.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'Rules that tell how ready apps are, by levels.' },
)
export type ScorecardSpec = Type.Static<typeof ScorecardSpec>
export const ScorecardStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type ScorecardStatus = Type.Static<typeof ScorecardStatus>

export const ScorecardExemptionSpec = Type.Object(
  {
    scorecard: name('Name of the Scorecard.'),
    rule: name('Name of the rule that is not asked for.'),
    app: dnsLabel(40, 'Name of the App.'),
    owner: dnsLabel(40, 'User who answers for it.'),
    reason: Type.String({ minLength: 10, maxLength: 1000, description: 'Why the rule does not fit, in a sentence or two.' }),
    expiresAt: Timestamp('From when on the rule is asked for again; a year away at most.'),
  },
  { additionalProperties: false, description: 'An app need not keep a rule until a day, and somebody answers for it.' },
)
export type ScorecardExemptionSpec = Type.Static<typeof ScorecardExemptionSpec>
export const ScorecardExemptionStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type ScorecardExemptionStatus = Type.Static<typeof ScorecardExemptionStatus>
