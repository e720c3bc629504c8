/** A link that signs in once, to be given to its person. */
import { Group, TextInput } from '@mantine/core'
import { CopyButton } from '../../pieces/copy-button.tsx'

export function LoginLink({ url }: { url: string }) {
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <TextInput label="Link" value={url} readOnly style={{ flex: 1 }} onFocus={({ currentTarget }) => currentTarget.select()} rightSection={<CopyButton text={url} label="Copy the link" />} />
    </Group>
  )
}
