/** Roles of members, and all that can be given. */
import type { AccessRule, Role } from '@pavior/contract'
import { get } from '../../frame/api.ts'

export interface RoleRow {
  name: string
  description: string
  scope: string
  builtIn: boolean
  rules: AccessRule[]
}

export const rolesQuery = { queryKey: ['roles'], queryFn: () => get<{ items: RoleRow[] }>('/v1/auth/roles') }

export const roles: { value: Role; label: string }[] = [
  { value: 'viewer', label: 'viewer' },
  { value: 'developer', label: 'developer' },
  { value: 'admin', label: 'admin' },
]

export const roleMeanings: Record<Role, string> = {
  viewer: 'Reads everything of the team.',
  developer: 'Deploys, scales and configures its apps.',
  admin: 'Also invites people and makes tokens.',
}
