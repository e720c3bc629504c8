/** Top of every page: where it is, what it is about, what one can do. The heading is what the focus goes to after a navigation. */
import { Anchor, Breadcrumbs, Group, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import classes from './page-header.module.css'

export interface Crumb {
  label: string
  to: string
}

export interface PageHeaderProps {
  title: string
  /** Pages above this one, outermost first. */
  crumbs?: Crumb[]
  /** Beside the title: a status, a badge. */
  beside?: ReactNode
  /** One sentence below it. */
  text?: ReactNode
  /** Buttons; the most likely one last. */
  actions?: ReactNode
}

export function PageHeader({ title, crumbs = [], beside, text, actions }: PageHeaderProps) {
  return (
    <header className={classes.header}>
      {crumbs.length > 0 && (
        <Breadcrumbs component="nav" aria-label="Breadcrumb" separatorMargin={6} className={classes.crumbs}>
          {crumbs.map(({ label, to }) => (
            <Anchor key={to} size="sm" c="dimmed" renderRoot={(props) => <Link to={to} {...props} />}>
              {label}
            </Anchor>
          ))}
        </Breadcrumbs>
      )}
      <Group justify="space-between" gap="sm" align="center">
        <Group gap="sm" className={classes.name}>
          <Title order={1} tabIndex={-1} className={classes.title}>
            {title}
          </Title>
          {beside}
        </Group>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {text && (
        <Text size="sm" c="dimmed" mt={4} className={classes.text} component="div">
          {text}
        </Text>
      )}
    </header>
  )
}
