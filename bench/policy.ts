/**
 * Measures policies: one evaluation of each policy that Pavior brings, and one admission under 200 of them.
 *
 *   node bench/run.mjs policy [rounds=2000]
 */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { createEngine, type Policy } from '../packages/server/src/rooms/policy/engine.ts'
import { deployFacts } from '../packages/server/src/rooms/policy/facts.ts'
import { compilePolicy } from '../packages/server/src/rooms/policy/language.ts'
import { inputOf, judge, type Subject } from '../packages/server/src/rooms/policy/plan.ts'
import { readLibrary } from '../packages/server/src/rooms/policy/seed.ts'

const [rounds = 2000] = process.argv.slice(2).map(Number)
const policies = 200
const directory = join(import.meta.dirname, '..', '..', 'examples', 'policies')
const library = await readLibrary(directory)
const env = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`SETTING_${index}`, `value number ${index}`]))
const process_ = { command: 'node server.js', replicas: 2, memory: '256Mi', health: { path: '/health' } }
const app = { apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name: 'shop', namespace: 'default', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' }, spec: { env, processes: { web: process_, worker: process_ } } }
const facts = deployFacts(app as never, 'production', { builder: 'node', toolchain: { name: 'node', version: '20.20', asked: '20.x' }, revision: { type: 'upload', source: '' } })
const deploy: Subject = { point: 'deploy', verb: 'create', kind: 'Deployment', object: { ...app, kind: 'Deployment' }, oldObject: undefined, user: 'user:ada', team: 'default', app: 'shop', environment: 'production', tier: 'production', facts: { ...facts } }

const result = { machine: `${cpus().length} × ${cpus()[0]?.model}`, node: process.version, ...evaluations(), ...(await admissions()) }
console.log(JSON.stringify(result, null, 2))
process.exit(0)

/** Every policy of the library, on what its first fixture gives. */
function evaluations(): object {
  const times = library.map((policy) => {
    const compiled = compilePolicy(policy)
    const [fixture] = parse(readFileSync(join(directory, `${policy.metadata.name}.fixtures.yaml`), 'utf8')) as [{ object: object; facts?: object }]
    const object = { apiVersion: '', ...fixture.object } as Subject['object']
    const input = inputOf({ ...deploy, object, kind: object.kind, facts: { ...facts, ...fixture.facts } }, [])
    const times = sample(() => judge(compiled, input, []))
    return { policy: policy.metadata.name, us: (median(times) * 1000) / policy.spec.rules.length }
  })
  const slowest = times.toSorted((one, other) => other.us - one.us)[0]!
  return { policies: library.length, evaluationMedianUs: round(median(times.map(({ us }) => us))), evaluationSlowestUs: round(slowest.us), slowest: slowest.policy }
}

/** What a write waits for when 200 policies apply to it. */
async function admissions(): Promise<object> {
  const source = library.filter(({ spec }) => spec.match.kinds.includes('Deployment') && spec.points.includes('deploy') && spec.match.labels === undefined)
  const many = Array.from({ length: policies }, (_, index): Policy => {
    const policy = source[index % source.length]!
    return { ...policy, metadata: { ...policy.metadata, name: `${policy.metadata.name}-${index}`, uid: `u${index}`, resourceVersion: '1', generation: 1, creationTimestamp: '' } }
  })
  const controller = new AbortController()
  const watch = async function* (_actor: unknown, kind: string) {
    if (kind === 'Policy') for (const object of many) yield { type: 'ADDED', resourceVersion: '1', object }
    yield { type: 'BOOKMARK', resourceVersion: '1' }
    await new Promise((resolve) => controller.signal.addEventListener('abort', resolve))
  }
  const engine = createEngine({ resources: { watch } as never, clock: { now: () => new Date() } as never, log: { warn: console.error } as never })
  for (const part of engine.parts) await part.start(controller.signal)
  const nobody = new Map()
  const asked = engine.judge(deploy, nobody).length
  const times = sample(() => engine.judge(deploy, nobody))
  return { admissionPolicies: asked, admissionMedianMs: round(median(times)), admissionP99Ms: round(times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.99)]!) }
}

function sample(work: () => unknown): number[] {
  for (let warm = 0; warm < 200; warm++) work()
  return Array.from({ length: rounds }, () => {
    const began = performance.now()
    work()
    return performance.now() - began
  })
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
