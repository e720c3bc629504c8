/** What is promised, and what is left of the errors that it allows. */
import { IconTargetArrow } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const reliability: PortalRoom = {
  name: 'reliability',
  pages: [
    { path: '/slos', title: 'Objectives', load: () => import('./slos.tsx'), navigation: { label: 'Objectives', icon: IconTargetArrow, section: 'work', key: 'b' } },
    { path: '/slos/$team/$name', title: ({ name }) => name ?? 'Objective', load: () => import('./slo.tsx') },
    { path: '/platform/objectives', title: 'What the platform promises', load: () => import('./platform-objectives.tsx') },
  ],
  resources: { slos: ({ metadata }) => `/slos/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}` },
  commands: [{ label: 'See what is left of error budgets', keywords: 'slo objective burn reliability', cli: 'pavior slo list', run: (go) => go('/slos') }],
}
