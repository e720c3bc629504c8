/**
 * A form from a JSON Schema. Errors stand beside their fields, named as the API names them (`causes` of a refusal).
 * Understands the `ui:` words of Backstage templates that `FormSchema` lists.
 */
import { Alert, List, Stack } from '@mantine/core'
import { dueSchema, type Cause, type QuestionSchema } from '@pavior/contract'
import { useContext, type ComponentType } from 'react'
import classes from './error-state.module.css'
import { FieldContext, OwnFieldsContext, type FieldProps } from './schema-field-context.ts'
import { ListField, MapField, ObjectField, Properties } from './schema-nested.tsx'
import { formOf, hasField, homelessCauses, type FieldForm, type FormSchema } from './schema-plan.ts'
import { AnyField, ChoiceField, ChoicesField, NumberField, TextField, TruthField } from './schema-simple.tsx'

const fields: Record<FieldForm, ComponentType<FieldProps>> = {
  text: TextField,
  choice: ChoiceField,
  number: NumberField,
  truth: TruthField,
  choices: ChoicesField,
  list: ListField,
  map: MapField,
  object: ObjectField,
  any: AnyField,
  hidden: () => null,
}

function Field(props: FieldProps) {
  const { schema } = props
  const own = useContext(OwnFieldsContext)
  const name = schema['ui:field']
  const form = formOf(schema)
  const Own = name !== undefined && Object.hasOwn(own, name) ? own[name] : undefined
  if (Own && form !== 'hidden') return <Own {...props} />
  const Form = fields[form]
  if (name === undefined || form === 'hidden') return <Form {...props} />
  const unknown = `A field "${name}" is not known here, so this one takes ${form === 'text' ? 'plain text' : 'what its type says'}.`
  return <Form {...props} schema={{ ...schema, 'ui:help': [schema['ui:help'] ?? schema['ui:options']?.help, unknown].filter(Boolean).join(' ') }} />
}

export interface SchemaFormProps {
  /** Of an object. */
  schema: FormSchema
  value: Record<string, unknown>
  onChange: (value: Record<string, unknown>) => void
  /** Where the values stand in what is sent: `spec`; empty when they are all of it. */
  path?: string
  causes?: readonly Cause[]
  disabled?: boolean
  /** Fields beyond those of the types, by what `ui:field` calls them. */
  fields?: Readonly<Record<string, ComponentType<FieldProps>>>
}

const noFields = {}

export function SchemaForm({ schema, value, onChange, path = '', causes = [], disabled, fields: own = noFields }: SchemaFormProps) {
  const due = dueSchema(schema as QuestionSchema, value) as FormSchema
  const homeless = homelessCauses(causes, (field) => field !== path && hasField(due, value, path, field))
  return (
    <OwnFieldsContext value={own}>
      <FieldContext value={Field}>
        <Stack gap="md">
          {homeless.length > 0 && (
            <Alert classNames={classes} role="alert">
              <List size="sm">
                {homeless.map(({ field, message }) => (
                  <List.Item key={`${field} ${message}`}>
                    {field && <b>{field} </b>}
                    {message}
                  </List.Item>
                ))}
              </List>
            </Alert>
          )}
          <Properties schema={schema} value={value} onChange={(next) => onChange(next as Record<string, unknown>)} path={path} causes={causes} disabled={disabled} />
        </Stack>
      </FieldContext>
    </OwnFieldsContext>
  )
}
