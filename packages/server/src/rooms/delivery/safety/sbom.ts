/** Pure: the list of parts as a CycloneDX document (https://cyclonedx.org/docs/1.6/json/). */
// Only these parts: the whole library brings validators that need files of its own.
import * as Enums from '@cyclonedx/cyclonedx-library/Enums'
import * as Models from '@cyclonedx/cyclonedx-library/Models'
import * as Serialize from '@cyclonedx/cyclonedx-library/Serialize'
import * as SPDX from '@cyclonedx/cyclonedx-library/SPDX'
import * as Spec from '@cyclonedx/cyclonedx-library/Spec'
import type { ArtifactComponent } from '@pavior/contract'
import { isExpression } from './licences.ts'

export interface SbomSubject {
  team: string
  app: string
  /** Digest of the artifact. */
  digest: string
  /** ISO 8601. */
  at: string
  pavior: string
}

/** The same for the same artifact and moment: the serial number is made of the digest. */
export function sbomOf({ team, app, digest, at, pavior }: SbomSubject, components: readonly ArtifactComponent[]): string {
  const hex = digest.replace('sha256:', '')
  const bom = new Models.Bom({ serialNumber: `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`, version: 1 })
  bom.metadata.timestamp = new Date(at)
  bom.metadata.tools.components.add(new Models.Component(Enums.ComponentType.Application, 'pavior', { version: pavior }))
  bom.metadata.component = new Models.Component(Enums.ComponentType.Application, app, { group: team, bomRef: 'app', version: digest, hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], hex]]) })
  const licences = new Map<string, Models.License>()
  for (const one of components) {
    const part = new Models.Component(Enums.ComponentType.Library, one.name, { version: one.version, purl: one.purl, bomRef: one.purl })
    for (const expression of one.licences) part.licenses.add(licenceOf(expression, licences))
    part.properties.add(new Models.Property('pavior:found', one.from))
    bom.components.add(part)
    bom.metadata.component.dependencies.add(part.bomRef)
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return serializer.serialize(bom, { sortLists: true, space: 0 })
}

function licenceOf(expression: string, known: Map<string, Models.License>): Models.License {
  const made = known.get(expression) ?? newLicence(expression)
  known.set(expression, made)
  return made
}

function newLicence(expression: string): Models.License {
  if (SPDX.isSupportedSpdxId(expression)) return new Models.SpdxLicense(expression)
  return isExpression(expression) ? new Models.LicenseExpression(expression) : new Models.NamedLicense(expression)
}
