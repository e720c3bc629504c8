/** Has the platform fix a rule: first what it will do, then the button that does it. */
import type { RuleFix, RuleResult } from '@pavior/contract'
import { Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { PatchView } from '../../pieces/diff.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { fixPreviewQuery, fixRule, type RulePlace } from './reads.ts'

const verbs: Record<NonNullable<RuleResult['action']>['type'], string> = { scale: 'Scale', upgrade: 'Propose the upgrade', propose: 'Make the branch' }

/** What is being fixed: the rule as it was when its fix was asked for. */
export interface Fixing {
  scorecard: string
  rule: RuleResult
}

export function FixButton({ rule, open }: { rule: RuleResult; open: () => void }) {
  return (
    <Button size="compact-xs" variant="default" flex="none" onClick={open} aria-label={`Fix: ${rule.title}`}>
      Fix
    </Button>
  )
}

/** The page's one dialog, not one of each rule: a rule that is kept loses its button, and what was done must still be read. */
export function FixDialog({ team, app, fixing, close }: Omit<RulePlace, 'scorecard' | 'rule'> & { fixing: Fixing | undefined; close: () => void }) {
  return (
    <Modal opened={fixing !== undefined} onClose={close} title={fixing?.rule.title} size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      {fixing && <Fix place={{ team, app, scorecard: fixing.scorecard, rule: fixing.rule.rule }} verb={verbs[fixing.rule.action!.type]} close={close} />}
    </Modal>
  )
}

function Fix({ place, verb, close }: { place: RulePlace; verb: string; close: () => void }) {
  const preview = useQuery(fixPreviewQuery(place))
  const fixing = useMutation({ mutationFn: () => fixRule(place) })
  if (preview.error) return <ErrorState error={preview.error} />
  if (!preview.data) return <Skeleton height={120} />
  const shown = fixing.data ?? preview.data
  return (
    <Stack>
      <Text size="sm" role="status">
        {shown.summary}
      </Text>
      <Proposal fix={shown} />
      {fixing.error && <ErrorState error={fixing.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {fixing.data ? 'Close' : 'Cancel'}
        </Button>
        {!fixing.data && (
          <Button autoFocus loading={fixing.isPending} onClick={() => fixing.mutate()}>
            {verb}
          </Button>
        )}
      </Group>
    </Stack>
  )
}

function Proposal({ fix: { branch, diff, conflicts = [], done } }: { fix: RuleFix }) {
  if (branch === undefined) return null
  return (
    <>
      {conflicts.length > 0 && (
        <Text size="sm" c="dimmed">
          {conflicts.join(', ')} {conflicts.length === 1 ? 'has a conflict' : 'have conflicts'} with main, marked in the branch.
        </Text>
      )}
      {diff && <PatchView patch={diff} />}
      {done && <CopyCommand command={`git fetch pavior ${branch} && git merge pavior/${branch}`} />}
    </>
  )
}
