/**
 * A form from a JSON Schema. Errors stand beside their fields, named as the API names them (`causes` of a refusal).
 * Understands the `ui:` words of Backstage templates that `FormSchema` lists.
 */
import { Alert, List, Stack } from '@mantine/core'
import type { Cause } from '@pavior/contract'
import type { ComponentType } from 'react'
import classes from './error-state.module.css'
import { FieldContext, type FieldProps } from './schema-field-context.ts'
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
  const Form = fields[formOf(props.schema)]
  return <Form {...props} />
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
}

export function SchemaForm({ schema, value, onChange, path = '', causes = [], disabled }: SchemaFormProps) {
  const homeless = homelessCauses(causes, (field) => field !== path && hasField(schema, value, path, field))
  return (
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
  )
}
