import Type from 'typebox'
import { Conditions, Digest, dnsLabel, Problem, Variables } from './shared.ts'

export const Health = Type.Object(
  {
    path: Type.Optional(Type.String({ pattern: '^/[^\\s]*$', maxLength: 512, description: 'HTTP path that answers 2xx or 3xx when the process can serve. Default: an open port is enough.' })),
    intervalSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 300, description: 'Seconds between two checks. Default: 10.' })),
    timeoutSeconds: Type.Optional(Type.Number({ minimum: 0.1, maximum: 60, description: 'Seconds that one check may take. Default: 2.' })),
    failureThreshold: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description: 'Failed checks in a row until the instance is restarted. Default: 3.' })),
  },
  { additionalProperties: false, description: 'How the platform knows that an instance serves.' },
)

export const MetricsEndpoint = Type.Object(
  {
    path: Type.String({ pattern: '^/[^\\s#]*$', maxLength: 512, description: 'HTTP path that shows metrics in the text format of Prometheus, on the port of the process.' }),
    intervalSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 3600, description: 'Seconds from one question to the next. Default: 15.' })),
  },
  { additionalProperties: false, description: 'Where the platform asks each instance what it measures.' },
)

export const ProcessSpec = Type.Object(
  {
    command: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Command line, run by sh as in a Procfile. Default: what the builder found.' })),
    replicas: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'Instances to run. Default: 1 for web, 1 for others.' })),
    memory: Type.Optional(Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|K|M|G)?$', description: 'Memory limit of one instance, for example 512Mi. Default: 512Mi.' })),
    cpu: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 64, description: 'CPU cores that one instance may use. Default: 1.' })),
    pids: Type.Optional(Type.Integer({ minimum: 8, maximum: 32_768, description: 'Processes and threads that one instance may have. Default: 512.' })),
    health: Type.Optional(Health),
    metrics: Type.Optional(MetricsEndpoint),
    startTimeoutSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 3600, description: 'Seconds from start to healthy. Default: 60.' })),
    stopGraceSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 3600, description: 'Seconds between SIGTERM and SIGKILL. Default: 10.' })),
    drainTimeoutSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 3600, description: 'Longest wait for requests in flight before SIGTERM. Default: 30.' })),
  },
  { additionalProperties: false, description: 'A named command of the app: web gets traffic, release runs before traffic moves, any other is a worker.' },
)
export type ProcessSpec = Type.Static<typeof ProcessSpec>

export const BuildSettings = Type.Object(
  {
    builder: Type.Optional(Type.String({ description: 'Builder to use instead of detection: node, python, go, java, rust, ruby, php, static, procfile, dockerfile.' })),
    directory: Type.Optional(Type.String({ pattern: '^(?!/)(?!.*\\.\\.)[^\\0]*$', maxLength: 512, description: 'Directory of the source that holds the app, for repositories with several.' })),
    command: Type.Optional(Type.String({ maxLength: 4096, description: 'Command that builds, instead of the one that the builder would choose.' })),
    output: Type.Optional(Type.String({ pattern: '^(?!/)(?!.*\\.\\.)[^\\0]*$', maxLength: 512, description: 'Directory that a static site is served from.' })),
    env: Type.Optional(Variables('Environment variables of the build.')),
  },
  { additionalProperties: false, description: 'How source becomes an artifact.' },
)
export type BuildSettings = Type.Static<typeof BuildSettings>

/** An environment was taken back to an earlier release, and what it was taken back from is not put there again. */
export const Pin = Type.Object(
  {
    release: Type.Integer({ minimum: 1, description: 'Number of the release that it was taken back to.' }),
    artifact: Digest('Artifact of that release.'),
    out: Type.Object(
      {
        release: Type.Integer({ minimum: 1, description: 'Number of the release that was taken back.' }),
        artifact: Digest('Its artifact.'),
        commit: Type.Optional(Type.String({ description: 'Its git commit.' })),
      },
      { additionalProperties: false, description: 'What is refused there until another revision serves.' },
    ),
    reason: Type.String({ maxLength: 500, description: 'Why.' }),
  },
  { additionalProperties: false, description: 'An environment was taken back to an earlier release.' },
)
export type Pin = Type.Static<typeof Pin>

