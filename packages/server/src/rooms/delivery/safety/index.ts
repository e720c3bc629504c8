/** What is known of artifacts beyond their files: parts, licences, holes, secrets in the source, who made them. */
import { createHash } from 'node:crypto'
import { fail, type ArtifactView, type DeploymentSpec, type ReleaseSpec, type Resource } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { Database } from '../../../kernel/db/index.ts'
import type { Admission, Resources } from '../../../kernel/resources/index.ts'
import type { Signer } from '../../../kernel/signer.ts'
import type { Build } from '../builds.ts'
import type { ArtifactScanner, ArtifactStore, SourceStore } from '../ports.ts'
import { findingsOf } from './osv.ts'
import { factsOf, licenceCounts, signatureOf, statementIn, unknownEcosystems, type ArtifactFacts } from './plan.ts'
import { payloadType, preAuthEncoding, statementOf } from './statement.ts'
import { advisoriesOf, advisoryStates, keepRecord, readEnvelope, readRecord } from './store.ts'

export interface SafetyDeps {
  database: Database
  resources: Resources
  scanner: ArtifactScanner
  signer: Signer
  sources: SourceStore
  artifacts: ArtifactStore
  platform: { version: string; url: () => string }
  clock: { now: () => Date }
}

export interface Safety {
  /** Lists the parts of what a build made and signs who made it from what; does nothing when that is known. Throws SCAN_FAILED. */
  examine(build: Build, digest: string, signal: AbortSignal): Promise<{ components: number; secrets: number }>
  facts(team: string, app: string, digest: string): Promise<ArtifactFacts>
  /** Throws NOT_FOUND. */
  view(team: string, app: string, digest: string): Promise<ArtifactView>
  /** Refuses to deploy what is not what was signed. */
  admission: Admission
}

const actor = systemActor('delivery')

export function createSafety(deps: SafetyDeps): Safety {
  const { database, resources, scanner, signer, sources, artifacts, platform, clock } = deps

  const examine: Safety['examine'] = async (build, digest, signal) => {
    const [team, app] = [build.metadata.namespace!, build.spec.app]
    const known = await readRecord(database, team, app, digest)
    if (known) return { components: known.components.length, secrets: known.secrets.length }
    const { source } = build.spec.revision
    const at = clock.now().toISOString()
    const subject = { team, app, digest, at, pavior: platform.version }
    const { components, secrets, sbom } = await scanner.scan({ artifact: artifacts.directoryOf(digest), ...((await sources.has(source)) ? { source: sources.directoryOf(source) } : {}), subject }, signal)
    const statement = statementOf(build, digest, createHash('sha256').update(sbom).digest('hex'), { version: platform.version, url: platform.url() }, at)
    const payload = Buffer.from(JSON.stringify(statement))
    const envelope = { payloadType, payload: payload.toString('base64'), signatures: [{ keyid: signer.id, sig: signer.sign(preAuthEncoding(payloadType, payload)).toString('base64') }] }
    await keepRecord(database, { team, app, digest, build: build.metadata.name, components, secrets, envelope }, sbom)
    return { components: components.length, secrets: secrets.length }
  }

  const facts: Safety['facts'] = async (team, app, digest) => {
    const record = await readRecord(database, team, app, digest)
    const signature = signatureOf(record?.envelope, digest, signer)
    if (!record) return factsOf(undefined, signature)
    const unknown = unknownEcosystems(record.components, await advisoryStates(database))
    return factsOf({ ...record, findings: findingsOf(record.components, await advisoriesOf(database, record.components)), unknown }, signature)
  }

  const view: Safety['view'] = async (team, app, digest) => {
    const record = await readRecord(database, team, app, digest)
    if (!record) throw fail('NOT_FOUND', { message: `Nothing is known of the artifact ${digest.slice(0, 19)} of "${app}".`, fix: 'Deploy again: a build lists what is in it.' })
    const { components, secrets, envelope, build, at } = record
    const states = await advisoryStates(database)
    const ecosystems = new Set(components.map(({ ecosystem }) => ecosystem.split(':', 1)[0]))
    return {
      digest,
      team,
      app,
      build,
      at: at.toISOString(),
      components,
      licences: licenceCounts(components),
      findings: findingsOf(components, await advisoriesOf(database, components)),
      unknownEcosystems: unknownEcosystems(components, states),
      advisories: states.filter(({ ecosystem }) => ecosystems.has(ecosystem)),
      secrets,
      signature: signatureOf(envelope, digest, signer),
      statement: statementIn(Buffer.from(envelope.payload, 'base64')),
      envelope,
    }
  }

  return { examine, facts, view, admission: verifyingAdmission({ database, resources, signer }) }
}

function verifyingAdmission({ database, resources, signer }: Pick<SafetyDeps, 'database' | 'resources' | 'signer'>): Admission {
  return async ({ kind, verb, object, tx }) => {
    if (kind.kind !== 'Deployment' || verb !== 'create') return
    const team = object.metadata.namespace!
    const { app, release } = object.spec as DeploymentSpec
    const artifact = (await resources.get<Resource<ReleaseSpec>>(actor, { kind: 'Release', namespace: team, name: `${app}-v${release}` }, tx))?.spec.artifact
    if (artifact === undefined) return
    const { state, key } = signatureOf(await readEnvelope(tx ?? database, team, app, artifact), artifact, signer)
    if (state === 'valid' || state === 'missing') return
    throw fail('ARTIFACT_SIGNATURE_INVALID', {
      message: `The artifact ${artifact.slice(0, 19)} of "${app}" is not what was signed when it was built.`,
      why: state === 'foreign' ? `It was signed with key ${key}; the key of this installation is ${signer.id}.` : 'Its statement or signature was changed since.',
      state: 'Nothing was deployed; what served before goes on serving.',
    })
  }
}
