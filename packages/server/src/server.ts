/** Builds and wires everything of one server process: a table of contents of the product. */
import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { DesiredProbe } from '@pavior/contract'
import type pg from 'pg'
import { leaveUntil } from './absence.ts'
import { createAgentDriver } from './drivers/agent/index.ts'
import { createAppProbe } from './drivers/agent/probe.ts'
import { createAddressProbe } from './drivers/agent/synthetic.ts'
import { createOpenId } from './drivers/identity/openid.ts'
import { createBuilders } from './drivers/builders/index.ts'
import { openPolicyAgent } from './drivers/decisions/opa.ts'
import { createDefinitionReader } from './drivers/definitions/reader.ts'
import { createArtifactStore, createSourceStore, readTree } from './drivers/storage/index.ts'
import { exporters } from './drivers/exporters/index.ts'
import { askSource } from './drivers/outward/metric-source.ts'
import { messengers, notifiers } from './drivers/notifiers/index.ts'
import { createMasterKeys } from './drivers/keys/index.ts'
import { createArtifactScanner } from './drivers/scanner/scanner.ts'
import { createTemplateRenderer } from './drivers/templates/renderer.ts'
import { createToolFinder } from './drivers/tools/finder.ts'
import { createVaultStore } from './drivers/vault/kv.ts'
import { createApi, createIdempotencyStore, keptCertificate } from './kernel/api/index.ts'
import { createAuditLog } from './kernel/audit/audit.ts'
import { keptSealKey } from './kernel/audit/key.ts'
import { createEventRecorder } from './kernel/audit/events.ts'
import { systemClock } from './kernel/clock.ts'
import type { Config, EffectiveSetting } from './kernel/config/config.ts'
import { connectDatabase, embeddedPid, migrate, type ExternalDatabase } from './kernel/db/index.ts'
import { KindRegistry } from './kernel/kind.ts'
import { createValidator } from './kernel/kube/validation.ts'
import { keptSigner } from './kernel/signer.ts'
import { Lifecycle } from './kernel/lifecycle/lifecycle.ts'
import type { Logger } from './kernel/log.ts'
import { measureDatabase, measureWatchLag, reconcileMetrics } from './kernel/own-metrics.ts'
import { createGarbageCollector, ReconcileLoop, wakesOf, type Reconciler } from './kernel/reconcile/index.ts'
import { teamMustExist } from './kernel/resources/admission.ts'
import { createResources, mayAct, readableTeams } from './kernel/resources/index.ts'
import { ChangeWaiters } from './kernel/store/waiters.ts'
import { Feed } from './kernel/store/feed.ts'
import { createFieldIndexes, flushStatement } from './kernel/store/store.ts'
import { platformRoute } from './platform.ts'
import { portalRoutes } from './portal.ts'
import { statusRoute } from './status.ts'
import { createUpkeep } from './upkeep.ts'
import * as catalog from './rooms/catalog/index.ts'
import * as delivery from './rooms/delivery/index.ts'
import * as gitops from './rooms/gitops/index.ts'
import * as identity from './rooms/identity/index.ts'
import * as policy from './rooms/policy/index.ts'
import * as product from './rooms/product/index.ts'
import * as release from './rooms/release/index.ts'
import * as reliability from './rooms/reliability/index.ts'
import * as routing from './rooms/routing/index.ts'
import * as runtime from './rooms/runtime/index.ts'
import * as secrets from './rooms/secrets/index.ts'
import * as telemetry from './rooms/telemetry/index.ts'

/** The last lines of a command are read within this. */
const taskLinesMs = 5000

export interface ServerOptions {
  config: Config
  /** Where each setting comes from; secrets are redacted. */
  settings: EffectiveSetting[]
  connection: pg.ClientConfig
  /** Where the database is when it is not the embedded one. */
  external: ExternalDatabase | undefined
  agentSocket: string
  version: string
  log: Logger
}

export interface RunningServer {
  port: number
  url: string
  reads: identity.IdentityReads
  stop(): Promise<void>
}

