/** A link inside the portal; a page behind it is fetched when the pointer comes near. */
import { Anchor, type AnchorProps } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

export interface GoLinkProps extends AnchorProps {
  to: string
  search?: Record<string, string | undefined>
  children: ReactNode
}

export function GoLink({ to, search, children, ...style }: GoLinkProps) {
  return (
    <Anchor inherit={style.size === undefined} {...style} renderRoot={(props) => <Link to={to} {...(search ? { search: search as never } : {})} {...props} />}>
      {children}
    </Anchor>
  )
}
