/** A part of a page with its heading and what can be done in it. */
import { Group, Title } from '@mantine/core'
import { useId, type ReactNode } from 'react'
import classes from './section.module.css'

export function Section({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  const id = useId()
  return (
    <section className={classes.section} aria-labelledby={id}>
      <Group justify="space-between" gap="xs" mb={6} mih={30}>
        <Title order={2} id={id} className={classes.title}>
          {title}
        </Title>
        {actions}
      </Group>
      {children}
    </section>
  )
}
