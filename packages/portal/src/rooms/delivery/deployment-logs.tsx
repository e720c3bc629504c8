/** What was written while it was built, and the last lines of an instance that failed. */
import { Button, Code } from '@mantine/core'
import { useState } from 'react'
import { useLogLines } from '../../pieces/log-lines.ts'
import type { LogLevel } from '@pavior/contract'
import { LogView } from '../../pieces/log-view.tsx'
import { Section } from '../../pieces/section.tsx'
import { appApi, type AppPlace, type Deployment } from '../../frame/apps.ts'
import classes from './deployment-logs.module.css'

const lastLines = 50
const height = '320px'

/** A build that is over and went well is of little interest until somebody asks. */
export function BuildLog({ team, build, open }: { team: string; build: string; open: boolean }) {
  const [asked, setAsked] = useState(false)
  if (open || asked) {
    return (
      <Section title="Build log">
        <BuildLines team={team} build={build} />
      </Section>
    )
  }
  return (
    <Section title="Build log">
      <Button size="xs" variant="default" onClick={() => setAsked(true)}>
        Show the log of {build}
      </Button>
    </Section>
  )
}

function BuildLines({ team, build }: { team: string; build: string }) {
  const log = useLogLines(() => `/v1/teams/${encodeURIComponent(team)}/builds/${encodeURIComponent(build)}/log?follow=1`, `${team}/${build}`)
  const [search, setSearch] = useState('')
  const [level, setLevel] = useState<LogLevel>()
  return <LogView log={log} name={build} search={search} onSearch={setSearch} level={level} onLevel={setLevel} origins height={height} empty="The steps of this build wrote nothing, or their log is no longer kept." />
}

/** The lines that the problem brought along, else those of the instances of this release. */
export function LastLines({ place, deployment }: { place: AppPlace; deployment: Deployment }) {
  const { spec, status } = deployment
  const { lastLines: known } = (status?.problem?.facts ?? {}) as { lastLines?: string[] }
  return (
    <Section title="Last lines of its log">
      {known && known.length > 0 ? (
        <Code block className={classes.lines} tabIndex={0}>
          {known.join('\n')}
        </Code>
      ) : (
        <ReleaseLines place={place} release={spec.release} environment={spec.environment} />
      )}
    </Section>
  )
}

function ReleaseLines({ place, release, environment }: { place: AppPlace; release: number; environment: string }) {
  const path = appApi(place, `logs?release=v${release}&environment=${encodeURIComponent(environment)}&tail=${lastLines}`)
  const log = useLogLines(() => path, path)
  const [search, setSearch] = useState('')
  const [level, setLevel] = useState<LogLevel>()
  return <LogView log={log} name={`${place.app}-v${release}`} search={search} onSearch={setSearch} level={level} onLevel={setLevel} height={height} empty="It wrote nothing before it ended." />
}
