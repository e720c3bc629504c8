import type { Role } from '@pavior/contract'

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
