/** What fires and who has it, what is kept quiet, how people are told, and who is on call. */
import { IconBell, IconCalendarUser } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

const pathOf = (base: string) => ({ metadata }: { metadata: { namespace?: string | undefined; name: string } }): string => `${base}/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}`

export const alerts: PortalRoom = {
  name: 'alerts',
  pages: [
    { path: '/alerts', title: 'Alerts', load: () => import('./alerts.tsx'), navigation: { label: 'Alerts', icon: IconBell, section: 'work', key: 'i' } },
    { path: '/alerts/$team/$name', title: ({ name }) => name ?? 'Alert', load: () => import('./alert.tsx') },
    { path: '/silences', title: 'Silences', load: () => import('./silences.tsx') },
    { path: '/channels', title: 'Channels', load: () => import('./channels.tsx') },
    { path: '/channels/$team/$name', title: ({ name }) => name ?? 'Channel', load: () => import('./channel.tsx') },
    { path: '/on-call', title: 'On call', load: () => import('./on-call.tsx'), navigation: { label: 'On call', icon: IconCalendarUser, section: 'work', key: 'f' } },
  ],
  resources: { alerts: pathOf('/alerts'), notificationchannels: pathOf('/channels') },
  commands: [
    { label: 'See what fires', keywords: 'alerts page incident firing', cli: 'pavior alerts list', run: (go) => go('/alerts') },
    { label: 'See who is on call', keywords: 'schedule shift rota oncall override', cli: 'pavior oncall list', run: (go) => go('/on-call') },
    { label: 'Try a notification channel', keywords: 'slack mail webhook pagerduty test', cli: 'pavior alerts test <channel>', run: (go) => go('/channels') },
  ],
}
