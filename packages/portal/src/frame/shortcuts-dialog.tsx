/** All keys that do something on this page. */
import { Modal, Stack, Table, Text, Title } from '@mantine/core'
import { Keys } from '../pieces/keys.tsx'
import { useRegisteredShortcuts } from './shortcuts.ts'

export default function ShortcutsDialog({ close }: { close: () => void }) {
  const shortcuts = useRegisteredShortcuts()
  const groups = [...new Set(shortcuts.map(({ group }) => group))]
  return (
    <Modal opened onClose={close} title="Keyboard shortcuts" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="md">
        {groups.map((group) => (
          <section key={group}>
            <Title order={3} mb={4}>
              {group}
            </Title>
            <Table verticalSpacing={4} horizontalSpacing={0} withRowBorders={false}>
              <Table.Tbody>
                {shortcuts
                  .filter((shortcut) => shortcut.group === group)
                  .map(({ keys, label }) => (
                    <Table.Tr key={keys}>
                      <Table.Td>{label}</Table.Td>
                      <Table.Td ta="right">
                        <Keys keys={keys} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
              </Table.Tbody>
            </Table>
          </section>
        ))}
        <Text size="xs" c="dimmed">
          Single keys can be switched off in the account menu.
        </Text>
      </Stack>
    </Modal>
  )
}
