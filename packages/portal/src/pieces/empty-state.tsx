/** Where there is nothing yet: says so, and teaches the next step with a command to copy. */
import { Group, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Icon } from '../frame/room.ts'
import { CopyCommand } from './copy-button.tsx'

export interface EmptyStateProps {
  icon?: Icon
  title: string
  text?: ReactNode
  /** Command lines, in the order in which they are typed. */
  commands?: string[]
  /** Buttons. */
  children?: ReactNode
}

export function EmptyState({ icon: Shown, title, text, commands = [], children }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" py={48} px="md" ta="center">
      {Shown && (
        <Text c="dimmed" component="span" aria-hidden>
          <Shown size={32} stroke={1.5} />
        </Text>
      )}
      <Text fw={600}>{title}</Text>
      {text && (
        <Text size="sm" c="dimmed" maw={480} component="div">
          {text}
        </Text>
      )}
      {commands.map((command) => (
        <CopyCommand key={command} command={command} />
      ))}
      {children && <Group gap="xs">{children}</Group>}
    </Stack>
  )
}
