/** Fields that take something out of the catalogue, found while typing. */
import { Autocomplete, MultiSelect, Select, TagsInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import type { CatalogRow } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useSession } from '../../../frame/session.ts'
import type { FieldProps } from '../../../pieces/schema-field-context.ts'
import { frameOf } from '../../../pieces/schema-simple.tsx'
import { entityChoicesQuery, entityQuery } from '../../entities/reads.ts'
import { answerFor, catalogFilterOf, textsOf, type CatalogFilter } from './plan.ts'

const typingPauseMs = 150

interface Option {
  value: string
  label: string
}

interface Choosing {
  options: Option[]
  typed: string
  setTyped: (text: string) => void
  problem: string | undefined
}

/** What the catalogue has for what is typed, as answers of this question. */
function useChoices({ schema, value }: FieldProps, { filters, fits }: CatalogFilter): Choosing {
  const [typed, setTyped] = useState('')
  const [asked] = useDebouncedValue(typed, typingPauseMs)
  // What is chosen already stands in the field too; it is no search for others.
  const words = textsOf(value).includes(asked) ? '' : asked.replaceAll(/[^\p{L}\p{N}_.-]+/gu, ' ').trim()
  const { data = [], error } = useQuery({ ...entityChoicesQuery(filters, words), enabled: filters.length > 0 })
  const options = data.filter(fits).map((row) => ({ value: answerFor(schema, row.ref), label: labelOf(row) }))
  return { options: [...new Map(options.map((option) => [option.value, option])).values()], typed, setTyped, problem: error ? `The catalogue does not answer: ${error.message}` : undefined }
}

function labelOf({ title, name, kind, namespace }: CatalogRow): string {
  return `${title ?? name} · ${kind.toLowerCase()}${namespace === 'default' ? '' : ` of ${namespace}`}`
}

/** Everything that is offered was found by the server already. */
const all = ({ options }: { options: unknown }): never => options as never

function PickOne({ field, choosing }: { field: FieldProps; choosing: Choosing }) {
  const { schema, value, onChange } = field
  const { readOnly, ...frame } = frameOf(field)
  const { options, setTyped, problem } = choosing
  const text = typeof value === 'string' ? value : ''
  const common = { ...frame, error: frame.error ?? problem, readOnly, autoComplete: 'off', limit: 50 }
  if (schema['ui:options']?.allowArbitraryValues === false) {
    const known = text === '' || options.some((option) => option.value === text) ? options : [{ value: text, label: text }, ...options]
    return <Select {...common} searchable clearable data={known} filter={all} value={text === '' ? null : text} onChange={(next) => onChange(next ?? undefined)} onSearchChange={setTyped} nothingFoundMessage="The catalogue has nothing like that." />
  }
  const labels = new Map(options.map((option) => [option.value, option.label]))
  return (
    <Autocomplete
      {...common}
      data={options.map((option) => option.value)}
      renderOption={({ option }) => labels.get(option.value) ?? option.value}
      filter={all}
      value={text}
      onChange={(next) => {
        setTyped(next)
        onChange(next === '' ? undefined : next)
      }}
    />
  )
}

function PickSeveral({ field, choosing }: { field: FieldProps; choosing: Choosing }) {
  const { schema, value, onChange } = field
  const { options, setTyped, typed, problem } = choosing
  const { error = problem, ...frame } = frameOf(field)
  const chosen = textsOf(value)
  const common = { ...frame, error, value: chosen, onChange: (next: string[]) => onChange(next.length === 0 ? undefined : next), searchValue: typed, onSearchChange: setTyped, filter: all, ...(schema.maxItems === undefined ? {} : { maxValues: schema.maxItems }) }
  if (schema['ui:options']?.allowArbitraryValues === false) {
    const known = [...options, ...chosen.filter((one) => !options.some((option) => option.value === one)).map((one) => ({ value: one, label: one }))]
    return <MultiSelect {...common} searchable clearable data={known} nothingFoundMessage="The catalogue has nothing like that." />
  }
  return <TagsInput {...common} clearable data={options.map((option) => option.value)} />
}

export function EntityPicker(props: FieldProps) {
  const choosing = useChoices(props, catalogFilterOf(props.schema))
  const several = props.schema.type === 'array' || props.schema['ui:options']?.multi === true
  return several ? <PickSeveral field={props} choosing={choosing} /> : <PickOne field={props} choosing={choosing} />
}

export function MultiEntityPicker(props: FieldProps) {
  return <PickSeveral field={props} choosing={useChoices(props, catalogFilterOf(props.schema))} />
}

/** Groups and people, unless the question says otherwise. */
export function OwnerPicker(props: FieldProps) {
  return <PickOne field={props} choosing={useChoices(props, catalogFilterOf(props.schema, ['group', 'user']))} />
}

/** What the person or one of the person's groups owns. */
export function OwnedEntityPicker(props: FieldProps) {
  const { self, groups } = useGroups()
  return <PickOne field={props} choosing={useChoices(props, catalogFilterOf(props.schema, [], [self, ...groups]))} />
}

export function MyGroupsPicker(props: FieldProps) {
  const { schema, value, onChange } = props
  const { groups } = useGroups()
  const { placeholder = groups.length === 0 ? 'You are in no group yet' : undefined, ...frame } = frameOf(props)
  const data = groups.map((ref) => ({ value: answerFor(schema, ref), label: ref.split('/').at(-1)! }))
  return <Select {...frame} placeholder={placeholder} searchable clearable data={data} value={typeof value === 'string' ? value : null} onChange={(next) => onChange(next ?? undefined)} />
}

/** As the catalogue knows them. */
function useGroups(): { self: string; groups: string[] } {
  const { user } = useSession()
  const self = `user:default/${user}`
  const { data } = useQuery(entityQuery(self))
  return { self, groups: (data?.relations ?? []).filter(({ type }) => type === 'memberOf').map(({ target }) => target) }
}
