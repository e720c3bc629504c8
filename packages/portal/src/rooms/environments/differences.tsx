/** What differs between what serves in two environments: artifact, names of settings, processes. */
import { Code, Table, Text } from '@mantine/core'
import type { EnvironmentComparison, ValueChange } from '@pavior/contract'

interface Words {
  added: string
  removed: string
}

export function Differences({ comparison: { from, to, changes }, words }: { comparison: EnvironmentComparison; words: Words }) {
  const same = to.artifact === from.artifact
  return (
    <>
      <Text size="sm">
        {to.artifact === undefined ? (
          `Nothing serves in ${to.environment} yet.`
        ) : same ? (
          <>
            The artifact is the same: <Code>{from.artifact.slice(0, 19)}</Code>
          </>
        ) : (
          <>
            Artifact: {from.environment} has <Code>{from.artifact.slice(0, 19)}</Code>, {to.environment} has <Code>{to.artifact.slice(0, 19)}</Code>
          </>
        )}
      </Text>
      {changes && changes.configuration.length + changes.processes.length + changes.secrets.length === 0 && (
        <Text size="sm" c="dimmed">
          Configuration, secrets and processes are the same.
        </Text>
      )}
      {changes && <Names changes={[...changes.configuration, ...changes.secrets, ...changes.processes]} words={words} />}
    </>
  )
}

/** Values stay where they are: names are enough to decide by. */
function Names({ changes, words }: { changes: ValueChange[]; words: Words }) {
  if (changes.length === 0) return null
  return (
    <Table aria-label="Settings that differ" verticalSpacing={3} mt={6}>
      <Table.Tbody>
        {changes.map(({ name, before, after }) => (
          <Table.Tr key={name}>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>
              <Code>{name}</Code>
            </Table.Td>
            <Table.Td>{before === undefined ? words.added : after === undefined ? words.removed : before === '…' ? 'differs' : `${before} → ${after}`}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