export async function startServer({ config, settings, connection, external, agentSocket, version, log }: ServerOptions): Promise<RunningServer> {
  const { home, root } = config
  const clock = systemClock
  await mkdir(join(home, 'builds', 'work'), { recursive: true, mode: 0o700 })

  // Kernel
  const database = await connectDatabase({ connection, poolSize: config.databaseConnections, flushStatement, log })
  const kinds = new KindRegistry([...identity.kinds, ...secrets.kinds, ...catalog.kinds, ...delivery.kinds, ...policy.kinds, ...release.kinds, ...gitops.kinds, ...runtime.kinds, ...routing.kinds, ...telemetry.kinds, ...reliability.kinds])
  // Two that make one index at once trip over each other, `if not exists` or not.
  await migrate(database, join(root, 'packages/server/migrations'), log, (tx) => createFieldIndexes(tx, kinds.all))
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  measureDatabase(database, metrics)
  const feed = new Feed(database, log, measureWatchLag(metrics))
  const changes = new ChangeWaiters(feed)
  const events = createEventRecorder(database)
  const idempotency = createIdempotencyStore(database)
  const reconcilers: Reconciler[] = []
  const audit = createAuditLog({ database, feed, key: await keptSealKey(join(home, 'keys')), keepMs: config.auditRetentionDays * 24 * 3600_000, clock, registry: metrics, log })
  const resources = createResources({
    database,
    feed,
    kinds,
    validator: createValidator,
    wakes: wakesOf(reconcilers),
    admission: [teamMustExist((team) => people.reads.teamExists(team)), (request) => people.reads.admission(request), (request) => deliveryRoom.reads.signatures(request), release.createDeploymentRules(() => resources), release.createRolloutRules((query) => telemetryRoom.reads.check(query)), reliability.createAlertRules((query) => telemetryRoom.reads.check(query)), telemetry.createDashboardRules((query) => telemetryRoom.reads.check(query)), secrets.createSecretRules(() => resources), reliability.createRunbookRules(() => resources, () => kinds.mustFind('App')), gitops.createConfigRules(() => resources, clock), ...policy.admissionOf(() => policyRoom.reads)],
    clock,
  })
  const loop = new ReconcileLoop({ database, feed, reconcilers, metrics: reconcileMetrics(metrics), log })

  // Drivers
  const agent = createAgentDriver(agentSocket, log)
  const sources = createSourceStore(join(home, 'sources'), config)
  const artifacts = createArtifactStore(join(home, 'artifacts'))
  const tools = createToolFinder({ searchPath: config.searchPath, env: { ...config.buildEnv, PATH: config.searchPath, HOME: join(home, 'builds') }, toolchains: join(home, 'toolchains'), log })

  // Rooms, in the order in which they may read each other
  let url = ''
  let port = config.port
  const probes = (): DesiredProbe[] => (url === '' ? [] : reliability.probesOf({ server: `http://${reachable(config.host)}:${port}`, router: routerAddress(agent.observed()?.routerPort) }, config.probeIntervalMs))
  const publicUrl = (): string => config.publicUrl || url
  const people = identity.createIdentity({
    database,
    resources,
    events,
    auditNote: audit.note,
    sso: createOpenId(),
    kinds,
    clock,
    log,
    publicUrl,
    defaultTeam: config.defaultTeam,
    keyFile: join(home, 'keys', 'identity.key'),
    sessions: { lifetimeMs: config.sessionLifetimeMs, idleMs: config.sessionIdleMs },
    secondFactorRequired: config.secondFactor === 'required',
    longestElevationMinutes: config.elevationMinutes,
  })
  const { defaultEnvironment } = people.reads
  const secretsRoom = secrets.createSecretsRoom({
    database,
    resources,
    events,
    keys: createMasterKeys(config),
    audit: audit.note,
    store: createVaultStore(),
    request: (entries) => loop.request(entries),
    keepAccessesMs: config.secretAccessDays * 24 * 3600_000,
    clock,
    log,
  })
  const policyRoom = policy.createPolicyRoom({
    database,
    resources,
    events,
    request: (entries) => loop.request(entries),
    longestExceptionDays: config.exceptionDays,
    library: join(root, 'examples/policies'),
    decisionPoint: openPolicyAgent,
    artifactFacts: (team, app, digest) => deliveryRoom.reads.artifactFacts(team, app, digest),
    budgets: (team, app, environment) => reliabilityRoom.reads.budgets(team, app, environment),
    clock,
    log,
  })
  const deliveryRoom = delivery.createDelivery({
    database,
    resources,
    changes,
    gate: policyRoom.reads,
    builders: createBuilders(root, config),
    sources,
    artifacts,
    tools,
    scanner: createArtifactScanner(join(root, 'dist/artifact-scanner.mjs')),
    signer: await keptSigner(join(home, 'keys', 'artifacts.key')),
    platform: { version, url: publicUrl },
    advised: () => loop.request([{ controller: policy.changesController, key: 'all' }]),
    runner: agent,
    home,
    events,
    limits: { concurrency: config.buildConcurrency, memoryBytes: config.buildMemoryBytes, cpu: config.buildCpu, pids: config.buildPids, diskBytes: config.buildDiskBytes, timeoutMs: config.buildTimeoutMs },
    buildEnv: config.buildEnv,
    git: { root: join(home, 'git'), hookCommand: [process.execPath, join(root, 'dist/git-hook.mjs')], apiUrl: () => url, pushed: (team, app) => loop.request([{ controller: catalog.appsController, key: `${team}/${app}` }]) },
    uploadBytes: config.uploadBytes,
    defaultEnvironment,
    clock,
  })
  const runtimeRoom = runtime.createRuntime({ database, resources, driver: agent, directoryOf: deliveryRoom.reads.directoryOf, probes, registry: metrics, secrets: secretsRoom.reads.handOut, identity: async (workload) => ({ ...(await people.reads.workloadCredential(workload)), ...telemetry.exporterVariables(publicUrl() + telemetry.otlpPath, await people.reads.telemetryToken(workload), workload) }), request: (entries) => loop.request(entries), clock, log })
  const releaseRoom = release.createReleaseRoom({
    database,
    resources,
    changes,
    tasks: runtimeRoom.reads.tasks,
    secrets: secretsRoom.reads,
    metrics: { value: (team, query, at) => telemetryRoom.reads.value(team, query, at), check: (query) => telemetryRoom.reads.check(query) },
    readings: { since: (of, since) => telemetryRoom.reads.since(of, since), takenAt: () => telemetryRoom.reads.takenAt() },
    prober: agent,
    observations: { instances: async () => (await agent.current()).instances },
    writers: { of: async ({ kind, team, name }, since, verb) => (await audit.list([team], { kind, name, since, verb, people: true }, { limit: 50 })).items.map(({ actor }) => actor) },
    stepLog: deliveryRoom.reads.stepLog,
    history: deliveryRoom.reads,
    hostPolicy: (team) => ({ domain: config.appDomain, defaultTeam: config.defaultTeam, defaultEnvironment: defaultEnvironment(team) }),
    routerUrl: (host) => `http://${host}:${agent.observed()?.routerPort ?? config.routerPort}`,
    defaultEnvironment,
    events,
    request: (entries) => loop.request(entries),
    clock,
  })
  const gitopsRoom = gitops.createGitops({ database, resources, secrets: secretsRoom.reads, kindOf: (word) => kinds.find(word), repositories: deliveryRoom.reads.configRepositories, events, clock })
  const telemetryRoom = telemetry.createTelemetry({
    database,
    resources,
    source: agent,
    defaultEnvironment,
    newCallers: (callers) => loop.request(callers.map(({ team, app }) => ({ controller: catalog.appsController, key: `${team}/${app}` }))),
    keepCallersMs: config.dependencyDays * 24 * 3600_000,
    events,
    senders: { ofToken: people.reads.telemetrySender, authenticate: people.reads.authenticate, mayWrite: (actor, team, app) => (actor.app === undefined || actor.app === app) && mayAct(actor, 'update', kinds.find('App')!, team, { name: app }), defaultEnvironment },
    instances: runtimeRoom.reads.instances,
    instanceLogs: runtimeRoom.reads.logs,
    metrics: { retention: { rawMs: config.metricRawMs, minutesMs: config.metricMinutesMs, hoursMs: config.metricHoursMs }, appSeries: config.metricSeries, appPointsPerSecond: config.metricPointsPerSecond },
    logs: { keepMs: config.logDays * 24 * 3600_000, bytes: config.logBytes, linesPerSecond: config.logLinesPerSecond, bytesPerSecond: config.logBytesPerSecond },
    traces: { share: config.traceShare, slowMs: config.traceSlowMs, keepMs: config.traceKeepMs, appSpansPerSecond: config.traceSpansPerSecond },
    exporters,
    askSource,
    openSecret: secretsRoom.reads.openOwn,
    audit: audit.note,
    bodyBytes: config.telemetryBodyBytes,
    registry: metrics,
    serverName: () => `${hostname()}:${port}`,
    publicUrl,
    version,
    clock,
    log,
  })
  const runbookTools: reliability.RunbookTools = {
    value: telemetryRoom.reads.value,
    rollBack: releaseRoom.reads.rollBack,
    run: releaseRoom.reads.run,
    task: (id) => agent.task(id),
    lines: async (id, count) => {
      const lines: string[] = []
      for await (const { line } of agent.logs(id, { tail: count }, AbortSignal.timeout(taskLinesMs))) lines.push(line)
      return lines
    },
    defaultEnvironment,
  }
  const response: reliability.ResponseTools = {
    calls: telemetryRoom.reads,
    excerpts: telemetryRoom.reads,
    elsewhere: telemetryRoom.reads.changes,
    changes: async (team, since, until, limit) => (await audit.list([team], { people: true, since, until }, { limit })).items,
    defaultEnvironment,
    authenticate: people.reads.authenticate,
    platformParts: async () => [
      { name: 'Deploying and managing', works: lifecycle.checks().every(({ problem }) => problem === undefined) },
      { name: 'Running apps', works: await agent.current().then(() => true, () => false) },
    ],
    messengers,
    publicUrl,
  }
  const gameDayTools: reliability.GameDayTools = {
    injector: agent,
    figures: async (place, from, until) => {
      const { requests, errors, p95Ms } = await telemetryRoom.reads.totals(place, from, until)
      return { requests, errorPercent: requests === 0 ? 0 : (errors / requests) * 100, p95Ms }
    },
    value: telemetryRoom.reads.value,
    check: telemetryRoom.reads.check,
    serving: async ({ team, app, environment }) => (await runtimeRoom.reads.instances.current()).flatMap(({ id, startedAt, healthy, ...of }) => (healthy && startedAt !== undefined && of.team === team && of.app === app && of.environment === environment ? [{ instance: id, startedAt }] : [])),
    leave: (until) => leaveUntil(home, until),
  }
  const reliabilityRoom = reliability.createReliability({
    database,
    resources,
    signals: telemetryRoom.reads,
    query: telemetryRoom.reads.query,
    gameDays: { tools: gameDayTools, deployment: () => kinds.mustFind('Deployment'), random: Math.random, library: join(root, 'examples/game-days') },
    runbooks: { tools: runbookTools, library: join(root, 'examples/runbooks') },
    response,
    probe: createAddressProbe(() => agent.observed()?.routerPort ?? config.routerPort),
    logs: { count: telemetryRoom.reads.countLines },
    notifiers,
    openSecret: secretsRoom.reads.openOwn,
    audit: audit.note,
    publicUrl,
    linkKeyFile: join(home, 'keys', 'alert-links.key'),
    events,
    clock,
    log,
  })
  const catalogRoom = catalog.createCatalog({
    database,
    resources,
    changes,
    sources,
    intake: { accept: async (stream) => ({ files: await readTree(sources.directoryOf((await sources.accept(stream)).digest)) }) },
    definitions: createDefinitionReader(join(root, 'dist/definition-reader.mjs')),
    renderer: createTemplateRenderer(join(root, 'dist/template-renderer.mjs')),
    calls: telemetryRoom.reads,
    probe: createAppProbe(() => agent.observed()?.routerPort ?? config.routerPort),
    dependencyMs: config.dependencyDays * 24 * 3600_000,
    repositories: deliveryRoom.reads.repositories,
    deploys: {
      begin: (by, { team, app, environment, files, commit, message, author }) => deliveryRoom.reads.buildOf(by, { team, app, environment, revision: { type: 'git', commit, branch: 'main', message, author } }, files),
      follow: releaseRoom.reads.progress,
    },
    builtIn: join(root, 'examples/templates'),
    keyFile: join(home, 'keys', 'templates.key'),
    defaultTeam: config.defaultTeam,
    events,
    request: (entries) => loop.request(entries),
    clock,
    log,
  })
  const productRoom = product.createProduct({ database, resources, firstUses: people.reads.firstUses })
  const rooms = [people, secretsRoom, policyRoom, catalogRoom, deliveryRoom, releaseRoom, gitopsRoom, runtimeRoom, telemetryRoom, reliabilityRoom, productRoom]
  reconcilers.push(createGarbageCollector({ database, resources, kinds }), ...rooms.flatMap((room) => room.reconcilers))

  // Doors and background parts
  const parts = [
    { name: 'change feed', start: () => feed.start(), stop: async () => feed.stop() },
    ...rooms.flatMap((room) => room.parts),
    loop,
    audit.part,
    createUpkeep({ database, events, audit, idempotency, resources, sources, artifacts, forgetMissing: deliveryRoom.reads.forgetMissing, config, log }),
  ]
  const lifecycle = new Lifecycle(parts, log)
  const api = createApi({
    kinds,
    resources,
    authenticate: people.reads.authenticate,
    rights: people.reads,
    sameOrigin: people.reads.sameOrigin,
    routes: [
      ...rooms.flatMap((room) => room.routes),
      portalRoutes(join(root, 'packages/portal/dist')),
      platformRoute({ database, home, settings }),
      statusRoute({ agent, version, startedAt: clock.now(), port: () => port, external, databasePid: async () => (external ? undefined : embeddedPid(join(home, 'pg', 'data'))) }),
    ],
    events: { list: (actor, namespace, filter) => events.list(namespace === undefined ? readableTeams(actor) : [namespace], filter) },
    audit,
    authorize: mayAct,
    idempotency,
    tls: await keptCertificate(join(home, 'keys'), ['localhost', '127.0.0.1', '::1', ...ownHosts(config)], clock.now()),
    limits: { requestsPerSecond: config.requestsPerSecond, requestBurst: config.requestsPerSecond * 3 },
    version: { version },
    metrics,
    health: () => ({ checks: [{ name: 'process', problem: undefined }] }),
    ready: () => ({ checks: lifecycle.checks() }),
    log,
    clock,
  })
  await lifecycle.start()
  await api.listen({ port: config.port, host: config.host })
  port = (api.server.address() as { port: number }).port
  url = `http://${config.host === '0.0.0.0' || config.host === '127.0.0.1' ? 'localhost' : config.host}:${port}`
  // Only now it is known where they are asked.
  await loop.request([runtime.desiredWork])
  await telemetryRoom.reads.noteChange(reliability.serverStarted({ server: `${hostname()}:${port}`, version, at: clock.now() }))
  return {
    port,
    url,
    reads: people.reads,
    stop: async () => {
      await api.close()
      await lifecycle.stop()
      await database.close()
    },
  }
}

/** Where the agent of this machine reaches what listens there. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function routerAddress(port: number | undefined): string | undefined {
  return port === undefined ? undefined : `http://127.0.0.1:${port}`
}

/** Names under which users reach this server, beside those of the machine itself. */
function ownHosts({ host, publicUrl }: Config): string[] {
  const named = publicUrl ? [new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')] : []
  return [...new Set([...(['0.0.0.0', '::', '127.0.0.1', '::1', 'localhost'].includes(host) ? [] : [host]), ...named])].filter((name) => name !== 'localhost')
}
