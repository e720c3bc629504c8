/** Behind the bell, for owners of a team and administrators: who holds a higher role there for a while, and why. */
import type { Resource, RoleBindingSpec } from '@pavior/contract'
import { Text, UnstyledButton } from '@mantine/core'
import { Ago } from '../pieces/ago.tsx'
import { Status } from '../pieces/status.tsx'
import { useCollection } from './collections.ts'
import { useGo } from './navigation.ts'
import { mayAs, type Session } from './session.ts'
import classes from './bell.module.css'

type Binding = Resource<RoleBindingSpec>

/** Bindings that people made for themselves; they are gone at their end. */
const elevations = { labelSelector: 'pavior.dev/elevation=true' }

export function useElevations(session: Session): Binding[] {
  const { items } = useCollection<Binding>('rolebindings', elevations)
  return items.filter(({ metadata, spec }) => mayAs(session, 'admin', metadata.namespace) && !spec.subjects.some(({ name }) => name === session.user))
}

export function ElevationRow({ binding: { metadata, spec }, left }: { binding: Binding; left: () => void }) {
  const go = useGo()
  const open = (): void => {
    left()
    go('/access')
  }
  return (
    <UnstyledButton className={classes.row} data-unread onClick={open}>
      <Status word="Elevated" tone="warn" />
      <span className={classes.words}>
        <Text size="sm" truncate>
          {spec.subjects.map(({ name }) => name).join(', ')} is {spec.role} in {metadata.namespace}
        </Text>
        <Text size="xs" c="dimmed" lineClamp={2}>
          {spec.reason}
        </Text>
      </span>
      <Text size="xs" c="dimmed" component="span">
        <Ago at={metadata.creationTimestamp} />
      </Text>
    </UnstyledButton>
  )
}
