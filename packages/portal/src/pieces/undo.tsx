/** Says that something is done, and takes it back for a while. For what is safe to do at once. */
import { Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'

/** Long enough to look at what it did, on another page too. */
const shownForMs = 15_000

export interface Undoable {
  /** What was done: "web runs with 3 instances." */
  message: string
  undo: () => Promise<unknown>
}

export function showUndo({ message, undo }: Undoable): void {
  const takeBack = (): void => {
    notifications.hide(id)
    undo().catch((error: Error) => notifications.show({ color: 'red', closeButtonProps: { 'aria-label': 'Close' }, title: 'It could not be taken back', message: error.message }))
  }
  const id = notifications.show({
    autoClose: shownForMs,
    closeButtonProps: { 'aria-label': 'Close' },
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button size="compact-sm" variant="light" onClick={takeBack}>
          Undo
        </Button>
      </Group>
    ),
  })
}
