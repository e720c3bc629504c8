/** What this deployment changed against the release that served before it. */
import { Code, Table, Text } from '@mantine/core'
import { Ago } from '../../pieces/ago.tsx'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { PatchView, ValueChanges } from '../../pieces/diff.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import type { AppPlace, Deployment } from '../../frame/apps.ts'
import { useChanges, type Changes } from './changes.ts'

export function DeploymentChanges({ place, deployment: { spec, status } }: { place: AppPlace; deployment: Deployment }) {
  const before = status?.previousRelease
  const { data, error, isLoading } = useChanges(place, before, spec.release)
  if (before === undefined || before === spec.release) {
    return (
      <Section title="Changes">
        <Text size="sm" c="dimmed">
          {before === undefined ? 'Nothing served before it, so there is nothing to compare with.' : `v${spec.release} served before too.`}
        </Text>
      </Section>
    )
  }
  return (
    <Section title={`Changes since v${before}`}>
      {isLoading && <RowsSkeleton count={3} />}
      {error && <ErrorState error={error} />}
      {data && <Source changes={data} />}
      {data && <Rest changes={data} />}
    </Section>
  )
}

function Source({ changes: { source } }: { changes: Changes }) {
  const { commits = [], files, patch, cut } = source ?? {}
  return (
    <>
      {commits.length > 0 && <Commits commits={commits} />}
      {files === undefined && (
        <Text size="sm" c="dimmed">
          The sources of one of them are no longer kept, so their files cannot be compared.
        </Text>
      )}
      {files?.length === 0 && (
        <Text size="sm" c="dimmed">
          The code is the same.
        </Text>
      )}
      {patch ? <PatchView patch={patch} /> : cut && files && <Files files={files} />}
    </>
  )
}

function Commits({ commits }: { commits: NonNullable<NonNullable<Changes['source']>['commits']> }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={320} mb="sm">
      <Table aria-label="Commits" verticalSpacing={4}>
        <Table.Tbody>
          {commits.map(({ commit, author, time, subject }) => (
            <Table.Tr key={commit}>
              <Table.Td>
                <Code>{commit.slice(0, 7)}</Code>
              </Table.Td>
              <Table.Td>{subject}</Table.Td>
              <Table.Td>{author}</Table.Td>
              <Table.Td>
                <Ago at={time} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

/** When there is too much to read, names and numbers. */
function Files({ files }: { files: { path: string; added?: number; removed?: number }[] }) {
  return (
    <>
      <Text size="sm" c="dimmed">
        The differences are too long for a page; these {files.length} files differ.
      </Text>
      <Code block mah={320} tabIndex={0}>
        {files.map(({ path, added, removed }) => `${added === undefined ? 'binary' : `+${added} −${removed}`}  ${path}`).join('\n')}
      </Code>
    </>
  )
}

function Rest({ changes: { configuration, secrets, processes, artifact } }: { changes: Changes }) {
  return (
    <>
      {configuration.length > 0 ? (
        <ValueChanges label="Configuration" changes={configuration} />
      ) : (
        <Text size="sm" c="dimmed">
          The configuration is the same.
        </Text>
      )}
      {secrets.length > 0 && <ValueChanges label="Secrets" changes={secrets} />}
      {processes.length > 0 && <ValueChanges label="Processes" changes={processes} />}
      <Text size="sm" c="dimmed" component="div">
        {artifact.same ? 'The artifact is the same: ' : 'The artifact is '}
        <Code>{artifact.after.slice(0, 19)}</Code>
        <CopyButton text={artifact.after} label="Copy the digest of the artifact" />
      </Text>
    </>
  )
}
