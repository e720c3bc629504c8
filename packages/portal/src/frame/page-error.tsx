/** In place of a page that failed; the frame around it stays. */
import { Button, Group, Stack } from '@mantine/core'
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router'
import { ErrorState } from '../pieces/error-state.tsx'
import { PageHeader } from '../pieces/page-header.tsx'
import { ApiError } from './api.ts'

export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const again = (): void => {
    reset()
    void router.invalidate()
  }
  return (
    <Stack component="section">
      <PageHeader title="This page cannot be shown" />
      <ErrorState error={error instanceof ApiError ? error : ownFault(error instanceof Error ? error.message : String(error))} />
      <Group gap="xs">
        <Button variant="light" onClick={again}>
          Try again
        </Button>
        <Button variant="default" onClick={() => location.reload()}>
          Reload
        </Button>
      </Group>
    </Stack>
  )
}

/** A fault of the portal itself gets a code too, so that it can be searched for and reported. */
function ownFault(why: string): ApiError {
  const message = 'The portal failed at showing this page.'
  return new ApiError(0, { message, details: { pavior: { code: 'PORTAL_FAULT', message, why, fix: 'Reload the page. If it stays so, report the line above; the command line does all that the portal does.' } } })
}
