/** Pure: what is told of an artifact, and what rules may ask of it. */
import type { AdvisoryState, ArtifactComponent, ArtifactView, SignatureState, VulnerabilityFinding } from '@pavior/contract'
import { bindingLicences } from './licences.ts'
import { payloadType, preAuthEncoding, type Envelope, type Statement } from './statement.ts'

const baseOf = (ecosystem: string): string => ecosystem.split(':', 1)[0]!

/** Without advisories of an ecosystem nothing can be said of its components: never that they are clean. */
export function unknownEcosystems(components: readonly ArtifactComponent[], advisories: readonly AdvisoryState[]): string[] {
  const known = new Set(advisories.map(({ ecosystem }) => ecosystem))
  return [...new Set(components.map(({ ecosystem }) => baseOf(ecosystem)))].filter((ecosystem) => !known.has(ecosystem)).toSorted()
}

export function licenceCounts(components: readonly ArtifactComponent[]): ArtifactView['licences'] {
  const counts = new Map<string, number>()
  for (const { licences } of components) for (const licence of licences.length === 0 ? [''] : licences) counts.set(licence, (counts.get(licence) ?? 0) + 1)
  return [...counts].map(([licence, count]) => ({ licence, components: count })).toSorted((one, other) => other.components - one.components || (one.licence < other.licence ? -1 : 1))
}

export function signatureOf(envelope: Envelope | undefined, digest: string, key: { id: string; verify: (bytes: Buffer, signature: Buffer) => boolean }): SignatureState {
  if (!envelope) return { state: 'missing' }
  const [signature] = envelope.signatures
  if (!signature) return { state: 'missing' }
  if (signature.keyid !== key.id) return { state: 'foreign', key: signature.keyid }
  const payload = Buffer.from(envelope.payload, 'base64')
  const isOurs = envelope.payloadType === payloadType && key.verify(preAuthEncoding(envelope.payloadType, payload), Buffer.from(signature.sig, 'base64'))
  return { state: isOurs && subjectOf(payload) === digest ? 'valid' : 'invalid', key: signature.keyid }
}

function subjectOf(payload: Buffer): string | undefined {
  return `sha256:${statementIn(payload)?.subject[0]?.digest.sha256}`
}

/** What an envelope carries. */
export function statementIn(payload: Buffer): Statement | undefined {
  try {
    return JSON.parse(payload.toString('utf8')) as Statement
  } catch {
    return undefined
  }
}

export interface ArtifactFacts {
  sbom: boolean
  signature: SignatureState['state']
  /** Licences that cannot be avoided. */
  licences?: string[]
  secrets?: number
  /** Absent while it is not known. */
  findings?: Record<'critical' | 'high' | 'medium' | 'low' | 'unknown', number>
}

export function factsOf(known: { components: ArtifactComponent[]; secrets: unknown[]; findings: VulnerabilityFinding[]; unknown: string[] } | undefined, { state }: SignatureState): ArtifactFacts {
  if (!known) return { sbom: false, signature: state }
  const { components, secrets, findings, unknown } = known
  const count = (severity: VulnerabilityFinding['severity']): number => findings.filter((finding) => finding.severity === severity && finding.certain).length
  return {
    sbom: true,
    signature: state,
    licences: [...new Set(components.flatMap(({ licences }) => licences.flatMap(bindingLicences)))].toSorted(),
    secrets: secrets.length,
    ...(unknown.length > 0 ? {} : { findings: { critical: count('critical'), high: count('high'), medium: count('medium'), low: count('low'), unknown: count('unknown') } }),
  }
}
