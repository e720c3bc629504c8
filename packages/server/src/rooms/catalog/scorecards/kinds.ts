import { type RuleAction, ScorecardExemptionSpec, ScorecardExemptionStatus, ScorecardSpec, ScorecardStatus } from '@pavior/contract'
import { problemOf } from '../../../kernel/cel.ts'
import { defineKind } from '../../../kernel/kind.ts'

const longestExemptionMs = 366 * 24 * 3600_000

export const scorecard = defineKind<ScorecardSpec, ScorecardStatus>({
  kind: 'Scorecard',
  plural: 'scorecards',
  scope: 'Cluster',
  description: 'Rules that tell how ready apps are, by levels.',
  spec: ScorecardSpec,
  status: ScorecardStatus,
  nameForm: 'label',
  maxNameLength: 60,
  access: {},
  columns: [
    { name: 'Title', type: 'string', description: 'Name for people.', value: ({ spec }) => spec.title },
    { name: 'Rules', type: 'integer', description: 'How many rules it has.', value: ({ spec }) => spec.rules.length },
    { name: 'Levels', type: 'string', description: 'Levels, the lowest first.', value: ({ spec }) => (spec.levels ?? ['ready']).join(' < ') },
    { name: 'Campaign', type: 'string', description: 'Level to reach, and by when.', value: ({ spec }) => spec.campaign && `${spec.campaign.level} by ${spec.campaign.deadline.slice(0, 10)}` },
  ],
  validate: ({ spec }) => {
    const levels = spec.levels ?? ['ready']
    const names = spec.rules.map(({ name }) => name)
    const unknown = (level: string | undefined): boolean => level !== undefined && !levels.includes(level)
    return [
      ...spec.rules.flatMap(({ expression, level, name, action }, index) => {
        const problem = problemOf(expression)
        return [
          ...(problem === undefined ? [] : [{ field: `spec.rules[${index}].expression`, message: `is no CEL expression: ${problem}` }]),
          ...actionProblems(action, index),
          ...(unknown(level) ? [{ field: `spec.rules[${index}].level`, message: `must be one of: ${levels.join(', ')}` }] : []),
          ...(names.indexOf(name) < index ? [{ field: `spec.rules[${index}].name`, message: 'is the name of another rule too' }] : []),
        ]
      }),
      ...(new Set(levels).size < levels.length ? [{ field: 'spec.levels', message: 'must not name a level twice' }] : []),
      ...(unknown(spec.campaign?.level) ? [{ field: 'spec.campaign.level', message: `must be one of: ${levels.join(', ')}` }] : []),
    ]
  },
})

function actionProblems(action: RuleAction | undefined, index: number): { field: string; message: string }[] {
  if (action?.type === 'scale' && action.replicas === undefined) return [{ field: `spec.rules[${index}].action.replicas`, message: 'is needed to scale' }]
  if (action?.type === 'propose' && action.change === undefined) return [{ field: `spec.rules[${index}].action.change`, message: 'is needed to propose' }]
  return []
}

export const scorecardExemption = defineKind<ScorecardExemptionSpec, ScorecardExemptionStatus>({
  kind: 'ScorecardExemption',
  plural: 'scorecardexemptions',
  scope: 'Namespaced',
  description: 'An app need not keep a rule until a day, and somebody answers for it.',
  spec: ScorecardExemptionSpec,
  status: ScorecardExemptionStatus,
  indexes: ['spec.app'],
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  columns: [
    { name: 'App', type: 'string', description: 'App that it is for.', value: ({ spec }) => spec.app },
    { name: 'Rule', type: 'string', description: 'Rule that is not asked for.', value: ({ spec }) => `${spec.scorecard}/${spec.rule}` },
    { name: 'Owner', type: 'string', description: 'Who answers for it.', value: ({ spec }) => spec.owner },
    { name: 'Expires', type: 'date', description: 'From when on the rule is asked for again.', value: ({ spec }) => spec.expiresAt },
    { name: 'Reason', type: 'string', description: 'Why.', priority: 1, value: ({ spec }) => spec.reason },
  ],
  validate: ({ spec, metadata }) => {
    const begin = Date.parse(metadata.creationTimestamp)
    return Date.parse(spec.expiresAt) - begin > longestExemptionMs ? [{ field: 'spec.expiresAt', message: 'may be a year away at most' }] : []
  },
})
