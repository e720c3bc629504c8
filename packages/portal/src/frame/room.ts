/** How a room of the portal says what it brings: pages, their place in the navigation, tabs of an app, commands of the palette. */
import type { ComponentType } from 'react'
import type { Session } from './session.ts'

export type Icon = ComponentType<{ size?: number; stroke?: number }>

export interface Page {
  /** Path with parameters as TanStack Router writes them: /apps/$team/$app */
  path: string
  /** Of the browser tab and of the heading that a screen reader hears. */
  title: string
  load: () => Promise<{ default: ComponentType }>
  /** Place in the navigation; a page without one is reached from others. */
  navigation?: { label: string; icon: Icon; section: 'work' | 'platform' | 'you'; /** Goes there after g. */ key?: string; visible?: (session: Session) => boolean }
}

export interface AppTab {
  /** Last part of the path: /apps/$team/$app/<tab>; '' is the overview. */
  tab: string
  label: string
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

export interface PortalRoom {
  name: string
  pages?: Page[]
  appTabs?: AppTab[]
  commands?: Command[]
}
