/** Keys of a shortcut as they are printed on a keyboard. */
import { Kbd } from '@mantine/core'
import { shownKeys } from '../frame/shortcuts.ts'

export function Keys({ keys }: { keys: string }) {
  return (
    <span className="nowrap">
      {shownKeys(keys).map((key, index) => (
        <span key={`${index} ${key}`}>
          {index > 0 && ' then '}
          <Kbd size="xs">{key}</Kbd>
        </span>
      ))}
    </span>
  )
}
