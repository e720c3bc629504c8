import { errorCatalogue } from '@pavior/contract'
import { DataTable } from '../../pieces/data-table.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import type { Column } from '../../pieces/table-column.ts'

interface Row {
  code: string
  meaning: string
  http: number
}

const rows: Row[] = Object.entries(errorCatalogue).map(([code, { meaning, http }]) => ({ code, meaning, http }))
const columns: Column<Row>[] = [
  { key: 'code', label: 'Code', value: ({ code }) => code, width: '260px' },
  { key: 'meaning', label: 'What it means', value: ({ meaning }) => meaning, hideBelow: 'sm' },
  { key: 'http', label: 'HTTP', value: ({ http }) => http, width: '80px', align: 'right', hideBelow: 'sm' },
]

export default function ErrorsPage() {
  return (
    <>
      <PageHeader title="Error codes" text="Every refusal and failure carries one of these." />
      <DataTable label="codes" rows={rows} columns={columns} rowKey={({ code }) => code} href={({ code }) => `/docs/errors/${code}`} initialSort={{ key: 'code', descending: false }} />
    </>
  )
}
