/** Fields that hold others: an object, a list, a map from names to values. */
import { ActionIcon, Button, Fieldset, Group, Stack, Text, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { dueSchema, type QuestionSchema } from '@pavior/contract'
import { useEffect, useRef, useState } from 'react'
import { useField, type FieldProps } from './schema-field-context.ts'
import { below, causesAt, formOf, freshValue, orderOf, wordsOf, type FormSchema } from './schema-plan.ts'
import classes from './schema-form.module.css'

type Values = Record<string, unknown>

/** The properties of an object that are due, one below the other. An optional one that is not there is a button that adds it. */
export function Properties({ schema, value, onChange, path, causes, disabled }: Omit<FieldProps, 'label' | 'required'>) {
  const Field = useField()
  const values = (value ?? {}) as Values
  const set = (name: string, next: unknown): void => {
    const { [name]: _, ...others } = values
    onChange(next === undefined ? others : { ...values, [name]: next })
  }
  const due = dueSchema(schema as QuestionSchema, values) as FormSchema
  // What an answer brings up comes after it, also when it is required.
  return orderOf({ ...due, required: schema.required ?? [] }).map((name) => {
    const inner = due.properties![name]!
    return (
      <Field
        key={name}
        schema={inner}
        value={values[name]}
        onChange={(next) => set(name, next)}
        path={below(path, name)}
        label={inner.title ?? wordsOf(name)}
        required={due.required?.includes(name) ?? false}
        causes={causes}
        disabled={disabled}
      />
    )
  })
}

export function ObjectField(props: FieldProps) {
  const { value, onChange, required, schema } = props
  if (value === undefined && !required) return <Add {...props} add={() => onChange(freshValue(schema))} />
  return (
    <Part {...props}>
      <Properties {...props} />
    </Part>
  )
}

export function ListField(props: FieldProps) {
  const { schema, value, onChange, path, causes, disabled, label } = props
  const Field = useField()
  const items = Array.isArray(value) ? (value as unknown[]) : []
  const inner = schema.items!
  const one = wordsOf(label).replace(/s$/, '').toLowerCase()
  if (value === undefined) return <Add {...props} add={() => onChange([freshValue(inner)])} />
  return (
    <Part {...props}>
      {items.map((item, index) => (
        // Items have no identity of their own; the place is what the API knows too.
        <Group key={index} align="flex-start" gap="xs" wrap="nowrap" className={classes.item}>
          <Stack gap="sm" flex={1} miw={0}>
            <Field schema={inner} value={item} onChange={(next) => onChange(items.with(index, next ?? freshValue(inner)))} path={below(path, index)} label={`${wordsOf(one)} ${index + 1}`} required causes={causes} disabled={disabled} />
          </Stack>
          <Remove label={`Remove ${one} ${index + 1}`} disabled={disabled} onClick={() => onChange(items.toSpliced(index, 1))} />
        </Group>
      ))}
      <div>
        <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} />} disabled={disabled || items.length >= (schema.maxItems ?? Infinity)} onClick={() => onChange([...items, freshValue(inner)])}>
          Add {one}
        </Button>
      </div>
    </Part>
  )
}

interface Entry {
  id: number
  name: string
  value: unknown
}

/** Names are typed letter by letter, so rows live here and the map is made of those that have a name. */
function useEntries(value: unknown, onChange: (value: unknown) => void): { entries: Entry[]; set: (entries: Entry[]) => void; nextId: () => number } {
  const counter = useRef(0)
  const nextId = (): number => counter.current++
  const fromValue = (): Entry[] => Object.entries((value ?? {}) as Values).map(([name, inner]) => ({ id: nextId(), name, value: inner }))
  const [entries, setEntries] = useState(fromValue)
  const given = JSON.stringify(value ?? {})
  const made = useRef(given)
  useEffect(() => {
    if (given !== made.current) setEntries(fromValue())
    made.current = given
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when somebody else changed the value
  }, [given])
  const set = (next: Entry[]): void => {
    setEntries(next)
    const map = Object.fromEntries(next.filter(({ name }) => name !== '').map(({ name, value: inner }) => [name, inner]))
    made.current = JSON.stringify(map)
    onChange(map)
  }
  return { entries, set, nextId }
}

export function MapField(props: FieldProps) {
  const { schema, value, onChange, path, causes, disabled } = props
  const Field = useField()
  const inner = schema.additionalProperties as FormSchema
  const { entries, set, nextId } = useEntries(value, onChange)
  const nested = ['object', 'list', 'map'].includes(formOf(inner))
  const add = (): void => set([...entries, { id: nextId(), name: '', value: freshValue(inner) }])
  if (value === undefined && entries.length === 0) return <Add {...props} add={add} />
  return (
    <Part {...props}>
      {entries.map((entry, index) => {
        const twice = entries.some(({ id, name }) => id !== entry.id && name === entry.name && name !== '')
        return (
          <Group key={entry.id} align="flex-start" gap="xs" wrap="nowrap" className={classes.item}>
            <Stack gap="sm" flex={1} miw={0} className={nested ? undefined : classes.pair}>
              <TextInput label="Name" value={entry.name} disabled={disabled} error={twice ? 'This name is there twice; the last one counts.' : undefined} onChange={({ currentTarget }) => set(entries.with(index, { ...entry, name: currentTarget.value }))} />
              <Field schema={{ ...inner, description: undefined }} value={entry.value} onChange={(next) => set(entries.with(index, { ...entry, value: next ?? freshValue(inner) }))} path={below(path, entry.name)} label={nested ? entry.name || 'Value' : 'Value'} required causes={causes} disabled={disabled} />
            </Stack>
            <Remove label={`Remove ${entry.name || 'this line'}`} disabled={disabled} onClick={() => set(entries.toSpliced(index, 1))} />
          </Group>
        )
      })}
      <div>
        <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} />} disabled={disabled} onClick={add}>
          Add line
        </Button>
      </div>
    </Part>
  )
}

/** A named group of fields; an optional one can be taken away again. */
function Part({ schema, label, path, required, causes, onChange, disabled, children }: FieldProps & { children: React.ReactNode }) {
  const error = causesAt(causes, path)
  return (
    <Fieldset
      className={classes.part}
      legend={
        <Group gap={6}>
          {label}
          {!required && <Remove label={`Take ${label} away`} disabled={disabled} onClick={() => onChange(undefined)} />}
        </Group>
      }
    >
      <div className={classes.fields}>
        {schema.description && (
          <Text size="xs" c="dimmed">
            {schema.description}
          </Text>
        )}
        {error && (
          <Text size="xs" c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
        {children}
      </div>
    </Fieldset>
  )
}

function Add({ label, schema, path, causes, disabled, add }: FieldProps & { add: () => void }) {
  const error = causesAt(causes, path)
  return (
    <div>
      <Button size="compact-sm" variant="default" leftSection={<IconPlus size={14} />} onClick={add} disabled={disabled}>
        {label}
      </Button>
      <Text span size="xs" c={error ? 'var(--mantine-color-error)' : 'dimmed'} ml="xs">
        {error ?? schema.description}
      </Text>
    </div>
  )
}

function Remove({ label, onClick, disabled }: { label: string; onClick: () => void; disabled: boolean | undefined }) {
  return (
    <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} title={label} onClick={onClick} disabled={disabled}>
      <IconTrash size={14} />
    </ActionIcon>
  )
}
