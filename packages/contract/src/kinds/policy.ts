import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

const name = (description: string) => Type.String({ pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$', maxLength: 60, description })
const Tier = Type.Enum(['development', 'staging', 'production', 'preview'], { description: 'How careful an environment is.' })

export const PolicyRule = Type.Object(
  {
    name: name('Name of the rule, unique in the policy.'),
    expression: Type.String({ minLength: 1, maxLength: 2000, description: 'CEL over object, oldObject, request and facts; true when the rule is kept.' }),
    needs: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9.]*$', maxLength: 100 }), { maxItems: 10, description: 'Facts that it speaks of, for example build.sbom. While one is not known the rule is neither kept nor broken.' })),
    field: Type.Optional(Type.String({ maxLength: 200, description: 'Path that is shown with a denial, for example spec.processes.web.health.' })),
    message: Type.String({ minLength: 1, maxLength: 500, description: 'What is wrong; ${…} holds CEL.' }),
    fix: Type.Optional(Type.String({ maxLength: 1000, description: 'What to do.' })),
    docs: Type.Optional(Type.String({ maxLength: 500, description: 'Where to read on.' })),
  },
  { additionalProperties: false },
)
export type PolicyRule = Type.Static<typeof PolicyRule>

export const PolicySpec = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120, description: 'Name for people.' }),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'Why it is there.' })),
    match: Type.Object(
      {
        kinds: Type.Array(Type.String({ pattern: '^[A-Z][A-Za-z]{0,59}$' }), { minItems: 1, maxItems: 30, description: 'Kinds that it judges. A deploy is a Deployment.' }),
        teams: Type.Optional(Type.Array(dnsLabel(30, 'Name of a Team.'), { maxItems: 500, description: 'Default: all.' })),
        environments: Type.Optional(Type.Array(dnsLabel(20, 'Name of an Environment.'), { maxItems: 100, description: 'Default: all.' })),
        tiers: Type.Optional(Type.Array(Tier, { maxItems: 4, description: 'Default: all.' })),
        labels: Type.Optional(Type.Record(Type.String({ maxLength: 256 }), Type.String({ maxLength: 63 }), { description: 'Labels that the object must have. Default: none.' })),
        operations: Type.Optional(Type.Array(Type.Enum(['create', 'update', 'delete']), { maxItems: 3, description: 'Default: create and update.' })),
      },
      { additionalProperties: false, description: 'What it judges.' },
    ),
    points: Type.Array(Type.Enum(['admission', 'build', 'deploy', 'sweep']), { minItems: 1, maxItems: 4, description: 'When it judges: at every write, at the end of a build, at a deploy, and what lives already.' }),
    opa: Type.Optional(
      Type.Object(
        {
          url: Type.String({ pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$', maxLength: 300, description: 'Where Open Policy Agent answers, for example http://opa.internal:8181.' }),
          path: Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_/-]{0,199}$', description: 'Path of the decision below /v1/data/, for example pavior/deploy.' }),
          timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 5000, description: 'How long it may take, in ms. Default: 500.' })),
        },
        { additionalProperties: false, description: 'A decision of Open Policy Agent, asked before the rules: its result is facts.opa. When it does not answer, every rule fails as `failure` says.' },
      ),
    ),
    rules: Type.Array(PolicyRule, { minItems: 1, maxItems: 50, description: 'What is asked for.' }),
    severity: Type.Enum(['low', 'medium', 'high', 'critical'], { description: 'How bad it is to break it.' }),
    mode: Type.Enum(['enforce', 'warn', 'audit', 'off'], { description: 'enforce: refused · warn: said · audit: written down · off: not judged.' }),
    failure: Type.Enum(['closed', 'open'], { description: 'What a rule that fails or is too costly counts as: broken (closed) or kept (open).' }),
  },
  { additionalProperties: false, description: 'Rules as code, judged where things change and where they live.' },
)
export type PolicySpec = Type.Static<typeof PolicySpec>

export const PolicyStatus = Type.Object(
  {
    errors: Type.Optional(Type.Array(Type.Object({ rule: Type.String(), message: Type.String(), at: Timestamp('When it failed last.') }, { additionalProperties: false }), { maxItems: 50, description: 'Rules that failed or were too costly, since the last change of the policy.' })),
    lastEvaluated: Type.Optional(Timestamp('When it judged last, within a few seconds.')),
    denied: Type.Optional(Type.Integer({ minimum: 0, description: 'Changes that it refused.' })),
    conditions: Type.Optional(Conditions),
  },
  { additionalProperties: false },
)
export type PolicyStatus = Type.Static<typeof PolicyStatus>

export const PolicyExceptionSpec = Type.Object(
  {
    policy: name('Name of the Policy.'),
    rule: Type.Optional(name('Rule of it. Default: all.')),
    app: Type.Optional(dnsLabel(40, 'Name of the App. Default: everything of the team.')),
    owner: dnsLabel(40, 'User who answers for it.'),
    reason: Type.String({ minLength: 10, maxLength: 1000, description: 'Why the rule does not fit, in a sentence or two.' }),
    expiresAt: Timestamp('From when on the rule is enforced again.'),
    reviewAt: Type.Optional(Timestamp('When somebody should look whether it is still needed.')),
  },
  { additionalProperties: false, description: 'A deviation from a policy that somebody answers for and that ends.' },
)
export type PolicyExceptionSpec = Type.Static<typeof PolicyExceptionSpec>

export const PolicyExceptionStatus = Type.Object(
  {
    phase: Type.Optional(Type.Enum(['Requested', 'Granted', 'Denied', 'Expired'], { description: 'How far it is.' })),
    by: Type.Optional(Type.String({ description: 'Who granted or denied it.' })),
    at: Type.Optional(Timestamp('When that was.')),
    note: Type.Optional(Type.String({ maxLength: 1000, description: 'What was said about it.' })),
    reminded: Type.Optional(Type.Boolean({ description: 'That it ends soon has been said.' })),
    conditions: Type.Optional(Conditions),
  },
  { additionalProperties: false },
)
export type PolicyExceptionStatus = Type.Static<typeof PolicyExceptionStatus>

/** Answers of the API about policies. */
export interface PolicyVerdict {
  policy: string
  rule: string
  severity: PolicySpec['severity']
  mode: PolicySpec['mode']
  outcome: 'kept' | 'broken' | 'exempt' | 'unknown' | 'error'
  message: string
  field?: string
  /** As JSON, redacted where it looks like a secret. */
  value?: string
  fix?: string
  docs?: string
  /** Name of the exception that covers it. */
  exception?: string
}

export interface PolicyFinding extends PolicyVerdict {
  team: string
  app: string
  kind: string
  name: string
  environment: string
  since: string
}

/** How many exceptions a team lives with. */
export interface Deviation {
  team: string
  granted: number
  requested: number
  expired: number
  /** Granted ones that end within a week. */
  endSoon: number
  policies: string[]
}
