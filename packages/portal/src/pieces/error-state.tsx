/** What went wrong: code, what, why, what to do. */
import { Alert, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { ApiError } from '../frame/api.ts'

export function ErrorState({ error }: { error: Error }) {
  const { code, why, fix } = error instanceof ApiError ? error.details : { code: undefined, why: undefined, fix: undefined }
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={code} role="alert">
      <Stack gap={4}>
        <Text size="sm">{error.message}</Text>
        {why && (
          <Text size="sm" c="dimmed">
            {why}
          </Text>
        )}
        {fix && <Text size="sm">{fix}</Text>}
      </Stack>
    </Alert>
  )
}
