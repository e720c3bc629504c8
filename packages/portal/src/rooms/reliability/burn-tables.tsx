/** Which minutes, releases and answers used a budget. */
import type { SloBurnRun, SloBurns, SloBurnShare } from '@pavior/contract'
import { appPath, type AppPlace } from '../../frame/apps.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { share } from './reads.ts'

const bad = { key: 'bad', label: 'Bad', value: ({ bad: count }: { bad: number }) => Number(count.toFixed(2)), width: '90px', align: 'right' } as const
const ofBudget = { key: 'share', label: 'Of the budget', value: ({ ofBudget: part }: { ofBudget: number }) => part, show: ({ ofBudget: part }: { ofBudget: number }) => share(part), width: '130px', align: 'right' } as const

const runColumns: Column<SloBurnRun>[] = [
  { key: 'from', label: 'From', value: ({ from }) => from, show: ({ from }) => <Ago at={from} /> },
  { key: 'minutes', label: 'Minutes', value: ({ minutes }) => minutes, width: '90px', align: 'right', hideBelow: 'sm' },
  { key: 'release', label: 'Most by', value: ({ release }) => (release === undefined ? '' : `v${release}`), width: '90px', hideBelow: 'xs' },
  bad,
  ofBudget,
]

const shareColumns = (label: string): Column<SloBurnShare>[] => [{ key: 'name', label, value: ({ name }) => name }, bad, ofBudget]

export function BurnTables({ burns, place, environment }: { burns: SloBurns; place: AppPlace | undefined; environment: string }) {
  return (
    <>
      <Section title="Who burned it: minutes">
        <DataTable label="runs of minutes" name="runs" rows={burns.runs} columns={runColumns} rowKey={({ from }) => from} empty={<span>None.</span>} />
      </Section>
      <Section title="Releases" actions={place && <GoLink size="sm" to={appPath(place, 'deployments')} search={{ environment }}>Deployments of {place.app}</GoLink>}>
        <DataTable label="releases" name="releases" rows={burns.releases} columns={shareColumns('Release')} rowKey={({ name }) => name} empty={<span>None is known.</span>} />
      </Section>
      <Section title="Answers">
        <DataTable label="answers" name="answers" rows={burns.causes} columns={shareColumns('Answer')} rowKey={({ name }) => name} empty={<span>None is known.</span>} />
      </Section>
    </>
  )
}
