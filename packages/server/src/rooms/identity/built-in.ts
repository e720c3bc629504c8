/** Roles that every installation has. They are code: nobody can widen them, and their names cannot be taken. */
import type { AccessRule, Role } from '@pavior/contract'

export interface BuiltInRole {
  description: string
  /** Where it can be given. */
  scope: 'platform' | 'team' | 'both'
  /** Everything, everywhere. */
  admin?: true
  /** What members of a team have by this role. */
  member?: Role
  rules: AccessRule[]
  /** May take a higher role for a while. */
  mayElevate: boolean
}

const reads: AccessRule = { verbs: ['get', 'list', 'watch'], kinds: ['*'] }

export const builtInRoles: Record<string, BuiltInRole> = {
  'platform-admin': { description: 'Everything, in every team and on the platform itself.', scope: 'platform', admin: true, rules: [], mayElevate: true },
  'team-owner': { description: 'Everything in the team, also its members, tokens, environments and freezes. The member role admin.', scope: 'both', member: 'admin', rules: [], mayElevate: true },
  developer: { description: 'Apps, builds and deployments of the team. The member role developer.', scope: 'both', member: 'developer', rules: [], mayElevate: true },
  viewer: { description: 'Reads what is in the team. The member role viewer.', scope: 'both', member: 'viewer', rules: [], mayElevate: false },
  auditor: { description: 'Reads everything, also who changed what, and writes nothing.', scope: 'both', rules: [reads, { verbs: ['get'], kinds: ['Audit'] }], mayElevate: false },
  'on-call': {
    description: 'Reads what is in the team; restarts, scales, rolls back, pauses, resumes, promotes and aborts.',
    scope: 'both',
    member: 'viewer',
    rules: [
      { verbs: ['update', 'patch'], kinds: ['App'], fields: ['scale', 'restart'] },
      { verbs: ['update', 'patch'], kinds: ['Deployment'], fields: ['canceled', 'paused', 'resumedStep', 'promoted'] },
      { verbs: ['create'], kinds: ['Deployment'], fields: ['rollbackTo'] },
    ],
    mayElevate: true,
  },
}

/** The built-in role that members with this word have. */
export const roleOfMember: Record<Role, string> = { admin: 'team-owner', developer: 'developer', viewer: 'viewer' }
