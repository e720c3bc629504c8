/** To the clipboard, also where the browser keeps its newer way back because the page came over plain HTTP. */
import { useEffect, useRef, useState } from 'react'

const shownForMs = 1600

export async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.setAttribute('readonly', '')
  area.style.position = 'fixed'
  area.style.opacity = '0'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  if (!done) throw new Error('The browser does not let this page copy.')
}

export type CopyState = 'idle' | 'copied' | 'failed'

/** The state goes back to idle by itself. */
export function useCopy(): { state: CopyState; copy: (text: string) => void } {
  const [state, setState] = useState<CopyState>('idle')
  const timer = useRef<number | undefined>(undefined)
  useEffect(() => () => window.clearTimeout(timer.current), [])
  const show = (next: CopyState): void => {
    window.clearTimeout(timer.current)
    setState(next)
    timer.current = window.setTimeout(() => setState('idle'), shownForMs)
  }
  return { state, copy: (text) => void copyText(text).then(() => show('copied'), () => show('failed')) }
}
