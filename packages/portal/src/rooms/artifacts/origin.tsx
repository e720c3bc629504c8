/** Who made an artifact from what, as it was signed. */
import type { ArtifactView } from '@pavior/contract'
import { Table, Text } from '@mantine/core'
import { Section } from '../../pieces/section.tsx'

/** As much of SLSA provenance as is shown; https://slsa.dev/spec/v1.0/provenance. */
interface Provenance {
  predicate?: {
    buildDefinition?: { externalParameters?: { source?: { type?: string; branch?: string } }; internalParameters?: { builder?: string; toolchain?: { name?: string; version?: string } }; resolvedDependencies?: { digest?: { sha256?: string; gitCommit?: string } }[] }
    runDetails?: { builder?: { id?: string }; metadata?: { startedOn?: string; finishedOn?: string } }
  }
}

export function Origin({ view: { statement } }: { view: ArtifactView }) {
  const { buildDefinition, runDetails } = (statement as Provenance | undefined)?.predicate ?? {}
  if (!buildDefinition) return null
  const { source } = buildDefinition.externalParameters ?? {}
  const { builder, toolchain } = buildDefinition.internalParameters ?? {}
  const [from] = buildDefinition.resolvedDependencies ?? []
  const rows: [string, string | undefined][] = [
    ['Source', source?.type === 'git' ? `git, branch ${source.branch ?? 'unknown'}` : 'upload'],
    ['Commit', from?.digest?.gitCommit],
    ['Digest of the source', from?.digest?.sha256 && `sha256:${from.digest.sha256}`],
    ['Builder', builder],
    ['Toolchain', toolchain && `${toolchain.name} ${toolchain.version}`],
    ['Built by', runDetails?.builder?.id],
    ['Finished', runDetails?.metadata?.finishedOn],
  ]
  return (
    <Section title="Signed statement">
      <Table aria-label="Signed statement" verticalSpacing={4}>
        <Table.Tbody>
          {rows
            .filter((row): row is [string, string] => row[1] !== undefined)
            .map(([label, value]) => (
              <Table.Tr key={label}>
                <Table.Th w={180} fw={500}>
                  {label}
                </Table.Th>
                <Table.Td>
                  <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                    {value}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}
