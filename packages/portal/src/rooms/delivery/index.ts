import type { PortalRoom } from '../../frame/room.ts'

export const delivery: PortalRoom = {
  name: 'delivery',
  pages: [
    { path: '/apps/$team/$app/deployments/$name', title: ({ name = '' }) => name, load: () => import('./deployment.tsx') },
    { path: '/apps/$team/$app/builds/$name', title: ({ name = '' }) => name, load: () => import('./build.tsx') },
  ],
  appTabs: [{ tab: 'deployments', order: 10, label: 'Deployments', load: () => import('./deployments.tsx') }],
  resources: { deployments: ({ metadata }) => (metadata.labels?.['pavior.dev/app'] ? `/apps/${metadata.namespace}/${metadata.labels['pavior.dev/app']}/deployments/${metadata.name}` : undefined) },
}
