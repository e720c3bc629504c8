/** Pages for every kind of resource, made from its schema. A room that has a nicer page of a kind names it in its `resources`. */
import { IconStack2 } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const kinds: PortalRoom = {
  name: 'kinds',
  pages: [
    { path: '/kinds', title: 'Resources', load: () => import('./kinds-page.tsx'), navigation: { label: 'Resources', icon: IconStack2, section: 'platform', key: 'r' } },
    { path: '/kinds/$plural', title: ({ plural }) => plural ?? '', load: () => import('./list-page.tsx') },
    { path: '/kinds/$plural/create', title: ({ plural }) => `Create · ${plural}`, load: () => import('./create-page.tsx') },
    { path: '/kinds/$plural/$team/$name', title: ({ plural, name }) => `${name} · ${plural}`, load: () => import('./detail-page.tsx') },
    { path: '/kinds/$plural/$team/$name/edit', title: ({ plural, name }) => `Edit ${name} · ${plural}`, load: () => import('./edit-page.tsx') },
    { path: '/docs/errors', title: 'Error codes', load: () => import('./errors-page.tsx') },
    { path: '/docs/errors/$code', title: ({ code }) => code ?? '', load: () => import('./error-page.tsx') },
  ],
  commands: [
    { label: 'Create a resource of any kind', keywords: 'new apply', cli: 'pavior apply -f <file>', run: (go) => go('/kinds') },
    { label: 'Look up an error code', keywords: 'docs help', run: (go) => go('/docs/errors') },
  ],
}
