/** The way of releases to production: environments side by side, what serves in each, and the next step. */
import { Button, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Environment } from '../../frame/approvals.ts'
import { useApp, useAppPlace, useDeployments, useReleases } from '../../frame/apps.ts'
import { lastingEnvironments } from '../../frame/app-health.ts'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { inOrder, lagOf } from './board-plan.ts'
import { Column } from './column.tsx'
import { Compare } from './compare.tsx'
import { Drift } from './drift.tsx'
import { frozenNow } from './freeze-state.ts'
import { useMinute } from './minute.ts'
import { PreviewTable, rowsOf } from './preview-table.tsx'
import { PromoteDialog, type Promotion } from './promote.tsx'
import { useFreezes } from './reads.ts'
import classes from './board.module.css'

export default function Board() {
  const place = useAppPlace()
  const session = useSession()
  const { resource: app } = useApp(place)
  const declared = useCollection<Environment>('environments', { team: place.team })
  const deployments = useDeployments(place)
  const releases = useReleases(place)
  const [promotion, setPromotion] = useState<Promotion>()
  const byVersion = useMemo(() => new Map(releases.items.map((each) => [each.spec.version, each])), [releases.items])
  const previews = useMemo(() => rowsOf(declared.items, place.app), [declared.items, place.app])
  const environments = useMemo(() => {
    const lasting = declared.items.filter(({ spec }) => !spec.preview)
    const names = [...new Set([...lasting.map(({ metadata }) => metadata.name), ...lastingEnvironments(app)])]
    return inOrder(names.map((name) => ({ name, spec: declared.items.find(({ metadata }) => metadata.name === name)?.spec })))
  }, [declared.items, app])
  const serving = useMemo(() => new Map(Object.entries(app?.status?.environments ?? {}).flatMap(([name, { release, preview }]) => (release === undefined || preview ? [] : [[name, release] as const]))), [app])
  const history = useMemo(
    () => deployments.items.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Watching').map(({ spec }) => ({ environment: spec.environment, release: spec.release })).toReversed(),
    [deployments.items],
  )
  const { freezes: own, everywhere } = useFreezes(place.team)
  const freezes = useMemo(() => [...own, ...everywhere].map(({ spec }) => spec), [own, everywhere])
  const now = useMinute()
  if (!app || declared.loading || deployments.loading) return <RowsSkeleton />
  const may = mayAs(session, 'developer', place.team)
  return (
    <>
      <ol className={classes.board} aria-label="Environments">
        {environments.map(({ name, spec }) => {
          const before = spec?.after
          return (
            <Column
              key={name}
              place={place}
              environment={{ name, spec }}
              app={app}
              deployments={deployments.items.filter((each) => each.spec.environment === name)}
              releases={byVersion}
              lag={lagOf(name, before, serving, history, (version) => byVersion.get(version)?.spec.artifact)}
              frozen={frozenNow(freezes, { environment: name, tier: spec?.tier ?? 'production' }, new Date(now))}
              promote={may && before !== undefined && serving.has(before) ? () => setPromotion({ from: before, to: name, spec }) : undefined}
            />
          )
        })}
      </ol>
      {serving.size > 1 && <Compare place={place} environments={environments.map(({ name }) => name)} serving={serving} promote={may ? (from, to) => setPromotion({ from, to, spec: environments.find(({ name }) => name === to)?.spec }) : undefined} />}
      {(previews.length > 0 || app.spec.previews) && (
        <Section title="Previews">
          <PreviewTable rows={previews} loading={declared.loading} app={place.app} />
        </Section>
      )}
      <Drift place={place} version={`${app.metadata.resourceVersion} ${deployments.items[0]?.metadata.resourceVersion ?? ''}`} />
      <More team={place.team} app={place.app} admin={mayAs(session, 'admin', place.team)} />
      <PromoteDialog place={place} promotion={promotion} close={() => setPromotion(undefined)} />
    </>
  )
}

function More({ team, app, admin }: { team: string; app: string; admin: boolean }) {
  return (
    <Section
      title="Another environment"
      actions={
        <GoLink size="sm" to="/freezes" search={{ team }}>
          Freezes
        </GoLink>
      }
    >
      <Text size="sm" c="dimmed" mb={6}>
        Say in <b>after</b> which environment comes before it, and this page puts them in order.
      </Text>
      <CopyCommand command={`pavior deploy --app ${app} --team ${team} --environment staging`} />
      {admin && (
        <Button size="xs" variant="default" mt="sm" renderRoot={(props) => <GoLink to="/kinds/environments/create" search={{ team }} {...props} />}>
          Declare an environment
        </Button>
      )}
    </Section>
  )
}
