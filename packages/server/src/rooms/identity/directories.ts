/** Live copies of everything that says who may do what, and the index over them. */
import type { GroupSpec, Resource, RoleBindingSpec, RoleSpec, ServiceAccountSpec, TeamSpec, UserSpec, UserStatus } from '@pavior/contract'
import type { Part } from '../../kernel/lifecycle/lifecycle.ts'
import type { Logger } from '../../kernel/log.ts'
import type { Resources } from '../../kernel/resources/index.ts'
import { Mirror } from '../../kernel/resources/mirror.ts'
import { indexRights, type RightsIndex } from './rights.ts'

export interface Directories {
  users: Mirror<Resource<UserSpec, UserStatus>>
  teams: Mirror<Resource<TeamSpec>>
  groups: Mirror<Resource<GroupSpec>>
  roles: Mirror<Resource<RoleSpec>>
  bindings: Mirror<Resource<RoleBindingSpec>>
  clusterBindings: Mirror<Resource<RoleBindingSpec>>
  serviceAccounts: Mirror<Resource<ServiceAccountSpec>>
  parts: Part[]
  /** Made anew after a change of anything that gives rights, when somebody asks. */
  rights(): RightsIndex
  /** Calls back after every change of any of them. */
  onChange(callback: () => void): void
}

export function createDirectories(resources: Resources, log: Logger): Directories {
  const users = new Mirror<Resource<UserSpec, UserStatus>>(resources, 'User', log)
  const teams = new Mirror<Resource<TeamSpec>>(resources, 'Team', log)
  const groups = new Mirror<Resource<GroupSpec>>(resources, 'Group', log)
  const roles = new Mirror<Resource<RoleSpec>>(resources, 'Role', log)
  const bindings = new Mirror<Resource<RoleBindingSpec>>(resources, 'RoleBinding', log)
  const clusterBindings = new Mirror<Resource<RoleBindingSpec>>(resources, 'ClusterRoleBinding', log)
  const serviceAccounts = new Mirror<Resource<ServiceAccountSpec>>(resources, 'ServiceAccount', log)
  const giving = [teams, groups, roles, bindings, clusterBindings]
  const all = [users, serviceAccounts, ...giving]
  let index: RightsIndex | undefined
  for (const mirror of giving) mirror.onChange(() => (index = undefined))
  return {
    users,
    teams,
    groups,
    roles,
    bindings,
    clusterBindings,
    serviceAccounts,
    parts: all,
    rights: () => (index ??= indexRights({ teams: teams.values(), groups: groups.values(), roles: roles.values(), bindings: [...bindings.values(), ...clusterBindings.values()] })),
    onChange: (callback) => {
      for (const mirror of all) mirror.onChange(callback)
    },
  }
}
