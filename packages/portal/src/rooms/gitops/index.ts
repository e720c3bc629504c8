/** Repositories that declare resources: what is in force, what was refused, what differs. */
import { IconGitMerge } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const gitops: PortalRoom = {
  name: 'gitops',
  pages: [
    { path: '/repositories', title: 'Repositories', load: () => import('./repositories.tsx'), navigation: { label: 'Repositories', icon: IconGitMerge, section: 'work', key: 'n' } },
    { path: '/repositories/$team/$name', title: 'Repository', load: () => import('./repository.tsx') },
  ],
  commands: [{ label: 'See what a repository declares', keywords: 'gitops drift sync commit', cli: 'pavior gitops status', run: (go) => go('/repositories') }],
}
