/** All paths of the portal, from what the rooms bring. Every page but the frame is a chunk of its own. */
import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { PageSkeleton } from '../pieces/page-skeleton.tsx'
import { rooms } from '../rooms/index.ts'
import { NotFound } from './not-found.tsx'
import { PageError } from './page-error.tsx'
import { registerRooms } from './registry.ts'
import type { Page } from './room.ts'
import { sessionQuery } from './session.ts'
import { Shell } from './shell.tsx'
import { SignIn, Welcome } from './sign-in.tsx'

/** A page that comes sooner than this shows no skeleton, and a skeleton that shows stays this long: flicker is worse than waiting. */
const skeletonAfterMs = 120
const skeletonForMs = 200

registerRooms(rooms)

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet })

const signIn = createRoute({ getParentRoute: () => root, path: '/sign-in', component: SignIn, staticData: { title: 'Sign in' } })
const welcome = createRoute({ getParentRoute: () => root, path: '/welcome', component: Welcome, staticData: { title: 'Welcome' } })

/** Everything behind the sign-in. */
const frame = createRoute({
  getParentRoute: () => root,
  id: 'frame',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    if ((await context.client.ensureQueryData(sessionQuery)) === null) throw redirect({ to: '/sign-in', search: { next: location.href } as never })
  },
})

const pages = rooms
  .flatMap(({ pages: own = [] }) => own)
  .map(({ path, title, load }) => createRoute({ getParentRoute: () => frame, path, component: lazyRouteComponent(load), staticData: { title } }))
const nowhere = createRoute({ getParentRoute: () => frame, path: '$', component: NotFound, staticData: { title: 'Not found' } })

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    title?: Page['title']
  }
}

export function createPortalRouter(client: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([signIn, welcome, frame.addChildren([...pages, nowhere])]),
    context: { client },
    defaultPreload: 'intent',
    defaultPendingComponent: PageSkeleton,
    defaultPendingMs: skeletonAfterMs,
    defaultPendingMinMs: skeletonForMs,
    defaultErrorComponent: PageError,
    scrollRestoration: true,
  })
}
