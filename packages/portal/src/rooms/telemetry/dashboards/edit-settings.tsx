/** Title, first time and variables of a dashboard. */
import { ActionIcon, Button, Checkbox, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { dashboardRanges, type DashboardSpec, type DashboardVariable } from '@pavior/contract'

interface EditSettingsProps {
  opened: boolean
  close: () => void
  spec: DashboardSpec
  change: (spec: DashboardSpec) => void
}

export function EditSettings({ opened, close, spec, change }: EditSettingsProps) {
  const { variables = [] } = spec
  const setVariables = (next: DashboardVariable[]): void => {
    const { variables: _variables, ...rest } = spec
    change(next.length === 0 ? rest : { ...rest, variables: next })
  }
  return (
    <Modal opened={opened} onClose={close} size="lg" title="Title and variables" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="sm">
        <TextInput data-autofocus label="Title" required maxLength={120} value={spec.title} onChange={({ currentTarget }) => change({ ...spec, title: currentTarget.value })} />
        <Textarea label="What it is for" autosize maxLength={1000} value={spec.description ?? ''} onChange={({ currentTarget }) => change({ ...spec, description: currentTarget.value })} />
        <Select label="Time that is shown at first" data={[...dashboardRanges]} value={spec.range ?? '1h'} onChange={(range) => range && change({ ...spec, range: range as NonNullable<DashboardSpec['range']> })} allowDeselect={false} />
        {variables.map((variable, index) => (
          <VariableFields key={index} variable={variable} change={(next) => setVariables(variables.map((one, place) => (place === index ? next : one)))} remove={() => setVariables(variables.filter((_, place) => place !== index))} />
        ))}
        <Group justify="space-between">
          <Button size="xs" variant="default" onClick={() => setVariables([...variables, { name: `choice${variables.length + 1}`, query: 'label_values(pavior_instance_healthy{team="$team"}, instance)' }])}>Add a variable</Button>
          <Button variant="default" onClick={close}>Done</Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function VariableFields({ variable, change, remove }: { variable: DashboardVariable; change: (variable: DashboardVariable) => void; remove: () => void }) {
  const { name, query, values, includeAll = false } = variable
  const setSource = (text: string): void => {
    const { query: _query, values: _values, ...rest } = variable
    change(/^\s*label_values\(/.test(text) ? { ...rest, query: text } : { ...rest, values: text.split(',').map((value) => value.trimStart()) })
  }
  return (
    <Group gap="xs" align="end" wrap="wrap">
      <TextInput size="xs" w={120} label="Variable" leftSection="$" value={name} onChange={({ currentTarget }) => change({ ...variable, name: currentTarget.value })} />
      <TextInput size="xs" style={{ flex: 1, minWidth: 200 }} label="Values" description="label_values(selector, label), or values with commas" value={query ?? values?.join(', ') ?? ''} onChange={({ currentTarget }) => setSource(currentTarget.value)} />
      <Checkbox size="xs" mb={8} label="Or all" checked={includeAll} onChange={({ currentTarget }) => change({ ...variable, includeAll: currentTarget.checked })} />
      <ActionIcon variant="subtle" color="gray" mb={2} onClick={remove} aria-label={`Take $${name} away`}>
        <IconX size={14} />
      </ActionIcon>
    </Group>
  )
}
