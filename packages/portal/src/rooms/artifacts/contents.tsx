/** Holes, secrets, parts and licences of an artifact. */
import type { ArtifactComponent, ArtifactView, SecretFinding, Severity, VulnerabilityFinding } from '@pavior/contract'
import { Text } from '@mantine/core'
import { DataTable } from '../../pieces/data-table.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'

const tones: Record<Severity, Tone> = { critical: 'bad', high: 'bad', unknown: 'warn', medium: 'warn', low: 'idle' }
const ranks: Severity[] = ['critical', 'high', 'unknown', 'medium', 'low']

const holeColumns: Column<VulnerabilityFinding>[] = [
  { key: 'severity', label: 'Severity', width: '110px', value: ({ severity }) => ranks.indexOf(severity), show: ({ severity }) => <Status word={severity} tone={tones[severity]} /> },
  { key: 'part', label: 'Part', value: ({ component }) => `${component.name} ${component.version}` },
  { key: 'fixed', label: 'Fixed in', width: '120px', value: ({ fixed }) => fixed ?? 'no fix known' },
  { key: 'id', label: 'Advisory', hideBelow: 'sm', value: ({ id, aliases }) => [id, ...aliases.filter((alias) => alias.startsWith('CVE'))].join(' ') },
  { key: 'summary', label: 'What it is', hideBelow: 'md', value: ({ summary, certain }) => `${certain ? '' : 'Its version could not be compared. '}${summary}` },
]

const partColumns: Column<ArtifactComponent>[] = [
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'version', label: 'Version', width: '130px', value: ({ version }) => version },
  { key: 'ecosystem', label: 'From', width: '110px', hideBelow: 'sm', value: ({ ecosystem }) => ecosystem },
  { key: 'licences', label: 'Licence', hideBelow: 'xs', value: ({ licences }) => licences.join(', ') || 'none said' },
  { key: 'found', label: 'Found in', width: '110px', hideBelow: 'md', value: ({ from }) => (from === 'artifact' ? 'artifact' : 'lock file') },
]

const secretColumns: Column<SecretFinding>[] = [
  { key: 'path', label: 'File', value: ({ path, line }) => `${path}:${line}` },
  { key: 'rule', label: 'Looks like', value: ({ rule }) => rule },
]

export function Contents({ view: { findings, unknownEcosystems, secrets, components, licences } }: { view: ArtifactView }) {
  return (
    <>
      <Section title="Known holes">
        {unknownEcosystems.length > 0 && (
          <Text size="sm" mb="xs">
            No advisories were imported for {unknownEcosystems.join(', ')}, so what its parts hide is unknown. <GoLink to="/advisories" underline="always">Advisories</GoLink>
          </Text>
        )}
        {findings.length > 0 && <DataTable label="holes" name="holes" rows={findings} columns={holeColumns} rowKey={({ id, component }) => `${id} ${component.purl}`} initialSort={{ key: 'severity', descending: false }} />}
        {findings.length === 0 && unknownEcosystems.length === 0 && <Text size="sm">None is known.</Text>}
      </Section>
      {secrets.length > 0 && (
        <Section title="Lines of the source that look like secrets">
          <DataTable label="lines" name="lines" rows={secrets} columns={secretColumns} rowKey={({ path, line }) => `${path}:${line}`} />
        </Section>
      )}
      <Section title="Parts of others">
        <Text size="sm" c="dimmed" mb="xs">
          {licences.length === 0 ? 'It has none.' : licences.map(({ licence, components: count }) => `${licence || 'no licence said'} ${count}`).join(' · ')}
        </Text>
        {components.length > 0 && <DataTable label="parts" name="parts" rows={components} columns={partColumns} rowKey={({ purl, ecosystem }) => `${ecosystem} ${purl}`} />}
      </Section>
    </>
  )
}
