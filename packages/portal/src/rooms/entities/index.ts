/** What software there is: the catalogue, its graph, documentation and APIs of apps, scorecards. */
import { IconBooks, IconChecklist } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const entities: PortalRoom = {
  name: 'entities',
  pages: [
    { path: '/catalog', title: 'Catalogue', load: () => import('./catalogue.tsx'), navigation: { label: 'Catalogue', icon: IconBooks, section: 'work', key: 'o' } },
    { path: '/catalog/$kind/$namespace/$name', title: ({ name }) => `${name} · Catalogue`, load: () => import('./entity.tsx') },
    { path: '/scorecards', title: 'Scorecards', load: () => import('./scorecards.tsx'), navigation: { label: 'Scorecards', icon: IconChecklist, section: 'work', key: 's' } },
    { path: '/scorecards/$scorecard', title: ({ scorecard }) => `${scorecard} · Scorecards`, load: () => import('./scorecard.tsx') },
  ],
  appTabs: [
    { tab: 'docs', label: 'Docs', load: () => import('./docs.tsx') },
    { tab: 'apis', label: 'APIs', load: () => import('./apis.tsx') },
    { tab: 'scorecard', label: 'Scorecard', load: () => import('./app-scorecard.tsx') },
  ],
  commands: [{ label: 'Search the catalogue', keywords: 'components apis owners docs', cli: 'pavior catalog list <words>', run: (go) => go('/catalog') }],
  resources: { scorecards: ({ metadata }) => `/scorecards/${metadata.name}` },
}
