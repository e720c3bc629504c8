/** All pieces of the design system in all their states. For those who build pages; reached from the palette. */
import type { PortalRoom } from '../../frame/room.ts'

export const gallery: PortalRoom = {
  name: 'gallery',
  pages: [{ path: '/gallery', title: 'Gallery of pieces', load: () => import('./gallery-page.tsx') }],
  commands: [{ label: 'Gallery of pieces', keywords: 'design system components', run: (go) => go('/gallery') }],
}
