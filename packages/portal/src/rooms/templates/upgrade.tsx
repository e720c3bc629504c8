/** Proposes an upgrade as a branch, and shows what is in it. */
import type { FleetRow } from '@pavior/contract'
import { Button, Code, List, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Status } from '../../pieces/status.tsx'
import { proposeUpgrade, type Upgrade } from './queries.ts'

export function useUpgrade() {
  return useMutation({ mutationFn: ({ team, app }: FleetRow) => proposeUpgrade(team, app) })
}

/** State of a row; one that is behind can be brought forward. */
export function UpgradeCell({ row, busy, propose }: { row: FleetRow; busy: boolean; propose: () => void }) {
  if (!row.behind) return <Status word="Up to date" tone="good" />
  return (
    <Button size="compact-xs" variant="default" loading={busy} onClick={propose} aria-label={`Propose ${row.offered} to ${row.app}`}>
      Propose {row.offered}
    </Button>
  )
}

export function UpgradeResult({ result, error }: { result: Upgrade | undefined; error: Error | null }) {
  if (error) return <ErrorState error={error} />
  if (!result) return null
  const { app, from, to, changed, branch, files = [], conflicts = [] } = result
  if (!changed) return <Text size="sm">Nothing differs for {app} between {from} and {to}.</Text>
  return (
    <Stack gap="xs" role="status">
      <Text size="sm">
        {app} has the branch <Code>{branch}</Code> now, from {from} to {to}. Main is as it was.
        {conflicts.length > 0 && ` ${conflicts.length} files have conflicts, marked in the branch.`}
      </Text>
      <List size="sm">
        {files.map(({ path, change }) => (
          <List.Item key={path}>
            {path} <Status word={change} tone={change === 'conflict' ? 'warn' : 'idle'} />
          </List.Item>
        ))}
      </List>
      <CopyCommand command={`git fetch pavior ${branch} && git merge pavior/${branch}`} />
    </Stack>
  )
}
