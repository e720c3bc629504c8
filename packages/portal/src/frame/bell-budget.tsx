/** Behind the bell: promises of one's teams whose budget burns or is used up. */
import type { Resource, SloSpec, SloStatus } from '@pavior/contract'
import { Text, UnstyledButton } from '@mantine/core'
import { useMemo } from 'react'
import { Ago } from '../pieces/ago.tsx'
import { Status } from '../pieces/status.tsx'
import { useCollection } from './collections.ts'
import { isMine } from './ended.ts'
import { useGo } from './navigation.ts'
import { resourceHref } from './registry.ts'
import type { Session } from './session.ts'
import classes from './bell.module.css'

type Slo = Resource<SloSpec, SloStatus>

const burning = { fieldSelector: 'status.state=Burning' }
const exhausted = { fieldSelector: 'status.state=Exhausted' }

/** A draft promises nothing yet. */
export function useBudgetTrouble(session: Session): Slo[] {
  const { items: fast } = useCollection<Slo>('slos', burning)
  const { items: gone } = useCollection<Slo>('slos', exhausted)
  return useMemo(() => [...gone, ...fast].filter((slo) => slo.spec.draft !== true && isMine(slo, session)), [fast, gone, session])
}

export function BudgetRow({ slo, left }: { slo: Slo; left: () => void }) {
  const go = useGo()
  const { metadata, status } = slo
  const open = (): void => {
    left()
    go(resourceHref('slos', slo))
  }
  return (
    <UnstyledButton className={classes.row} data-unread onClick={open}>
      <Status word={status?.state ?? 'Burning'} tone={status?.state === 'Exhausted' ? 'bad' : 'warn'} />
      <span className={classes.words}>
        <Text size="sm" truncate>
          {metadata.name}
        </Text>
        <Text size="xs" c="dimmed" lineClamp={2}>
          {status?.message}
        </Text>
      </span>
      <Text size="xs" c="dimmed" component="span">
        <Ago at={status?.since} />
      </Text>
    </UnstyledButton>
  )
}
