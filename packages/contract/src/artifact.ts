/** What is known of an artifact beyond its files, as the API gives it. */

/** Ecosystems by the names that OSV gives them. */
export type Ecosystem = 'npm' | 'PyPI' | 'Go' | 'crates.io' | 'RubyGems' | 'Packagist' | 'Maven' | 'Debian' | 'Alpine'

/** A part of an artifact that somebody else wrote. */
export interface ArtifactComponent {
  /** With the release of a distribution: `Debian:12`. */
  ecosystem: string
  name: string
  version: string
  /** Package URL. */
  purl: string
  /** SPDX expressions; empty where it says none. */
  licences: string[]
  /** artifact: its files are there. lock: the source asks for it, and it may be in there without its name. */
  from: 'artifact' | 'lock'
}

/** What looks like a secret in the source. Never the value. */
export interface SecretFinding {
  path: string
  line: number
  /** What it looks like. */
  rule: string
}

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'unknown'

/** A known hole of a component. */
export interface VulnerabilityFinding {
  /** Of OSV. */
  id: string
  /** CVE and others. */
  aliases: string[]
  severity: Severity
  summary: string
  component: { ecosystem: string; name: string; version: string; purl: string }
  /** Version from which on it is mended; absent when there is none or it is not known. */
  fixed?: string
  /** False when the version could not be compared, so that it may not concern it. */
  certain: boolean
}

/** Imported advisories of an ecosystem. */
export interface AdvisoryState {
  ecosystem: string
  advisories: number
  importedAt: string
  /** When the newest advisory in it was changed. */
  newestAt: string
}

export interface SignatureState {
  /** valid · missing: made before artifacts were signed · invalid: not what was signed · foreign: signed with a key that is not of this installation. */
  state: 'valid' | 'missing' | 'invalid' | 'foreign'
  /** Fingerprint of the key. */
  key?: string
}

export interface ArtifactView {
  digest: string
  app: string
  team: string
  /** Build that made it. */
  build: string
  at: string
  components: ArtifactComponent[]
  /** Of all components, with their number; the empty name stands for none. */
  licences: { licence: string; components: number }[]
  findings: VulnerabilityFinding[]
  /** Ecosystems of its components for which no advisories were imported: what they hide is unknown. */
  unknownEcosystems: string[]
  advisories: AdvisoryState[]
  secrets: SecretFinding[]
  signature: SignatureState
  /** in-toto statement with SLSA provenance. */
  statement?: object
  /** The statement as it was signed: a DSSE envelope. */
  envelope?: object
}
