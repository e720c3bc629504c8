import Type from 'typebox'
import { Conditions, dnsLabel, Timestamp } from './shared.ts'

export const StrategyType = Type.Enum(['rolling', 'canary', 'bluegreen'], {
  description: 'rolling: new instances beside the old ones, then all traffic at once · canary: a share of the traffic first, judged, in steps · bluegreen: everything beside the old, looked at by testers, then all traffic at once.',
})
export type StrategyType = Type.Static<typeof StrategyType>

/** One figure that a new release is judged by beside those of the router. */
export const JudgeQuery = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9]([a-z0-9 -]{0,38}[a-z0-9])?$', description: 'What it measures, for example "failed payments".' }),
    query: Type.String({ minLength: 1, maxLength: 4000, description: 'PromQL whose result is one value. $team, $app, $environment, $release (on trial) and $stable (serving) stand for their names and numbers.' }),
    max: Type.Optional(Type.Number({ description: 'A value above it fails the release. One of max and min at least.' })),
    min: Type.Optional(Type.Number({ description: 'A value below it fails the release.' })),
    unmeasured: Type.Optional(Type.Enum(['pass', 'fail'], { description: 'What counts when a step ends and there is no value: pass says so and goes on; fail takes the release back. Default: pass.' })),
  },
  { additionalProperties: false },
)
export type JudgeQuery = Type.Static<typeof JudgeQuery>

/** How a strategy goes about it. What is left out is the default of the environment's tier. */
export const RolloutSettings = Type.Object(
  {
    steps: Type.Optional(
      Type.Array(
        Type.Object(
          {
            weight: Type.Integer({ minimum: 1, maximum: 99, description: 'Percent of the requests that the new release gets.' }),
            seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400, description: 'How long the step lasts at least, in seconds. Default: 60.' })),
            pause: Type.Optional(Type.Boolean({ description: 'Wait after this step until somebody resumes the deployment. Default: false.' })),
          },
          { additionalProperties: false },
        ),
        { minItems: 1, maxItems: 20, description: 'Steps of a canary. Default: 5, 25 and 50 percent.' },
      ),
    ),
    testers: Type.Optional(
      Type.Object(
        {
          header: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$", description: 'Name of a request header. One of header and cookie.' })),
          cookie: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$", description: 'Name of a cookie. One of header and cookie.' })),
          value: Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$', description: 'Its value.' }),
        },
        { additionalProperties: false, description: 'Requests that bear this get the new release while it is on trial, whatever its weight.' },
      ),
    ),
    judge: Type.Optional(
      Type.Object(
        {
          errorRatio: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Share of requests that may end with 5xx. Default: 0.01.' })),
          p95Ms: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Slowest 95th percentile in ms. Default: no limit.' })),
          p99Ms: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Slowest 99th percentile in ms. Default: no limit.' })),
          slowerThanStable: Type.Optional(Type.Number({ minimum: 1, maximum: 100, description: 'How many times slower than the serving release its 95th percentile may be, where that release is healthy. Default: 3.' })),
          restarts: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'Restarts that are forgiven. Default: 0.' })),
          saturation: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Share of its memory limit that an instance may hold. Default: 0.95.' })),
          cpu: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Share of its CPU limit that an instance may use over a minute. Default: no limit; who is busy shows it by being slow.' })),
          minRequests: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Requests that a verdict needs. Default: 50.' })),
          queries: Type.Optional(Type.Array(JudgeQuery, { maxItems: 10, description: 'Further figures, from the metrics of the app.' })),
        },
        { additionalProperties: false, description: 'Limits of the new release.' },
      ),
    ),
    watchSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400, description: 'How long the previous instances are kept warm and the judge goes on after all traffic has moved, in seconds. Default: 300 in production, 0 elsewhere.' })),
  },
  { additionalProperties: false, description: 'How a strategy goes about it.' },
)
export type RolloutSettings = Type.Static<typeof RolloutSettings>

export const FreezeSpec = Type.Object(
  {
    reason: Type.String({ minLength: 3, maxLength: 500, description: 'Why nothing may change; people who wait read it.' }),
    environments: Type.Optional(Type.Array(dnsLabel(20, 'Name of an Environment.'), { minItems: 1, maxItems: 50, description: 'Environments that it holds. Default: all.' })),
    tiers: Type.Optional(Type.Array(Type.Enum(['development', 'staging', 'production', 'preview']), { minItems: 1, maxItems: 4, description: 'Tiers that it holds. Default: all.' })),
    from: Type.Optional(Timestamp('When it begins. Default: at once.')),
    until: Type.Optional(Timestamp('When it ends. Default: when it is deleted.')),
    weekly: Type.Optional(
      Type.Object(
        {
          days: Type.Array(Type.Enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']), { minItems: 1, maxItems: 7, description: 'Days on which the window begins.' }),
          from: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'Local time at which it begins, for example 22:00.' }),
          to: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', description: 'Local time at which it ends; at or before `from` it is on the next day.' }),
          timeZone: Type.String({ maxLength: 64, description: 'IANA time zone, for example Europe/Berlin.' }),
        },
        { additionalProperties: false, description: 'Again every week.' },
      ),
    ),
    allows: Type.Optional(Type.Boolean({ description: 'A maintenance window: changes are allowed within it and frozen outside of it. Needs weekly. Default: false.' })),
  },
  { additionalProperties: false, description: 'A time in which nothing is deployed; rollbacks always are.' },
)
export type FreezeSpec = Type.Static<typeof FreezeSpec>

