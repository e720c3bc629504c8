import { IconKey, IconLogin2, IconShieldLock, IconUsers, IconUsersGroup } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const identity: PortalRoom = {
  name: 'identity',
  pages: [
    { path: '/teams', title: 'Teams', load: () => import('./teams.tsx'), navigation: { label: 'Teams', icon: IconUsersGroup, section: 'work', key: 't' } },
    { path: '/teams/$team', title: ({ team = '' }) => team, load: () => import('./team.tsx') },
    { path: '/people', title: 'People', load: () => import('./people.tsx'), navigation: { label: 'People', icon: IconUsers, section: 'platform', key: 'p', visible: ({ admin }) => admin } },
    { path: '/access', title: 'Roles and access', load: () => import('./access.tsx'), navigation: { label: 'Access', icon: IconShieldLock, section: 'platform', key: 'w' } },
    { path: '/sign-on', title: 'Single sign-on', load: () => import('./sign-on.tsx'), navigation: { label: 'Single sign-on', icon: IconLogin2, section: 'platform', visible: ({ admin }) => admin } },
    { path: '/authorize', title: 'Sign in the command line', load: () => import('./authorize.tsx') },
    { path: '/device', title: 'Sign in a device', load: () => import('./device.tsx') },
    { path: '/tokens', title: 'Tokens and sessions', load: () => import('./tokens.tsx'), navigation: { label: 'Tokens', icon: IconKey, section: 'you', key: 'k' } },
  ],
  commands: [
    { label: 'Make a token', keywords: 'api key pipeline', cli: 'pavior tokens create', run: (go) => go('/tokens') },
    { label: 'Who can …', keywords: 'rights roles permission access allowed', cli: 'pavior auth who-can', run: (go) => go('/access') },
    { label: 'Give a role', keywords: 'binding grant access', cli: 'pavior auth grant', run: (go) => go('/access?tab=given') },
    { label: 'Set up a second factor', keywords: 'totp authenticator two 2fa mfa', run: (go) => go('/tokens') },
    { label: 'Invite somebody', keywords: 'member person team add', run: (go) => go('/teams') },
  ],
  resources: { teams: ({ metadata }) => `/teams/${metadata.name}` },
}
