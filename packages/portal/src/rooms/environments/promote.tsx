/** Before the artifact of one environment goes to another: what changes there, how it gets there, and what will hold it. */
import type { EnvironmentSpec, Resource } from '@pavior/contract'
import { Button, Group, List, Modal, Stack, Text } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { post } from '../../frame/api.ts'
import { appApi, appPath, type AppPlace } from '../../frame/apps.ts'
import { useGo } from '../../frame/navigation.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { protectionOf, strategyText } from './board-plan.ts'
import { Differences } from './differences.tsx'
import { frozenNow } from './freeze-state.ts'
import { useFreezes, usePromotionPlan } from './reads.ts'

export interface Promotion {
  from: string
  to: string
  /** Of the environment that it goes to, when it is declared. */
  spec: EnvironmentSpec | undefined
}

export function PromoteDialog({ place, promotion, close }: { place: AppPlace; promotion: Promotion | undefined; close: () => void }) {
  return (
    <Modal opened={promotion !== undefined} onClose={close} size="lg" title={promotion && `Promote ${promotion.from} to ${promotion.to}?`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {promotion && <Plan place={place} promotion={promotion} close={close} />}
    </Modal>
  )
}

function Plan({ place, promotion, close }: { place: AppPlace; promotion: Promotion; close: () => void }) {
  const { from, to } = promotion
  const go = useGo()
  const { data, error } = usePromotionPlan(place, from, to)
  const work = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    work.act(async () => {
      const { metadata } = await post<Resource>(appApi(place, 'promote'), { from, to })
      close()
      go(appPath(place, 'deployments', metadata.name))
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {error && <ErrorState error={error} />}
        {!data && !error && <RowsSkeleton count={4} />}
        {data && (
          <>
            <Text size="sm">
              <b>v{data.from.release}</b> serves in {from}; {data.to.release === undefined ? `nothing serves in ${to}` : <><b>v{data.to.release}</b> serves in {to}</>}. The artifact is not built again.
            </Text>
            <Differences comparison={data} words={{ added: 'is added', removed: 'goes away' }} />
            <Text size="sm">
              <b>Strategy</b> {strategyText(data.strategy.type, data.strategy.steps)} ({data.strategy.from})
            </Text>
            <Holds team={place.team} promotion={promotion} />
          </>
        )}
        {work.error && <ErrorState error={work.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={work.busy} disabled={!data} data-autofocus>
            Promote
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** The rules of the environment, and what is frozen at this moment. */
function Holds({ team, promotion: { to, spec } }: { team: string; promotion: Promotion }) {
  const { freezes, everywhere } = useFreezes(team)
  const [now] = useState(() => new Date())
  const frozen = frozenNow([...freezes, ...everywhere].map((each) => each.spec), { environment: to, tier: spec?.tier ?? 'production' }, now)
  const rules = [...frozen, ...(spec ? protectionOf(spec) : [])]
  if (rules.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nothing holds it; it begins at once.
      </Text>
    )
  }
  return (
    <div>
      <Text size="sm" fw={600}>
        What {to} asks for
      </Text>
      <List size="sm" spacing={2}>
        {rules.map((rule) => (
          <List.Item key={rule}>{rule}</List.Item>
        ))}
      </List>
    </div>
  )
}
