/** The settings as they are in effect, and where each comes from. */
import { Code } from '@mantine/core'
import { DataTable } from '../../pieces/data-table.tsx'
import type { Column } from '../../pieces/table-column.ts'

export interface Setting {
  name: string
  value: string
  origin: string
  description: string
}

const columns: Column<Setting>[] = [
  { key: 'name', label: 'Setting', value: ({ name }) => name },
  { key: 'value', label: 'Value', value: ({ value }) => value, show: ({ value }) => (value === '' ? '–' : <Code>{value}</Code>) },
  { key: 'origin', label: 'From', width: '110px', hideBelow: 'sm', value: ({ origin }) => origin },
  { key: 'description', label: 'Meaning', hideBelow: 'md', value: ({ description }) => description },
]

export function SettingsTable({ settings }: { settings: Setting[] }) {
  return <DataTable label="settings" name="settings" rows={settings} columns={columns} rowKey={({ name }) => name} />
}
