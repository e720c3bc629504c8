/** How ready an app is, by every scorecard that measures it. */
import { Anchor, Group, Progress, Text } from '@mantine/core'
import { IconChecklist } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { mayAs, useSession } from '../../frame/session.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { FixButton, FixDialog, type Fixing } from './fix.tsx'
import { useAppScorecards } from './reads.ts'
import { Rules } from './rules.tsx'

export default function AppScorecard() {
  const { team = '', app = '' } = useParams({ strict: false })
  const { value: data, error } = useAppScorecards(team, app)
  const [fixing, setFixing] = useState<Fixing>()
  const may = mayAs(useSession(), 'developer', team)
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  if (data.items.length === 0) return <EmptyState icon={IconChecklist} title="No scorecard measures this app" text="Scorecards are rules over what is known of an app; an administrator makes them." />
  return (
    <>
      {data.items.map(({ scorecard, level, next, score, rules }) => (
        <Section key={scorecard} title={scorecard}>
          <Group gap="md" mb="xs">
            <Text fw={600}>{level ?? 'No level yet'}</Text>
            <Progress value={score} w={160} aria-label={`${score} percent of ${scorecard}`} />
            <Text size="sm" c="dimmed">
              {score} %{next && `, next is ${next}`}
            </Text>
            <GoLink to={`/scorecards/${scorecard}`} size="sm">
              All apps
            </GoLink>
            <Anchor size="sm" renderRoot={(props) => <Link to="/kinds/$plural/create" params={{ plural: 'scorecardexemptions' } as never} {...props} />}>
              Ask for an exemption
            </Anchor>
          </Group>
          <Rules rules={rules} fix={may ? (rule) => <FixButton rule={rule} open={() => setFixing({ scorecard, rule })} /> : undefined} />
        </Section>
      ))}
      <FixDialog team={team} app={app} fixing={fixing} close={() => setFixing(undefined)} />
    </>
  )
}
