/** Asks for the reason before a freeze or a soak time is passed; it stands in the audit. */
import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'

/** As the API asks for it. */
const shortestReason = 10
const longestReason = 500

interface OverrideDialogProps {
  opened: boolean
  close: () => void
  environment: string
  override: (reason: string) => Promise<unknown>
}

export function OverrideDialog({ opened, close, environment, override }: OverrideDialogProps) {
  return (
    <Modal opened={opened} onClose={close} title={`Deploy to ${environment} all the same?`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Reason close={close} override={override} />}
    </Modal>
  )
}

function Reason({ close, override }: Pick<OverrideDialogProps, 'close' | 'override'>) {
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(() => override(reason.trim()).then(close))
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">This deployment passes freezes and soak times; approvals it still needs. The reason is kept with it and in the audit.</Text>
        <Textarea data-autofocus label="Why it cannot wait" description={`At least ${shortestReason} characters.`} autosize minRows={2} maxLength={longestReason} value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={reason.trim().length < shortestReason}>
            Override
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
