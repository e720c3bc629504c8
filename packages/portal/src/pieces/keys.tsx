/** Keys of a shortcut as they are printed on a keyboard. */
import { Kbd } from '@mantine/core'
import { shownKeys } from '../frame/shortcuts.ts'

/** `hint`: beside a word that already names what is done, so it is not read out as part of the name. */
export function Keys({ keys, hint = false }: { keys: string; hint?: boolean }) {
  return (
    <span className="nowrap" aria-hidden={hint || undefined}>
      {shownKeys(keys).map((key, index) => (
        <span key={`${index} ${key}`}>
          {index > 0 && ' then '}
          <Kbd size="xs">{key}</Kbd>
        </span>
      ))}
    </span>
  )
}
