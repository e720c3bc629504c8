/** How lists of objectives show them. */
import { objectiveText } from '@pavior/contract'
import { Badge } from '@mantine/core'
import { Ago } from '../../pieces/ago.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { BudgetBar } from './budget-bar.tsx'
import { goodText, stateOf, type Slo } from './reads.ts'

export const sloColumns: Column<Slo>[] = [
  {
    key: 'name',
    label: 'Objective',
    value: ({ metadata }) => metadata.name,
    show: ({ metadata, spec }) => (
      <>
        {metadata.name} {spec.draft && <Badge size="xs" variant="default">Draft</Badge>}
      </>
    ),
  },
  { key: 'state', label: 'State', value: (slo) => stateOf(slo).word, show: (slo) => <Status {...stateOf(slo)} />, width: '120px' },
  { key: 'left', label: 'Budget left', value: ({ status }) => status?.budget?.remaining ?? null, show: (slo) => <BudgetBar slo={slo} />, width: '140px', hideBelow: 'xs' },
  { key: 'now', label: 'Good', value: ({ status }) => status?.sli ?? null, show: ({ status }) => goodText(status?.sli), width: '96px', align: 'right', hideBelow: 'sm' },
  { key: 'objective', label: 'Promised', value: ({ spec }) => spec.objective, show: ({ spec }) => objectiveText(spec.objective), width: '96px', align: 'right', hideBelow: 'sm' },
  { key: 'burn', label: 'Burn, 6 h', value: ({ status }) => status?.burn?.['6h'] ?? null, show: ({ status }) => (status?.burn?.['6h'] === undefined ? '–' : `${status.burn['6h']}×`), width: '110px', align: 'right', hideBelow: 'md' },
  { key: 'forecast', label: 'Nothing left', value: ({ status }) => status?.forecast?.[0]?.exhaustedAt ?? '', show: ({ status }) => (status?.forecast?.[0] ? <Ago at={status.forecast[0].exhaustedAt} /> : '–'), width: '120px', hideBelow: 'lg' },
  { key: 'app', label: 'App', value: ({ spec }) => spec.app ?? '', width: '140px', hideBelow: 'lg' },
]
