/** Who is signed in, and for which teams. */
import type { Role } from '@pavior/contract'
import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { ApiError, get, onSignedOut, post, remove, setCsrf } from './api.ts'
import { forgetCollections } from './collections.ts'
import { live } from './live.ts'

export interface Session {
  /** Name of the User. */
  user: string
  /** As the audit names it: `user:ada`. */
  name: string
  admin: boolean
  roles: Record<string, Role>
  /** What bindings give beside; without a team everywhere. */
  grants?: { role: string; team?: string }[]
  csrf: string
}

export type Credentials = ({ key: string } | { username: string; password: string }) & { code?: string }

/** Null when nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: Infinity,
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await get<Session>('/v1/session')
      setCsrf(session.csrf)
      return session
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null
      throw error
    }
  },
})

/** Only below the frame, where somebody is signed in. */
export function useSession(): Session {
  const { data } = useSuspenseQuery(sessionQuery)
  if (data === null) throw new Error('useSession is for pages behind the sign-in')
  return data
}

/** Whether who is signed in may do what this role may, in this team. */
export function mayAs(session: Session, role: Role, team: string | undefined): boolean {
  const order: Role[] = ['viewer', 'developer', 'admin']
  if (session.admin) return true
  const own = team === undefined ? undefined : session.roles[team]
  return own !== undefined && order.indexOf(own) >= order.indexOf(role)
}

export function useSignIn(): { signIn: (credentials: Credentials) => Promise<void>; signOut: () => Promise<void> } {
  const client = useQueryClient()
  const forget = async (): Promise<void> => {
    live.close()
    forgetCollections()
    setCsrf('')
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    client.setQueryData(sessionQuery.queryKey, null)
  }
  onSignedOut(() => void forget())
  return {
    signIn: async (credentials) => {
      await post('/v1/session', credentials)
      await client.fetchQuery({ ...sessionQuery, staleTime: 0 })
    },
    signOut: async () => {
      const { provider } = await remove<{ provider?: string }>('/v1/session')
      await forget()
      // Who came through an identity provider leaves there too.
      if (provider !== undefined) location.assign(`/v1/sso/${encodeURIComponent(provider)}/logout`)
    },
  }
}
