/** The fields of Backstage's scaffolder, by their names there (backstage.io/docs/features/software-templates/ui-options-examples). */
import type { ComponentType } from 'react'
import type { FieldProps } from '../../../pieces/schema-field-context.ts'
import { EntityPicker, MultiEntityPicker, MyGroupsPicker, OwnedEntityPicker, OwnerPicker } from './entity-pickers.tsx'
import { EntityNamePicker, EntityTagsPicker, Secret } from './text-fields.tsx'
import { RepoUrlPicker } from './repo-url-picker.tsx'

export const fields: Readonly<Record<string, ComponentType<FieldProps>>> = { EntityPicker, MultiEntityPicker, OwnerPicker, OwnedEntityPicker, MyGroupsPicker, EntityNamePicker, EntityTagsPicker, RepoUrlPicker, Secret }
