import { isSecretKey, SecretSpec, SecretStatus, SecretStoreSpec, SecretStoreStatus } from '@pavior/contract'
import { defineKind } from '../../kernel/kind.ts'

export const secret = defineKind<SecretSpec, SecretStatus>({
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  description: 'A value that apps get and nobody reads. This is everything about it but the value, which is set with `pavior secrets set`.',
  spec: SecretSpec,
  status: SecretStatus,
  indexes: ['spec.app', 'spec.key', 'spec.external.store', 'status.rotation.phase'],
  maxNameLength: 200,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }, previous) => [
    ...(previous?.spec.external && JSON.stringify(sorted(previous.spec.external)) !== JSON.stringify(sorted(spec.external)) ? [{ field: 'spec.external', message: 'Where versions come from stays as it is: they are counted there. Make another secret.' }] : []),
    ...(isSecretKey(spec.key) ? [] : [{ field: 'spec.key', message: `"${spec.key}" is kept for the shell or the platform, so no secret can have it.` }]),
  ],
  columns: [
    { name: 'Key', type: 'string', description: 'Variable by which the app knows it.', value: ({ spec }) => spec.key },
    { name: 'App', type: 'string', description: 'App that gets it.', value: ({ spec }) => spec.app ?? 'all' },
    { name: 'Environments', type: 'string', description: 'Where it is given out.', value: ({ spec }) => environmentsText(spec) },
    { name: 'Version', type: 'string', description: 'Version in force.', value: ({ status }) => (status?.version === undefined ? 'none' : `v${status.version}`) },
    { name: 'Rotation', type: 'string', description: 'How far the newest change is.', value: ({ status }) => status?.rotation?.phase },
    { name: 'Expires', type: 'string', description: 'When it ends.', value: ({ spec }) => spec.expiresAt?.slice(0, 10) },
  ],
})

export const secretStore = defineKind<SecretStoreSpec, SecretStoreStatus>({
  kind: 'SecretStore',
  plural: 'secretstores',
  scope: 'Namespaced',
  description: 'A store outside of Pavior that secrets are taken from.',
  spec: SecretStoreSpec,
  status: SecretStoreStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  columns: [
    { name: 'Type', type: 'string', description: 'What it is.', value: ({ spec }) => spec.type },
    { name: 'Url', type: 'string', description: 'Where it is.', value: ({ spec }) => spec.url },
    { name: 'Looked', type: 'date', description: 'When it last answered.', value: ({ status }) => status?.lookedAt },
    { name: 'Problem', type: 'string', description: 'Why it does not answer.', value: ({ status }) => status?.problem?.code },
  ],
})

function sorted({ store, path, field }: Partial<NonNullable<SecretSpec['external']>> = {}): unknown {
  return [store, path, field]
}

function environmentsText({ environments, previews }: SecretSpec): string {
  const named = environments === undefined ? 'all but previews' : environments.join(', ') || 'none'
  return previews ? `${named} and previews`.replace('all but previews and previews', 'all') : named
}