export const FreezeStatus = Type.Object({ conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type FreezeStatus = Type.Static<typeof FreezeStatus>

export const PreviewSpec = Type.Object(
  {
    app: dnsLabel(40, 'App whose branch it shows.'),
    branch: Type.String({ minLength: 1, maxLength: 255, description: 'The branch.' }),
    ttlHours: Type.Number({ exclusiveMinimum: 0, maximum: 8760, description: 'Hours without a push or a request after which it is deleted.' }),
    keepUntil: Type.Optional(Timestamp('It is not deleted before, whatever happens; set with `pavior previews keep`.')),
  },
  { additionalProperties: false, description: 'It shows a branch of one app, and goes with it.' },
)
export type PreviewSpec = Type.Static<typeof PreviewSpec>

/** What the instances of an environment used. */
const UseFields = {
  cpuSeconds: Type.Number({ description: 'Seconds of CPU time.' }),
  awakeSeconds: Type.Number({ description: 'Seconds of instances that could run.' }),
  asleepSeconds: Type.Number({ description: 'Seconds of instances that were frozen.' }),
  awakeGibSeconds: Type.Number({ description: 'GiB of memory times the seconds that instances which could run held them.' }),
  asleepGibSeconds: Type.Number({ description: 'GiB of memory times the seconds that frozen instances held them.' }),
}
export const EnvironmentUse = Type.Object(UseFields, { additionalProperties: false, description: 'What its instances used so far.' })
export type EnvironmentUse = Type.Static<typeof EnvironmentUse>

export const PreviewStatus = Type.Object(
  {
    url: Type.Optional(Type.String({ description: 'Where it answers.' })),
    release: Type.Optional(Type.Integer({ description: 'Number of the release that serves.' })),
    phase: Type.Optional(Type.String({ description: 'Phase of the newest deployment.' })),
    pushedAt: Type.Optional(Timestamp('When its branch was last pushed.')),
    spinUpMs: Type.Optional(Type.Integer({ description: 'From the last push to the release that serves, in ms.' })),
    activeAt: Type.Optional(Timestamp('Last push, request or deployment that is known of.')),
    expiresAt: Type.Optional(Timestamp('When it is deleted unless something happens before.')),
    asleep: Type.Optional(Type.Boolean({ description: 'Its instances are frozen; the next request wakes them.' })),
    use: Type.Optional(EnvironmentUse),
    counted: Type.Optional(Type.Record(Type.String(), EnvironmentUse, { description: 'What of it is of instances that there still are.' })),
  },
  { additionalProperties: false, description: 'How a preview does.' },
)
export type PreviewStatus = Type.Static<typeof PreviewStatus>

export const EnvironmentSpec = Type.Object(
  {
    tier: Type.Enum(['development', 'staging', 'production', 'preview'], { description: 'How careful to be.' }),
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What it is for.' })),
    target: Type.Optional(Type.Enum(['local'], { description: 'Where its instances run. local: processes of the agents of this installation, the only target so far. Default: local.' })),
    after: Type.Optional(dnsLabel(20, 'Environment before it on the way to production.')),
    sleepAfterMinutes: Type.Optional(Type.Number({ minimum: 0, maximum: 10_080, description: 'Minutes without a request after which instances are frozen, until the next one; 0 for never. Default: never.' })),
    faults: Type.Optional(Type.Boolean({ description: 'Whether game days may inject faults here. Default: false.' })),
    preview: Type.Optional(PreviewSpec),
    strategy: Type.Optional(StrategyType),
    rollout: Type.Optional(RolloutSettings),
    protection: Type.Optional(
      Type.Object(
        {
          approvals: Type.Optional(
            Type.Object(
              {
                count: Type.Integer({ minimum: 1, maximum: 5, description: 'People who must approve; never the author of the change.' }),
                role: Type.Optional(dnsLabel(63, 'Role that they need in the team: developer, admin, or a Role of your own that may approve Deployments. Default: developer.')),
              },
              { additionalProperties: false },
            ),
          ),
          branches: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { minItems: 1, maxItems: 50, description: 'Branches that may be deployed here; * stands for any characters. Uploads have no branch. Default: all.' })),
          soakMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 43_200, description: 'Minutes that the same artifact must have served in the environment before.' })),
          promoteOnly: Type.Optional(Type.Boolean({ description: 'Only artifacts that serve in the environment before come here. Default: false.' })),
        },
        { additionalProperties: false, description: 'What holds a deployment back.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'Where releases of a team run.' },
)
export type EnvironmentSpec = Type.Static<typeof EnvironmentSpec>
export const EnvironmentStatus = Type.Object({ preview: Type.Optional(PreviewStatus), conditions: Type.Optional(Conditions) }, { additionalProperties: false })
export type EnvironmentStatus = Type.Static<typeof EnvironmentStatus>
