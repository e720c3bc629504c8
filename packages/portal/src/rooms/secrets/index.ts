/** Secrets: where they are given out, how far a new version is, and who had to do with them. Values are only ever typed. */
import { IconLock } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const secrets: PortalRoom = {
  name: 'secrets',
  pages: [
    { path: '/secrets', title: 'Secrets', load: () => import('./secrets.tsx'), navigation: { label: 'Secrets', icon: IconLock, section: 'work', key: 'd' } },
    { path: '/secrets/$team/$secret', title: ({ secret }) => `${secret} · Secrets`, load: () => import('./secret.tsx') },
  ],
  appTabs: [{ tab: 'secrets', order: 45, label: 'Secrets', load: () => import('./app-secrets.tsx') }],
  resources: { secrets: ({ metadata }) => `/secrets/${metadata.namespace}/${metadata.name}` },
  commands: [{ label: 'Set a secret', keywords: 'password token key credential', cli: 'pavior secrets set KEY', run: (go) => go('/secrets?set=new') }],
}
