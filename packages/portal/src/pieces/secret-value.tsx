/** A value that stays hidden, until one asks, when its name says that it is secret. */
import { ActionIcon, Code, Group } from '@mantine/core'
import { IconEye, IconEyeOff } from '@tabler/icons-react'
import { useState } from 'react'
import { looksSecret } from './secret-name.ts'
import classes from './secret-value.module.css'

export function SecretValue({ name, value }: { name: string; value: string }) {
  const secret = looksSecret(name, value)
  const [shown, setShown] = useState(false)
  const Shape = shown ? IconEyeOff : IconEye
  return (
    <Group gap={4} wrap="nowrap">
      <Code className={classes.value}>{secret && !shown ? '••••••••' : value}</Code>
      {secret && (
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={`${shown ? 'Hide' : 'Show'} ${name}`} aria-pressed={shown} onClick={() => setShown(!shown)}>
          <Shape size={14} />
        </ActionIcon>
      )}
    </Group>
  )
}
