import Type from 'typebox'
import { Health, MetricsEndpoint } from './app.ts'
import { SecretRef } from './secret.ts'
import { Conditions, Digest, dnsLabel, Image, keyedBy, Problem, Timestamp, Variables } from './shared.ts'

export const InstanceSetSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    environment: dnsLabel(20, 'Environment that it runs in.'),
    release: Type.Integer({ minimum: 1, description: 'Number of the release.' }),
    process: Type.String({ description: 'Name of the process.' }),
    replicas: Type.Integer({ minimum: 0, maximum: 100, description: 'Instances wanted.' }),
    artifact: Digest('What runs.'),
    command: Type.Array(Type.String(), { minItems: 1, description: 'Argument array.' }),
    env: Variables('The whole environment of an instance.'),
    secrets: Type.Optional(Type.Array(SecretRef, { description: 'Secrets that an instance gets; never values.' })),
    mounts: Type.Optional(Type.Array(Type.String(), { description: 'Toolchain directories that it needs.' })),
    image: Type.Optional(Image),
    listens: Type.Boolean({ description: 'Whether it gets traffic on PORT.' }),
    health: Type.Optional(Health),
    metrics: Type.Optional(MetricsEndpoint),
    memoryBytes: Type.Integer({ minimum: 1, description: 'Memory limit of one instance.' }),
    cpu: Type.Number({ exclusiveMinimum: 0, description: 'CPU cores of one instance.' }),
    pids: Type.Integer({ minimum: 1, description: 'Processes and threads of one instance.' }),
    startTimeoutMs: Type.Integer({ minimum: 0, description: 'From start to healthy.' }),
    stopGraceMs: Type.Integer({ minimum: 0, description: 'Between SIGTERM and SIGKILL.' }),
    drainTimeoutMs: Type.Integer({ minimum: 0, description: 'Longest wait for requests in flight.' }),
    restartToken: Type.Optional(Type.String({ description: 'A new value replaces every instance.' })),
    sleepAfterMs: Type.Optional(Type.Integer({ minimum: 1, description: 'Without a request for so long, instances are frozen until the next one.' })),
  },
  { additionalProperties: false, description: 'N wanted instances of one process of one release in one environment.' },
)
export type InstanceSetSpec = Type.Static<typeof InstanceSetSpec>

export const InstanceView = Type.Object(
  {
    name: Type.String({ description: 'Unique over all time; also the name of its log.' }),
    state: Type.String({ description: 'starting, healthy, unhealthy, draining, stopping, backoff or stopped.' }),
    port: Type.Optional(Type.Integer({ description: 'Port on the loopback address.' })),
    pid: Type.Optional(Type.Integer({ description: 'Process id.' })),
    startedAt: Type.Optional(Timestamp('Start of the running process.')),
    restarts: Type.Integer({ description: 'Starts after the first.' }),
    asleepSince: Type.Optional(Timestamp('Frozen since; the next request wakes it.')),
  },
  { additionalProperties: false },
)

export const InstanceSetStatus = Type.Object(
  {
    replicas: Type.Optional(Type.Integer({ description: 'Instances that exist, draining ones included.' })),
    ready: Type.Optional(Type.Integer({ description: 'Healthy instances.' })),
    instances: Type.Optional(Type.Array(InstanceView, { description: 'Each instance.' })),
    crashLoop: Type.Optional(Type.Boolean({ description: 'An instance exits again and again.' })),
    problem: Type.Optional(Problem),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
export type InstanceSetStatus = Type.Static<typeof InstanceSetStatus>

export const RouteSpec = Type.Object(
  {
    app: dnsLabel(40, 'Name of the App.'),
    environment: dnsLabel(20, 'Environment that it leads to.'),
    hosts: Type.Array(Type.String({ maxLength: 253 }), { minItems: 1, maxItems: 60, description: 'Host names, lower case, without port.' }),
    path: Type.Optional(Type.String({ description: 'Path prefix. Default: /.' })),
    requestTimeoutMs: Type.Integer({ minimum: 1, description: 'Until response headers must have arrived.' }),
    backends: Type.Array(
      Type.Object(
        {
          instanceSet: Type.String({ description: 'Name of an InstanceSet of the same team.' }),
          weight: Type.Integer({ minimum: 0, maximum: 100, description: 'Share of traffic, relative to the sum.' }),
        },
        { additionalProperties: false },
      ),
      { description: 'Where requests go.', ...keyedBy('instanceSet') },
    ),
    testers: Type.Optional(
      Type.Object(
        {
          instanceSet: Type.String({ description: 'Name of an InstanceSet of the same team.' }),
          header: Type.Optional(Type.String({ description: 'Name of a request header.' })),
          cookie: Type.Optional(Type.String({ description: 'Name of a cookie.' })),
          value: Type.String({ description: 'Its value.' }),
        },
        { additionalProperties: false, description: 'Requests that bear this go to one set, whatever the weights.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'Hosts and path that lead to weighted instance sets.' },
)
export type RouteSpec = Type.Static<typeof RouteSpec>
export const RouteStatus = Type.Object(
  {
    url: Type.Optional(Type.String({ description: 'Where it answers.' })),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation that every router worker serves.' })),
  },
  { additionalProperties: false },
)
export type RouteStatus = Type.Static<typeof RouteStatus>
