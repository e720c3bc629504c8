/** What fired and somebody is to look at. */
import Type from 'typebox'
import { Conditions, Timestamp } from './shared.ts'

export const alertSeverities = ['page', 'ticket'] as const

export const AlertSpec = Type.Object(
  {
    severity: Type.Enum([...alertSeverities], { description: 'page: somebody is woken. ticket: somebody looks in working hours.' }),
    summary: Type.String({ maxLength: 300, description: 'What is wrong, in a sentence.' }),
    source: Type.Object(
      {
        kind: Type.String({ description: 'AlertRule, Slo, or Platform for what Pavior watches by itself.' }),
        name: Type.String({ description: 'Name of it.' }),
      },
      { additionalProperties: false, description: 'What fired.' },
    ),
    app: Type.Optional(Type.String({ description: 'App that it is about.' })),
    environment: Type.Optional(Type.String({ description: 'Environment that it is about.' })),
    labels: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'What its members have in common.' })),
    runbook: Type.Optional(Type.String({ description: 'Name of a Runbook, or a URL.' })),
    escalationPolicy: Type.Optional(Type.String({ description: 'EscalationPolicy by which people are told.' })),
  },
  { additionalProperties: false, description: 'A condition that fired: everything of one cause together. Written by the platform.' },
)
export type AlertSpec = Type.Static<typeof AlertSpec>

export const AlertStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum(['Firing', 'Acknowledged', 'Resolved'], { description: 'Acknowledged: somebody has it in hand, and nobody else is told any more.' })),
    since: Type.Optional(Timestamp('When the first of its members fired.')),
    acknowledged: Type.Optional(Type.Object({ by: Type.String({ description: 'Who.' }), at: Timestamp('When.'), note: Type.Optional(Type.String({ description: 'What they said.' })) }, { additionalProperties: false, description: 'The first one who took it.' })),
    resolvedAt: Type.Optional(Timestamp('When the last of its members ended.')),
    members: Type.Optional(Type.Integer({ description: 'Conditions of this cause that fire now.' })),
    total: Type.Optional(Type.Integer({ description: 'Conditions of this cause that fired since it began.' })),
    examples: Type.Optional(
      Type.Array(
        Type.Object(
          {
            labels: Type.Record(Type.String(), Type.String()),
            value: Type.Optional(Type.Number({ description: 'Figure that the condition was about.' })),
            text: Type.Optional(Type.String({ description: 'What is so, in a sentence.' })),
            since: Timestamp('When it began.'),
          },
          { additionalProperties: false },
        ),
        { description: 'The first few members.' },
      ),
    ),
    affects: Type.Optional(Type.Array(Type.String(), { description: 'Apps that depend on it and have trouble themselves, as team/app.' })),
    quiet: Type.Optional(
      Type.Object(
        { because: Type.Enum(['Silenced', 'Maintenance', 'Inhibited', 'Deploying', 'Flapping'], { description: 'Why nobody is told.' }), by: Type.String({ description: 'What keeps it quiet.' }), until: Type.Optional(Timestamp('Until when.')) },
        { additionalProperties: false, description: 'Absent when people are told of it.' },
      ),
    ),
    escalation: Type.Optional(
      Type.Object(
        { level: Type.Integer({ description: 'Level that was told last, from 1.' }), round: Type.Integer({ description: 'Time that all levels are gone through, from 1.' }), nextAt: Type.Optional(Timestamp('When the next level is told, unless somebody acknowledges.')) },
        { additionalProperties: false },
      ),
    ),
    verdict: Type.Optional(Type.Enum(['ActedUpon', 'Noise'], { description: 'What came of it: a rule that mostly makes noise is a bad rule.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type AlertStatus = Type.Static<typeof AlertStatus>
