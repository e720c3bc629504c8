/** How nested parts of a form reach the field that they are made of. */
import type { Cause } from '@pavior/contract'
import { createContext, useContext, type ComponentType } from 'react'
import type { FormSchema } from './schema-plan.ts'

export interface FieldProps {
  schema: FormSchema
  /** Undefined where nothing was entered. */
  value: unknown
  /** Undefined takes the field away. */
  onChange: (value: unknown) => void
  /** As the API names it: spec.members[0].user. */
  path: string
  label: string
  required: boolean
  causes: readonly Cause[]
  disabled?: boolean
}

/** Fields that whoever shows the form brings, by the name that `ui:field` has. */
export const OwnFieldsContext = createContext<Readonly<Record<string, ComponentType<FieldProps>>>>({})

export const FieldContext = createContext<ComponentType<FieldProps> | undefined>(undefined)

export function useField(): ComponentType<FieldProps> {
  const Field = useContext(FieldContext)
  if (!Field) throw new Error('Parts of a form stand within SchemaForm')
  return Field
}
