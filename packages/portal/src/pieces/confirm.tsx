/** Before something is lost: names what, and asks for the name where there is no way back. */
import { Button, Group, List, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { ErrorState } from './error-state.tsx'

export interface ConfirmProps {
  opened: boolean
  close: () => void
  /** A question: "Delete the app checkout?" */
  title: string
  /** What is lost or changed, one line each. */
  losses: ReactNode[]
  /** The verb of the button: "Delete". */
  action: string
  /** Must be typed when given. */
  name?: string
  /** Not red, for what can be taken back. */
  harmless?: boolean
  /** Closes when it resolves; shows the error when it does not. */
  confirm: () => Promise<unknown>
}

export function Confirm({ opened, close, title, ...rest }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Question close={close} {...rest} />}
    </Modal>
  )
}

function Question({ close, losses, action, name, harmless = false, confirm }: Omit<ConfirmProps, 'opened' | 'title'>) {
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    confirm().then(close, (caught: Error) => {
      setError(caught)
      setBusy(false)
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        {losses.length > 0 && (
          <List size="sm" spacing={4}>
            {losses.map((loss, index) => (
              <List.Item key={index}>{loss}</List.Item>
            ))}
          </List>
        )}
        {name !== undefined && (
          <TextInput
            data-autofocus
            label={
              <Text span size="sm">
                Type <b>{name}</b> to go on
              </Text>
            }
            autoComplete="off"
            value={typed}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        )}
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" color={harmless ? undefined : 'red.9'} loading={busy} disabled={name !== undefined && typed !== name} data-autofocus={name === undefined || undefined}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
