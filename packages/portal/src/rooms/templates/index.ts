/** Golden paths: choose a template, answer its questions, watch it become an app. */
import { IconPlus } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

export const templates: PortalRoom = {
  name: 'templates',
  pages: [
    { path: '/create', title: 'Create', load: () => import('./create-page.tsx'), navigation: { label: 'Create', icon: IconPlus, section: 'work', key: 'c' } },
    { path: '/create/$team/$template', title: ({ template }) => `Create from ${template}`, load: () => import('./form-page.tsx') },
    { path: '/templates/$team/$template', title: ({ template }) => template ?? '', load: () => import('./template-page.tsx') },
    { path: '/runs/$team/$run', title: ({ run }) => run ?? '', load: () => import('./run-page.tsx') },
  ],
  commands: [{ label: 'Create an app from a template', keywords: 'new scaffold golden path', cli: 'pavior new', run: (go) => go('/create') }],
  resources: {
    templates: ({ metadata }) => (metadata.namespace ? `/templates/${metadata.namespace}/${metadata.name}` : undefined),
    templateruns: ({ metadata }) => (metadata.namespace ? `/runs/${metadata.namespace}/${metadata.name}` : undefined),
  },
}
