/** Asks for an exception from a finding: reason and days, the rest is known. */
import type { PolicyFinding } from '@pavior/contract'
import { Button, Modal, NumberInput, Stack, Text, Textarea } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../frame/api.ts'
import { useSession } from '../../frame/session.ts'
import { ErrorState } from '../../pieces/error-state.tsx'

const dayMs = 24 * 3600_000

export function AskButton({ finding }: { finding: PolicyFinding }) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={() => setOpened(true)} aria-label={`Ask for an exception from ${finding.policy}`}>
        Ask for an exception
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={`An exception from ${finding.policy}`} closeButtonProps={{ 'aria-label': 'Close' }}>
        <Ask finding={finding} close={() => setOpened(false)} />
      </Modal>
    </>
  )
}

function Ask({ finding: { team, app, policy, rule }, close }: { finding: PolicyFinding; close: () => void }) {
  const { user } = useSession()
  const [reason, setReason] = useState('')
  const [days, setDays] = useState<number | string>(30)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    const spec = { policy, rule, ...(app ? { app } : {}), owner: user, reason, expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() }
    post(resourcePath('policyexceptions', team), { metadata: { generateName: `${policy}-` }, spec }).then(close, (caught: Error) => {
      setError(caught)
      setBusy(false)
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">
          You answer for it. Another administrator of team {team} or one of the platform decides, and at its end the policy is enforced again.
        </Text>
        <Textarea label="Why the policy does not fit" description="A sentence or two, for whoever decides." required minLength={10} maxLength={1000} autosize minRows={2} data-autofocus value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
        <NumberInput label="Days" description="How long it is needed." min={1} max={366} required value={days} onChange={setDays} />
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Ask
        </Button>
      </Stack>
    </form>
  )
}
