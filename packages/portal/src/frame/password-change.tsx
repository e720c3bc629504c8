/** A new password of one's own. Whoever came by a login link has none yet and leaves the first field empty. */
import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { ErrorState } from '../pieces/error-state.tsx'
import { put } from './api.ts'
import { useSession } from './session.ts'

export default function PasswordChange({ close }: { close: () => void }) {
  const { user } = useSession()
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const change = useMutation({
    mutationFn: () => put(`/v1/users/${encodeURIComponent(user)}/password`, { password, ...(current === '' ? {} : { current }) }),
    onSuccess: () => {
      notifications.show({ closeButtonProps: { 'aria-label': 'Close' }, message: 'The password is changed. Other sessions of yours have ended.' })
      close()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    change.mutate()
  }
  return (
    <Modal opened onClose={close} title="Change password" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack>
          <input type="text" autoComplete="username" value={user} readOnly hidden />
          <PasswordInput label="Current password" description="Empty if you have none yet." autoComplete="current-password" data-autofocus value={current} onChange={({ currentTarget }) => setCurrent(currentTarget.value)} />
          <PasswordInput label="New password" description="12 characters at least; a passphrase of a few words is good." autoComplete="new-password" required value={password} onChange={({ currentTarget }) => setPassword(currentTarget.value)} />
          {change.error && <ErrorState error={change.error} />}
          <Group justify="space-between">
            <Text size="xs" c="dimmed">
              Your other sessions end.
            </Text>
            <Button type="submit" loading={change.isPending}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
