/** Tested steps for when something breaks. */
import { IconListCheck } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const runbooks: PortalRoom = {
  name: 'runbooks',
  pages: [
    { path: '/runbooks', title: 'Runbooks', load: () => import('./runbooks.tsx'), navigation: { label: 'Runbooks', icon: IconListCheck, section: 'work', key: 'j' } },
    { path: '/runbooks/$team/$name', title: ({ name }) => name ?? 'Runbook', load: () => import('./runbook.tsx') },
    { path: '/runbooks/$team/runs/$run', title: ({ run }) => run ?? 'Run', load: () => import('./run.tsx') },
  ],
  resources: {
    runbooks: ({ metadata }) => `/runbooks/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}`,
    runbookruns: ({ metadata }) => `/runbooks/${encodeURIComponent(metadata.namespace ?? '')}/runs/${encodeURIComponent(metadata.name)}`,
  },
  commands: [{ label: 'Go through a runbook', keywords: 'incident steps procedure outage', cli: 'pavior runbook list', run: (go) => go('/runbooks') }],
}
