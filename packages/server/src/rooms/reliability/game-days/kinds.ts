import { isDeepStrictEqual } from 'node:util'
import { GameDaySpec, GameDayStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { causesOf, isOver, stateOf } from './plan.ts'

export const gameDay = defineKind<GameDaySpec, GameDayStatus>({
  kind: 'GameDay',
  plural: 'gamedays',
  scope: 'Namespaced',
  description: 'An exercise that is done once: a hypothesis, the faults that put it to the test, when to stop, and what came of it.',
  spec: GameDaySpec,
  status: GameDayStatus,
  nameForm: 'label',
  maxNameLength: 63,
  indexes: ['spec.app', 'spec.environment', 'status.state'],
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: (next, previous) => [...causesOf(next.spec), ...changesOf(next.spec, previous)],
  columns: [
    { name: 'State', type: 'string', description: 'How far it is.', value: ({ status }) => status?.state ?? 'Planned' },
    { name: 'App', type: 'string', description: 'App that is put to the test.', value: ({ spec }) => spec.app },
    { name: 'Environment', type: 'string', description: 'Where.', value: ({ spec }) => spec.environment },
    { name: 'Verdict', type: 'string', description: 'Whether the hypothesis held.', value: ({ spec }) => spec.verdict?.result },
    { name: 'Started', type: 'date', description: 'When it began.', value: ({ status }) => status?.startedAt },
    { name: 'Hypothesis', type: 'string', description: 'What is believed.', priority: 1, value: ({ spec }) => spec.hypothesis },
  ],
})

/** What was begun stays what it was; people judge it when it is over. */
function changesOf({ verdict, ...plan }: GameDaySpec, previous: { spec: GameDaySpec; status?: GameDayStatus } | undefined): Cause[] {
  const state = stateOf(previous?.status)
  if (state !== 'Planned' && previous) {
    const { verdict: _, ...before } = previous.spec
    if (!isDeepStrictEqual(plan, before)) return [{ field: 'spec', message: 'It has begun, so only its verdict may change.' }]
  }
  return verdict && !isOver(state) ? [{ field: 'spec.verdict', message: 'It is judged when it is over.' }] : []
}
