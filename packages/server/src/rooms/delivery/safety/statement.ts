/** Pure: who made an artifact from what, as an in-toto statement (https://in-toto.io/Statement/v1) with SLSA provenance, in a DSSE envelope. */
import type { BuildSpec, BuildStatus, Resource } from '@pavior/contract'

export const payloadType = 'application/vnd.in-toto+json'
const buildType = 'https://pavior.dev/build/v1'

export interface Statement {
  _type: 'https://in-toto.io/Statement/v1'
  subject: { name: string; digest: { sha256: string } }[]
  predicateType: 'https://slsa.dev/provenance/v1'
  predicate: object
}

export interface Envelope {
  payloadType: string
  /** base64. */
  payload: string
  signatures: { keyid: string; sig: string }[]
}

export function statementOf({ metadata, spec, status }: Resource<BuildSpec, BuildStatus>, artifact: string, sbomDigest: string, platform: { version: string; url: string }, finishedAt: string): Statement {
  const { revision } = spec
  const { builder = '', toolchain, startedAt } = status ?? {}
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `${metadata.namespace}/${spec.app}`, digest: { sha256: artifact.replace('sha256:', '') } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: { app: spec.app, team: metadata.namespace, source: { type: revision.type, ...(revision.branch === undefined ? {} : { branch: revision.branch }) } },
        internalParameters: { builder: builder.split(' ', 1)[0], ...(toolchain === undefined ? {} : { toolchain }) },
        resolvedDependencies: [
          { name: 'source', digest: { sha256: revision.source.replace('sha256:', ''), ...(revision.commit === undefined ? {} : { gitCommit: revision.commit }) } },
        ],
      },
      runDetails: {
        builder: { id: `${platform.url}/builders/${builder.split(' ', 1)[0]}`, version: { pavior: platform.version } },
        metadata: { invocationId: metadata.uid, ...(startedAt === undefined ? {} : { startedOn: startedAt }), finishedOn: finishedAt },
        byproducts: [{ name: 'sbom', mediaType: 'application/vnd.cyclonedx+json', digest: { sha256: sbomDigest } }],
      },
    },
  }
}

/** What is signed, after https://github.com/secure-systems-lab/dsse: nothing can be read as anything else. */
export function preAuthEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])
}
