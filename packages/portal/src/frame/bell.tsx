/** Deployments of one's teams that came to an end or wait for one's approval, and budgets in trouble: a list behind a bell, and a word in the corner while one looks at something else. */
import { ActionIcon, Indicator, Popover, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconBell } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Ago } from '../pieces/ago.tsx'
import { Status } from '../pieces/status.tsx'
import { useApprovals } from './approvals.ts'
import { BudgetRow, useBudgetTrouble } from './bell-budget.tsx'
import { ElevationRow, useElevations } from './bell-elevation.tsx'
import { useCollection } from './collections.ts'
import { hasEnded, isMine, justEnded, toldAbout, type Deployment } from './ended.ts'
import { wentWrong } from './phases.ts'
import { useGo } from './navigation.ts'
import { resourceHref } from './registry.ts'
import { useSession } from './session.ts'
import classes from './bell.module.css'

const storageKey = 'pavior.notifications.read-at'
const successShownMs = 6000
const failureShownMs = 15_000

export default function Bell() {
  const session = useSession()
  const { items, loading } = useCollection<Deployment>('deployments')
  const mine = useMemo(() => items.filter((deployment) => isMine(deployment, session)), [items, session])
  const { waiting } = useApprovals(session, undefined)
  const asked = useMemo(() => waiting.filter(({ may, deployment }) => may && isMine(deployment, session)).map(({ deployment }) => deployment), [waiting, session])
  const [opened, { toggle, close }] = useDisclosure(false)
  const { readAt, read } = useReadMark()
  const { shown, unread } = useMemo(() => toldAbout(mine, readAt), [mine, readAt])
  useToasts(mine, loading)
  const shut = (): void => {
    read()
    close()
  }
  const elevated = useElevations(session)
  const broken = useBudgetTrouble(session)
  const count = unread + asked.length + elevated.length + broken.length
  const label = ['Notifications', ...(unread > 0 ? [`${unread} unread`] : []), ...(asked.length > 0 ? [`${asked.length} to approve`] : []), ...(elevated.length > 0 ? [`${elevated.length} elevated`] : []), ...(broken.length > 0 ? [`${broken.length} ${broken.length === 1 ? 'budget' : 'budgets'} in trouble`] : [])].join(', ')
  return (
    <Popover opened={opened} onDismiss={shut} width="min(360px, calc(100vw - 16px))" position="bottom-end" shadow="md" withinPortal trapFocus returnFocus>
      <Indicator disabled={count === 0} label={count > 99 ? '99+' : count} size={15} offset={5} color="red.9">
        <Popover.Target>
          <ActionIcon variant="subtle" color="gray" onClick={opened ? shut : toggle} aria-label={label}>
            <IconBell size={18} />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown p={0} aria-label="Notifications">
        <div className={classes.list}>
          {shown.length + asked.length + elevated.length + broken.length === 0 && (
            <Text size="sm" c="dimmed" p="md">
              No deployment of your teams has ended yet. You hear here when one does.
            </Text>
          )}
          {elevated.map((binding) => (
            <ElevationRow key={binding.metadata.uid} binding={binding} left={shut} />
          ))}
          {broken.map((slo) => (
            <BudgetRow key={slo.metadata.uid} slo={slo} left={shut} />
          ))}
          {asked.map((deployment) => (
            <Row key={deployment.metadata.uid} deployment={deployment} word="Approve" unread left={shut} />
          ))}
          {shown.map((deployment) => (
            <Row key={deployment.metadata.uid} deployment={deployment} unread={deployment.status!.finishedAt! > readAt} left={shut} />
          ))}
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}

function Row({ deployment, word, unread, left }: { deployment: Deployment; word?: string; unread: boolean; left: () => void }) {
  const go = useGo()
  const { spec, status, metadata } = deployment
  const open = (): void => {
    left()
    go(resourceHref('deployments', deployment))
  }
  return (
    <UnstyledButton className={classes.row} data-unread={unread || undefined} onClick={open}>
      {word === undefined ? <Status word={status?.phase ?? 'Unknown'} /> : <Status word={word} tone="warn" />}
      <span className={classes.words}>
        <Text size="sm" truncate>
          {spec.app} v{spec.release}
        </Text>
        <Text size="xs" c="dimmed" truncate>
          {metadata.namespace}/{spec.environment}
        </Text>
        {status?.problem && (
          <Text size="xs" c="dimmed" lineClamp={2}>
            {status.problem.message}
          </Text>
        )}
      </span>
      <Text size="xs" c="dimmed" component="span">
        <Ago at={status?.finishedAt ?? metadata.creationTimestamp} />
      </Text>
    </UnstyledButton>
  )
}

/** What ended before this moment was seen. Somebody new here has seen everything. */
function useReadMark(): { readAt: string; read: () => void } {
  const [readAt, setReadAt] = useState(() => localStorage.getItem(storageKey) ?? keep(new Date().toISOString()))
  return { readAt, read: () => setReadAt(keep(new Date().toISOString())) }
}

function keep(moment: string): string {
  localStorage.setItem(storageKey, moment)
  return moment
}

function useToasts(deployments: Deployment[], loading: boolean): void {
  const known = useRef<Set<string>>(undefined)
  const go = useGo()
  useEffect(() => {
    if (loading) return
    for (const deployment of known.current === undefined ? [] : justEnded(known.current, deployments)) {
      // Whoever looks at the app sees it there.
      if (!location.pathname.startsWith(`/apps/${deployment.metadata.namespace}/${deployment.spec.app}`)) tell(deployment, go)
    }
    known.current = new Set(deployments.filter(hasEnded).map(({ metadata }) => metadata.uid))
  }, [deployments, loading, go])
}

function tell(deployment: Deployment, go: (path: string) => void): void {
  const { spec, status, metadata } = deployment
  const failed = wentWrong(status?.phase)
  notifications.show({
    id: `deployment-${metadata.uid}`,
    color: failed ? 'red' : 'pine',
    closeButtonProps: { 'aria-label': 'Close' },
    title: failed ? `${spec.app} v${spec.release} ${status?.phase === 'RolledBack' ? 'was taken back' : 'failed'} in ${spec.environment}` : `${spec.app} v${spec.release} serves in ${spec.environment}`,
    message: (
      <UnstyledButton
        className={classes.more}
        onClick={() => {
          notifications.hide(`deployment-${metadata.uid}`)
          go(resourceHref('deployments', deployment))
        }}
      >
        {failed ? (status?.problem?.message ?? 'See why') : 'See the deployment'}
      </UnstyledButton>
    ),
    autoClose: failed ? failureShownMs : successShownMs,
  })
}
