/** The Score workload format v1b1, after https://github.com/score-spec/spec (Apache-2.0). */
import Type from 'typebox'

const labelPattern = '^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$'
const resourceWord = '^[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$'
const annotationPattern = '^(([a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\\.[a-z0-9][a-z0-9-]{0,61}[a-z0-9])*/)?[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]$'
const closed = { additionalProperties: false }

/** A map whose keys must have a form; other keys are refused by name. */
const mapOf = <T extends Type.TSchema>(pattern: string, value: T) => Type.Record(Type.String({ pattern }), value, closed)
const Annotations = mapOf(annotationPattern, Type.String())

const Limits = Type.Object(
  {
    memory: Type.Optional(Type.String({ pattern: '^(0\\.\\d+|[1-9]\\d*(\\.\\d+)?)(K|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$', description: 'For example 125M or 1.5Gi.' })),
    cpu: Type.Optional(Type.String({ pattern: '^\\d+(?:m|\\.\\d+)?$', description: 'For example 2 or 125m.' })),
  },
  closed,
)

const Probe = Type.Object(
  {
    httpGet: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Type.String()),
          scheme: Type.Optional(Type.Enum(['HTTP', 'HTTPS'])),
          path: Type.String(),
          port: Type.Integer({ minimum: 1, maximum: 65535 }),
          httpHeaders: Type.Optional(Type.Array(Type.Object({ name: Type.String({ pattern: '^[A-Za-z0-9_-]+$' }), value: Type.String() }, closed))),
        },
        closed,
      ),
    ),
    exec: Type.Optional(Type.Object({ command: Type.Array(Type.String()) }, closed)),
  },
  closed,
)

const File = Type.Object(
  {
    target: Type.Optional(Type.String({ minLength: 1 })),
    mode: Type.Optional(Type.String({ pattern: '^0?[0-7]{3}$' })),
    source: Type.Optional(Type.String({ minLength: 1 })),
    content: Type.Optional(Type.String()),
    binaryContent: Type.Optional(Type.String()),
    noExpand: Type.Optional(Type.Boolean()),
  },
  closed,
)

const Volume = Type.Object(
  { source: Type.String(), path: Type.Optional(Type.String()), target: Type.Optional(Type.String()), readOnly: Type.Optional(Type.Boolean()) },
  closed,
)

const ContainerSchema = Type.Object(
  {
    image: Type.String({ minLength: 1 }),
    command: Type.Optional(Type.Array(Type.String())),
    args: Type.Optional(Type.Array(Type.String())),
    variables: Type.Optional(Type.Record(Type.String(), Type.String())),
    // The array form is deprecated by the specification, and still valid.
    files: Type.Optional(Type.Union([Type.Record(Type.String(), File), Type.Array(File)])),
    volumes: Type.Optional(Type.Union([Type.Record(Type.String(), Volume), Type.Array(Volume)])),
    before: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    resources: Type.Optional(Type.Object({ limits: Type.Optional(Limits), requests: Type.Optional(Limits) }, closed)),
    livenessProbe: Type.Optional(Probe),
    readinessProbe: Type.Optional(Probe),
  },
  closed,
)
export type Container = Type.Static<typeof ContainerSchema>

const Resource = Type.Object(
  {
    type: Type.String({ pattern: resourceWord }),
    class: Type.Optional(Type.String({ pattern: resourceWord })),
    id: Type.Optional(Type.String({ minLength: 2, maxLength: 63, pattern: '^[a-z0-9]+(?:-+[a-z0-9]+)*(?:\\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$' })),
    metadata: Type.Optional(Type.Object({ annotations: Type.Optional(Annotations) }, { additionalProperties: true })),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  closed,
)

const Port = Type.Object(
  {
    port: Type.Integer({ minimum: 1, maximum: 65535 }),
    protocol: Type.Optional(Type.Enum(['TCP', 'UDP'])),
    targetPort: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
  },
  closed,
)

export const Score = Type.Object(
  {
    apiVersion: Type.String({ pattern: '^score\\.dev/v1b1$' }),
    metadata: Type.Object({ name: Type.String({ pattern: labelPattern }), annotations: Type.Optional(Annotations) }, { additionalProperties: true }),
    service: Type.Optional(Type.Object({ ports: Type.Optional(mapOf(labelPattern, Port)) }, closed)),
    containers: Type.Record(Type.String({ pattern: labelPattern }), ContainerSchema, { additionalProperties: false, minProperties: 1 }),
    resources: Type.Optional(mapOf(labelPattern, Resource)),
  },
  closed,
)
