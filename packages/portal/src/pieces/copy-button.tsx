/** Copies a text and says so; `CopyCommand` is a command line with such a button. */
import { ActionIcon, Code, Group, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconAlertCircle, IconCheck, IconCopy } from '@tabler/icons-react'
import { useCopy, type CopyState } from './clipboard.ts'
import classes from './copy-button.module.css'

const iconOf = { idle: IconCopy, copied: IconCheck, failed: IconAlertCircle }
const wordsOf: Record<CopyState, string> = { idle: '', copied: 'Copied', failed: 'The browser does not let this page copy' }

export interface CopyButtonProps {
  text: string
  /** What is copied, for screen readers and on hover: "Copy the URL". */
  label?: string
}

export function CopyButton({ text, label = 'Copy' }: CopyButtonProps) {
  const { state, copy } = useCopy()
  const Shown = iconOf[state]
  return (
    <Tooltip label={wordsOf[state] || label} openDelay={300}>
      <ActionIcon variant="subtle" color={state === 'failed' ? 'red' : 'gray'} size="sm" aria-label={label} onClick={() => copy(text)}>
        <Shown size={14} />
        <VisuallyHidden role="status">{wordsOf[state]}</VisuallyHidden>
      </ActionIcon>
    </Tooltip>
  )
}

/** One command line; the prompt is not copied. */
export function CopyCommand({ command }: { command: string }) {
  return (
    <Group gap={4} wrap="nowrap" className={classes.command}>
      <Code className={classes.code}>
        <span className={classes.prompt} aria-hidden>
          ${' '}
        </span>
        {command}
      </Code>
      <CopyButton text={command} label={`Copy the command ${command}`} />
    </Group>
  )
}
