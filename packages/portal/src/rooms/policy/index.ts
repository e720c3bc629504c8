/** Rules as code: what they find, deviations from them, and how much teams may use. */
import { IconGauge, IconGavel, IconHourglass } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const policy: PortalRoom = {
  name: 'policy',
  pages: [
    { path: '/policies', title: 'Policies', load: () => import('./policies.tsx'), navigation: { label: 'Policies', icon: IconGavel, section: 'platform', key: 'y' } },
    { path: '/policies/$policy', title: ({ policy: name }) => `${name} · Policies`, load: () => import('./policy.tsx') },
    { path: '/quotas', title: 'Quotas', load: () => import('./quotas.tsx'), navigation: { label: 'Quotas', icon: IconGauge, section: 'platform' } },
    { path: '/exceptions', title: 'Exceptions', load: () => import('./exceptions.tsx'), navigation: { label: 'Exceptions', icon: IconHourglass, section: 'platform', key: 'x' } },
  ],
  appTabs: [{ tab: 'policies', order: 60, label: 'Policies', load: () => import('./app-policies.tsx') }],
  resources: { policies: ({ metadata }) => `/policies/${metadata.name}`, policyexceptions: () => '/exceptions' },
}
