/** All paths of the portal, from what the rooms bring. Every page but the frame is a chunk of its own. */
import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { rooms } from '../rooms/index.ts'
import { sessionQuery } from './session.ts'
import { Shell } from './shell.tsx'
import { SignIn, Welcome } from './sign-in.tsx'

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet })

const signIn = createRoute({ getParentRoute: () => root, path: '/sign-in', component: SignIn })
const welcome = createRoute({ getParentRoute: () => root, path: '/welcome', component: Welcome })

/** Everything behind the sign-in. */
const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    if ((await context.client.ensureQueryData(sessionQuery)) === null) throw redirect({ to: '/sign-in', search: { next: location.href } as never })
  },
})

const pages = rooms.flatMap(({ pages: own = [] }) => own).map(({ path, title, load }) =>
  createRoute({ getParentRoute: () => frame, path, component: lazyRouteComponent(load), head: () => ({ meta: [{ title: `${title} · Pavior` }] }) }),
)

export function createPortalRouter(client: QueryClient) {
  return createRouter({ routeTree: root.addChildren([signIn, welcome, frame.addChildren(pages)]), context: { client }, defaultPreload: 'intent', scrollRestoration: true })
}