/** Environments that come and go with branches. */
export const Previews = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean({ description: 'Whether branches beside main get an environment of their own when they are pushed. Default: true.' })),
    ttlHours: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 8760, description: 'Hours without a push or a request after which a preview is deleted. Default: 72.' })),
    sleepAfterMinutes: Type.Optional(Type.Number({ minimum: 0, maximum: 10_080, description: 'Minutes without a request after which its instances are frozen, until the next one; 0 for never. Default: 15.' })),
    from: Type.Optional(dnsLabel(20, 'Environment whose configuration a new preview begins with. Default: the one before production, else that of the team.')),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'Previews that the app may have at once. Default: 20.' })),
  },
  { additionalProperties: false, description: 'Environments that come and go with branches.' },
)
export type Previews = Type.Static<typeof Previews>

export const AppSpec = Type.Object(
  {
    description: Type.Optional(Type.String({ maxLength: 1000, description: 'What the app does.' })),
    declaredBy: Type.Optional(
      Type.Enum(['pavior.yaml', 'score.yaml', 'Procfile', 'detection'], { description: 'What declared this app at its last deploy.' }),
    ),
    build: Type.Optional(BuildSettings),
    processes: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$' }), ProcessSpec, { description: 'Processes by name.' }),
    ),
    env: Type.Optional(Variables('Environment variables that the manifest declares, the same in every environment.')),
    config: Type.Optional(
      Type.Record(Type.String({ maxLength: 20 }), Variables('Variables of one environment.'), {
        description: 'Configuration by environment, set with `pavior config set`. Wins over env.',
      }),
    ),
    scale: Type.Optional(
      Type.Record(Type.String({ maxLength: 20 }), Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 100 })), {
        description: 'Instances by environment and process, set with `pavior scale`. Wins over replicas.',
      }),
    ),
    restart: Type.Optional(
      Type.Record(Type.String({ maxLength: 20 }), Type.String({ maxLength: 64 }), {
        description: 'Token by environment; a new one replaces every instance, set with `pavior restart`.',
      }),
    ),
    routes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            host: Type.Optional(Type.String({ pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength: 253, description: 'Host name. Default: the hosts that the platform gives.' })),
            path: Type.Optional(Type.String({ pattern: '^/[^\\s?#]*$', maxLength: 512, description: 'Path prefix. Default: /.' })),
            environment: Type.Optional(dnsLabel(20, 'Environment that it leads to. Default: the default environment of the team.')),
          },
          { additionalProperties: false },
        ),
        { maxItems: 50, description: 'Further hosts and paths that lead to the web process.' },
      ),
    ),
    previews: Type.Optional(Previews),
    pinned: Type.Optional(Type.Record(Type.String({ maxLength: 20 }), Pin, { description: 'Releases that environments were taken back to; written by the platform.' })),
    requestTimeoutSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 3600, description: 'Seconds until response headers must have arrived. Default: 60.' })),
    resources: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'Resources that a Score file asks for; kept for the service catalogue.' }),
    ),
  },
  { additionalProperties: false, description: 'A workload: where it comes from, how it is built, which processes it runs.' },
)
export type AppSpec = Type.Static<typeof AppSpec>

export const AppEnvironmentStatus = Type.Object(
  {
    url: Type.Optional(Type.String({ description: 'Where it answers.' })),
    release: Type.Optional(Type.Integer({ description: 'Number of the release that serves.' })),
    deployment: Type.Optional(Type.String({ description: 'Newest deployment.' })),
    phase: Type.Optional(Type.String({ description: 'Phase of the newest deployment.' })),
    preview: Type.Optional(Type.Boolean({ description: 'It comes and goes with a branch.' })),
    /** Why configuration or secrets that were set are not brought out: a rule refuses them. It is asked again every ten seconds. */
    refused: Type.Optional(Problem),
  },
  { additionalProperties: false },
)

export const AppStatus = Type.Object(
  {
    environments: Type.Optional(Type.Record(Type.String(), AppEnvironmentStatus, { description: 'What runs where.' })),
    problem: Type.Optional(Problem),
    conditions: Type.Optional(Conditions),
    observedGeneration: Type.Optional(Type.Integer({ description: 'Generation that this status describes.' })),
  },
  { additionalProperties: false },
)
export type AppStatus = Type.Static<typeof AppStatus>
