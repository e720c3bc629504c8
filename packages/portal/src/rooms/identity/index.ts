import { IconKey, IconUsers, IconUsersGroup } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const identity: PortalRoom = {
  name: 'identity',
  pages: [
    { path: '/teams', title: 'Teams', load: () => import('./teams.tsx'), navigation: { label: 'Teams', icon: IconUsersGroup, section: 'work', key: 't' } },
    { path: '/teams/$team', title: ({ team = '' }) => team, load: () => import('./team.tsx') },
    { path: '/people', title: 'People', load: () => import('./people.tsx'), navigation: { label: 'People', icon: IconUsers, section: 'platform', key: 'p', visible: ({ admin }) => admin } },
    { path: '/tokens', title: 'Tokens and sessions', load: () => import('./tokens.tsx'), navigation: { label: 'Tokens', icon: IconKey, section: 'you', key: 'k' } },
  ],
  commands: [
    { label: 'Make a token', keywords: 'api key pipeline', cli: 'pavior tokens create', run: (go) => go('/tokens') },
    { label: 'Invite somebody', keywords: 'member person team add', run: (go) => go('/teams') },
  ],
  resources: { teams: ({ metadata }) => `/teams/${metadata.name}` },
}
