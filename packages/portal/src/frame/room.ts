/** How a room of the portal says what it brings: pages, their place in the navigation, tabs of an app, commands of the palette. */
import type { ObjectMeta } from '@pavior/contract'
import type { ComponentType } from 'react'
import type { Session } from './session.ts'

export type Icon = ComponentType<{ size?: number | string; stroke?: number | string }>

export type Section = 'work' | 'platform' | 'you'

export interface Navigation {
  label: string
  icon: Icon
  section: Section
  /** Goes there after g. */
  key?: string
  visible?: (session: Session) => boolean
}

export interface Page {
  /** Path with parameters as TanStack Router writes them: /apps/$team/$app */
  path: string
  /** Of the browser tab; with the parameters of the path where it is about one thing. */
  title: string | ((params: Record<string, string>) => string)
  load: () => Promise<{ default: ComponentType }>
  /** Place in the navigation; a page without one is reached from others. */
  navigation?: Navigation
}

export interface AppTab {
  /** Last part of the path: /apps/$team/$app/<tab>; '' is the overview. */
  tab: string
  label: string
  /** Place among the tabs, from the left: what one looks at every day has a low one. Default: 50. */
  order?: number
  load: () => Promise<{ default: ComponentType }>
}

export interface Command {
  label: string
  /** What else a person may type to find it. */
  keywords?: string
  /** Shown beside it, for those who prefer the command line. */
  cli?: string
  visible?: (session: Session) => boolean
  run: (go: (path: string) => void) => void
}

/** What is known of a resource where only its metadata was read. */
export interface Named {
  metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'labels' | 'ownerReferences'>
}

export interface PortalRoom {
  name: string
  pages?: Page[]
  appTabs?: AppTab[]
  commands?: Command[]
  /** What a text that somebody typed or pasted into the palette stands for, for example an id. */
  typed?: (text: string) => Command | undefined
  /** Path of the room's own page of a resource, by plural of its kind: `apps: ({ metadata }) => …`. Other kinds get the generic page. */
  resources?: Record<string, (resource: Named) => string | undefined>
}
