/** What is wrong, what is done about it, and what was learned from it. */
import { IconUrgent } from '@tabler/icons-react'
import type { Named, PortalRoom } from '../../frame/room.ts'

const pathIn = (base: string) => ({ metadata }: Named): string => `${base}/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}`

export const incidents: PortalRoom = {
  name: 'incidents',
  pages: [
    { path: '/incidents', title: 'Incidents', load: () => import('./incidents.tsx'), navigation: { label: 'Incidents', icon: IconUrgent, section: 'work', key: 'i' } },
    { path: '/incidents/$team/$name', title: ({ name }) => name ?? 'Incident', load: () => import('./incident.tsx') },
    { path: '/postmortems', title: 'Postmortems', load: () => import('./postmortems.tsx') },
    { path: '/postmortems/$team/$name', title: ({ name }) => `Postmortem of ${name}`, load: () => import('./postmortem.tsx') },
    { path: '/actions', title: 'Actions', load: () => import('./actions.tsx') },
  ],
  resources: { incidents: pathIn('/incidents'), postmortems: pathIn('/postmortems') },
  commands: [
    { label: 'See what is wrong now', keywords: 'incident outage on call', cli: 'pavior incident list --open', run: (go) => go('/incidents') },
    { label: 'Actions of postmortems', keywords: 'follow up todo learned', cli: 'pavior postmortem list', run: (go) => go('/actions') },
  ],
}
