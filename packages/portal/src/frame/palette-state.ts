/** Whether the palette is open; apart from the palette itself, which is a chunk of its own. */
import { useSyncExternalStore } from 'react'

let open = false
const listeners = new Set<() => void>()

function set(wanted: boolean): void {
  open = wanted
  for (const listener of listeners) listener()
}

export const openPalette = (): void => set(true)
export const closePalette = (): void => set(false)

export function usePaletteOpen(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => open,
  )
}
