/** A value that is typed and never shown: browsers keep no copy of it, and it is gone from the page when it was sent. */
import { PasswordInput } from '@mantine/core'

export function ValueField({ value, change }: { value: string; change: (value: string) => void }) {
  return (
    <PasswordInput
      label="Value"
      description="It cannot be read again after it is set."
      required
      autoComplete="new-password"
      spellCheck={false}
      data-1p-ignore
      data-lpignore="true"
      visibilityToggleButtonProps={{ 'aria-label': 'Show what is typed' }}
      value={value}
      onChange={({ currentTarget }) => change(currentTarget.value)}
    />
  )
}
