/** Fields of one value: text, choice, number, yes or no, several of a few, and anything as JSON. */
import { Checkbox, Group, MultiSelect, NativeSelect, NumberInput, PasswordInput, Radio, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { FieldProps } from './schema-field-context.ts'
import classes from './schema-form.module.css'
import { causesAt, choicesOf, widgetOf, type FormSchema } from './schema-plan.ts'

const longTextFrom = 500
const inputTypes: Record<string, string> = { email: 'email', uri: 'url', date: 'date' }

/** What every input is told alike. */
export function frameOf({ schema, label, path, required, causes, disabled }: FieldProps) {
  const help = schema['ui:help'] ?? schema['ui:options']?.help
  return {
    label,
    description: [schema.description, help].filter(Boolean).join(' ') || undefined,
    error: causesAt(causes, path),
    withAsterisk: required,
    disabled: disabled || schema['ui:disabled'] || schema['ui:options']?.disabled === true,
    readOnly: schema['ui:readonly'],
    'data-autofocus': schema['ui:autofocus'] || undefined,
    autoFocus: schema['ui:autofocus'],
    placeholder: schema['ui:placeholder'] ?? schema['ui:options']?.placeholder ?? (schema.default === undefined || typeof schema.default === 'object' ? undefined : String(schema.default)),
    name: path,
  }
}

function isLong(schema: FormSchema): boolean {
  return widgetOf(schema) === 'textarea' || ((schema.maxLength ?? 0) > longTextFrom && schema.pattern === undefined && schema.format === undefined)
}

export function TextField(props: FieldProps) {
  const { schema, value, onChange, required } = props
  const common = {
    ...frameOf(props),
    value: typeof value === 'string' ? value : value === undefined ? '' : String(value),
    onChange: ({ currentTarget }: { currentTarget: { value: string } }) => onChange(currentTarget.value === '' && !required ? undefined : currentTarget.value),
    maxLength: schema.maxLength,
  }
  if (widgetOf(schema) === 'password') return <PasswordInput {...common} autoComplete="new-password" />
  if (isLong(schema)) return <Textarea {...common} autosize minRows={schema['ui:options']?.rows ?? 2} maxRows={12} />
  return <TextInput {...common} type={inputTypes[schema.format ?? ''] ?? 'text'} autoComplete="off" />
}

export function ChoiceField(props: FieldProps) {
  const { schema, value, onChange, required } = props
  const { placeholder: _, readOnly, ...whole } = frameOf(props)
  // A choice cannot be read only: it is shown and cannot be changed.
  const frame = { ...whole, disabled: whole.disabled || readOnly }
  const choices = choicesOf(schema) ?? []
  const at = choices.findIndex((choice) => choice.value === value)
  const pick = (index: string): void => onChange(index === '' ? undefined : choices[Number(index)]!.value)
  if (widgetOf(schema) === 'radio') {
    return (
      <Radio.Group {...frame} value={at === -1 ? null : String(at)} onChange={pick}>
        <Group gap="md" mt={4}>
          {choices.map(({ label }, index) => (
            <Radio key={label} value={String(index)} label={label} disabled={frame.disabled} />
          ))}
        </Group>
      </Radio.Group>
    )
  }
  const data = [...(required && at !== -1 ? [] : [{ value: '', label: '–' }]), ...choices.map(({ label }, index) => ({ value: String(index), label }))]
  return <NativeSelect {...frame} data={data} value={at === -1 ? '' : String(at)} onChange={({ currentTarget }) => pick(currentTarget.value)} />
}

export function NumberField(props: FieldProps) {
  const { schema, value, onChange } = props
  const { type, minimum, maximum, multipleOf } = schema
  return (
    <NumberInput
      {...frameOf(props)}
      value={typeof value === 'number' ? value : ''}
      onChange={(next) => onChange(typeof next === 'number' ? next : undefined)}
      min={minimum}
      max={maximum}
      step={multipleOf ?? 1}
      allowDecimal={type === 'number'}
      clampBehavior="none"
      maw={240}
      className={classes.number}
    />
  )
}

export function TruthField(props: FieldProps) {
  const { placeholder: _, withAsterisk: __, readOnly, ...frame } = frameOf(props)
  return <Checkbox {...frame} disabled={frame.disabled || readOnly} checked={props.value === true} onChange={({ currentTarget }) => props.onChange(currentTarget.checked)} />
}

export function ChoicesField(props: FieldProps) {
  const { schema, value, onChange } = props
  const { 'data-autofocus': _, ...frame } = frameOf(props)
  const choices = choicesOf(schema.items ?? {}) ?? []
  const chosen = Array.isArray(value) ? value : []
  const set = (labels: string[]): void => onChange(choices.filter(({ label }) => labels.includes(label)).map((choice) => choice.value))
  const labels = choices.filter((choice) => chosen.includes(choice.value)).map(({ label }) => label)
  if (widgetOf(schema) !== 'checkboxes') return <MultiSelect {...frame} data={choices.map(({ label }) => label)} value={labels} onChange={set} clearable />
  return (
    <Checkbox.Group label={frame.label} description={frame.description} error={frame.error} withAsterisk={frame.withAsterisk} value={labels} onChange={set}>
      <Group gap="md" mt={4}>
        {choices.map(({ label }) => (
          <Checkbox key={label} value={label} label={label} disabled={frame.disabled || frame.readOnly} />
        ))}
      </Group>
    </Checkbox.Group>
  )
}

/** For what has no narrower form. What is typed counts once it can be read. */
export function AnyField(props: FieldProps) {
  const { value, onChange } = props
  const [draft, setDraft] = useState<string>()
  const [unreadable, setUnreadable] = useState<string>()
  const frame = frameOf(props)
  const change = (text: string): void => {
    setDraft(text)
    try {
      onChange(text.trim() === '' ? undefined : JSON.parse(text))
      setUnreadable(undefined)
    } catch (error) {
      setUnreadable(`This is no JSON yet: ${(error as Error).message}`)
    }
  }
  return (
    <Textarea
      {...frame}
      error={unreadable ?? frame.error}
      autosize
      minRows={2}
      maxRows={16}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      value={draft ?? (value === undefined ? '' : JSON.stringify(value, null, 2))}
      onChange={({ currentTarget }) => change(currentTarget.value)}
      onBlur={() => unreadable === undefined && setDraft(undefined)}
    />
  )
}
