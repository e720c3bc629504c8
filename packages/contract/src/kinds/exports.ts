/** Where telemetry goes beside Pavior, and where else metrics are read from. */
import Type from 'typebox'
import { Address, SecretName } from './notify.ts'
import { Conditions, Timestamp } from './shared.ts'

const headerName = '^[A-Za-z0-9!#$%&\'*+.^_`|~-]{1,100}$'

/** How a server of somebody else is reached, and by what it knows us. */
const reach = {
  headers: Type.Optional(Type.Record(Type.String({ pattern: headerName }), Type.String({ pattern: '^[\\x20-\\x7e]*$', maxLength: 1000 }), { maxProperties: 20, description: 'Headers of every request, for example X-Scope-OrgID. Everybody of the team can read them; what nobody may read goes into secretHeaders.' })),
  secretHeaders: Type.Optional(Type.Record(Type.String({ pattern: headerName }), SecretName('the value of the header.'), { maxProperties: 20, description: 'Headers whose values are Secrets of the team.' })),
  tokenSecret: Type.Optional(SecretName('a token, sent as "Authorization: Bearer …".')),
  user: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'Name for signing in, with passwordSecret.' })),
  passwordSecret: Type.Optional(SecretName('the password.')),
}

export const Reach = Type.Object({ url: Address('Where it is.'), ...reach })
export type Reach = Type.Static<typeof Reach>

export const MetricSourceSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 500, description: 'What is measured there.' })),
    url: Address('Base of a Prometheus, or of what answers like one; /api/v1/query and the others are put behind it.'),
    ...reach,
    timeoutSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 60, description: 'How long an answer may take. Objectives and alerts wait five seconds at most. Default: 10.' })),
  },
  { additionalProperties: false, description: 'A Prometheus elsewhere that is asked for metrics.' },
)
export type MetricSourceSpec = Type.Static<typeof MetricSourceSpec>

export const MetricSourceStatus = Type.Object(
  {
    state: Type.Optional(Type.Enum(['Working', 'Failing'], { description: 'How the last question ended.' })),
    since: Type.Optional(Timestamp('Since when it is so.')),
    message: Type.Optional(Type.String({ description: 'What was wrong, in a sentence.' })),
    conditions: Type.Optional(Conditions),
  },
  { additionalProperties: false },
)
export type MetricSourceStatus = Type.Static<typeof MetricSourceStatus>

export const exportSignals = ['metrics', 'logs', 'traces'] as const
export type ExportSignal = (typeof exportSignals)[number]

export const TelemetryExportSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 500, description: 'Who reads it there.' })),
    signals: Type.Array(Type.Enum([...exportSignals]), { minItems: 1, maxItems: 3, uniqueItems: true, description: 'What is sent: metrics, logs, traces.' }),
    otlp: Type.Optional(
      Type.Object(
        {
          url: Address('Base of OTLP over HTTP; /v1/metrics, /v1/logs and /v1/traces are put behind it.'),
          protocol: Type.Optional(Type.Enum(['protobuf', 'json'], { description: 'Default: protobuf.' })),
          gzip: Type.Optional(Type.Boolean({ description: 'Whether bodies are packed. Default: true.' })),
          ...reach,
        },
        { additionalProperties: false, description: 'OpenTelemetry over HTTP.' },
      ),
    ),
    prometheus: Type.Optional(Type.Object({ url: Address('Of remote write, for example http://prometheus:9090/api/v1/write.'), ...reach }, { additionalProperties: false, description: 'Remote write 1.0 of Prometheus; metrics only.' })),
    loki: Type.Optional(
      Type.Object(
        {
          url: Address('Base of Loki; /loki/api/v1/push is put behind it.'),
          metadata: Type.Optional(Type.Boolean({ description: 'Whether request and trace ids and attributes go along as structured metadata, which Loki takes from version 3 on. Default: false.' })),
          ...reach,
        },
        { additionalProperties: false, description: 'Push API of Loki; logs only.' },
      ),
    ),
    apps: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 63 }), { maxItems: 100, description: 'Only of these apps. Default: of all of the team.' })),
    environments: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 63 }), { maxItems: 50, description: 'Only of these environments. Default: of all.' })),
    maxLagMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1440, description: 'What could not be sent for so long is given up, and counted. Default: 60.' })),
  },
  { additionalProperties: false, description: 'Telemetry of a team, sent on: to one of otlp, prometheus and loki.' },
)
export type TelemetryExportSpec = Type.Static<typeof TelemetryExportSpec>

export const exportTypes = ['otlp', 'prometheus', 'loki'] as const
export type ExportType = (typeof exportTypes)[number]

const ExportState = Type.Enum(['Waiting', 'Exporting', 'Failing'], { description: 'Waiting: there was nothing to send yet. Failing: the last attempt did not go well.' })

export const TelemetryExportStatus = Type.Object(
  {
    state: Type.Optional(ExportState),
    since: Type.Optional(Timestamp('Since when it is so.')),
    message: Type.Optional(Type.String({ description: 'What the other side answered last when it fails, in a sentence.' })),
    lagSeconds: Type.Optional(Type.Number({ description: 'How long the oldest of what is not sent yet has been stored.' })),
    sent: Type.Optional(Type.Integer({ description: 'Points, lines and spans that the other side took.' })),
    dropped: Type.Optional(Type.Integer({ description: 'Those that it will never get.' })),
    lastSuccess: Type.Optional(Timestamp('When the other side last took something.')),
    signals: Type.Optional(
      Type.Array(
        Type.Object(
          {
            signal: Type.Enum([...exportSignals]),
            state: ExportState,
            since: Type.Optional(Timestamp('Since when it is so.')),
            message: Type.Optional(Type.String()),
            lagSeconds: Type.Number({ description: 'How long the oldest of what is not sent yet has been stored.' }),
            sent: Type.Integer({ description: 'What the other side took.' }),
            dropped: Type.Record(Type.String(), Type.Integer(), { description: 'What it will never get, by reason: refused (it said that it will never take it), too_old (it waited longer than maxLagMinutes), gone (it was dropped here before it could be sent).' }),
            lastSuccess: Type.Optional(Timestamp('When the other side last took something.')),
          },
          { additionalProperties: false },
        ),
        { description: 'The same by signal.' },
      ),
    ),
    conditions: Type.Optional(Conditions),
  },
  { additionalProperties: false },
)
export type TelemetryExportStatus = Type.Static<typeof TelemetryExportStatus>
