/** Whether the audit is still what was written: asked for, because it reads all of it. */
import type { AuditVerification } from '@pavior/contract'
import { Button, Group, List, Text } from '@mantine/core'
import { IconLink } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Status } from '../../pieces/status.tsx'

export function Chain() {
  const { data, error, isPending, mutate } = useMutation({ mutationFn: () => get<AuditVerification>('/v1/audit/verify') })
  return (
    <>
      <Group gap="sm" mb="sm" role="status" aria-label="Chain of the audit">
        <Button size="xs" variant="default" leftSection={<IconLink size={14} />} loading={isPending} onClick={() => mutate()}>
          Verify
        </Button>
        {data ? (
          <Outcome result={data} />
        ) : (
          <Text size="sm" c="dimmed">
            Every row is linked to the one before it by a hash.
          </Text>
        )}
      </Group>
      {error && <ErrorState error={error} />}
      {data?.intact === false && <Problems result={data} />}
      {data?.head && <CopyCommand command={`pavior audit verify --head ${data.head.resourceVersion}:${data.head.hash}`} />}
    </>
  )
}

function Outcome({ result: { intact, rows, seals, resources } }: { result: AuditVerification }) {
  return (
    <>
      <Status word={intact ? 'As it was written' : 'Not as it was written'} tone={intact ? 'good' : 'bad'} />
      <Text size="sm" c="dimmed">
        Rows {rows.toLocaleString('en')}, signed heads {seals}, resources {resources.toLocaleString('en')}
      </Text>
    </>
  )
}

function Problems({ result: { problems, more } }: { result: AuditVerification }) {
  return (
    <List size="sm" mb="md" aria-label="What does not fit">
      {problems.map(({ type, text, resourceVersion }) => (
        <List.Item key={`${type} ${resourceVersion} ${text}`}>{text}</List.Item>
      ))}
      {more > 0 && <List.Item>and {more} more</List.Item>}
    </List>
  )
}
