/** A name of an entity, its tags, and a secret. */
import { PasswordInput, TagsInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { FieldProps } from '../../../pieces/schema-field-context.ts'
import { frameOf, TextField } from '../../../pieces/schema-simple.tsx'
import { entityChoicesQuery } from '../../entities/reads.ts'
import { nameProblem, tagProblem, textsOf } from './plan.ts'

export function EntityNamePicker(props: FieldProps) {
  const { value, path, causes } = props
  const problem = nameProblem(typeof value === 'string' ? value : '')
  return <TextField {...props} causes={problem === undefined || causes.some(({ field }) => field === path) ? causes : [...causes, { field: path, message: problem }]} />
}

/** Tags that others use are offered; new ones may be written. */
export function EntityTagsPicker(props: FieldProps) {
  const { schema, value, onChange } = props
  const { kinds, showCounts: _ } = schema['ui:options'] ?? {}
  const chosenKinds = textsOf(kinds)
  const { data = [] } = useQuery(entityChoicesQuery((chosenKinds.length > 0 ? chosenKinds : [undefined]).map((kind) => (kind === undefined ? {} : { kind: kind.toLowerCase() })), ''))
  const tags = textsOf(value)
  const { error = tags.map(tagProblem).find((problem) => problem !== undefined), ...frame } = frameOf(props)
  const offered = [...new Set(data.flatMap((row) => row.tags))].toSorted()
  return <TagsInput {...frame} error={error} clearable data={offered} value={tags} onChange={(next) => onChange(next.length === 0 ? undefined : [...new Set(next.map((tag) => tag.trim().toLowerCase()))])} />
}

/** Goes with the run as its secret, is kept sealed until the run ends, and is never shown again. */
export function Secret(props: FieldProps) {
  const { value, onChange } = props
  const { description, placeholder: _, ...frame } = frameOf(props)
  return <PasswordInput {...frame} description={[description, 'Kept sealed until the run has ended; no answer and no file holds it.'].filter(Boolean).join(' ')} autoComplete="new-password" value={typeof value === 'string' ? value : ''} onChange={({ currentTarget }) => onChange(currentTarget.value === '' ? undefined : currentTarget.value)} />
}
