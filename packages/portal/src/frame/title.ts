/** The title of the browser tab follows the page. */
import { useMatches } from '@tanstack/react-router'
import { useEffect } from 'react'

const product = 'Pavior'

export function useTitle(): void {
  const page = useMatches({ select: (matches) => matches.at(-1) })
  const title = page?.staticData.title
  const shown = typeof title === 'function' ? title(page?.params ?? {}) : title
  useEffect(() => {
    document.title = shown === undefined ? product : `${shown} · ${product}`
  }, [shown])
}
