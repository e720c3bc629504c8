/** Keys that do something wherever one is: single ones, and two in a row such as g then a. Whoever shows something registers its keys. */
import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface Shortcut {
  /** `?`, `/`, `j`; `g a` is one after the other; `mod+k` is ⌘K on a Mac and Ctrl-K elsewhere. */
  keys: string
  label: string
  group: string
  run: () => void
}

const sequenceTimeoutMs = 1200
const offKey = 'pavior.shortcuts-off'
/** The newest first: what is on top of the page is asked first. */
let registered: Shortcut[] = []
const listeners = new Set<() => void>()

function notify(): void {
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** While the component is shown. The functions may change with every rendering. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  const identity = shortcuts.map(({ keys, label, group }) => `${keys}\t${label}\t${group}`).join('\n')
  useEffect(() => {
    const own = identity === '' ? [] : identity.split('\n').map((line, index) => {
      const [keys = '', label = '', group = ''] = line.split('\t')
      return { keys, label, group, run: () => latest.current[index]?.run() }
    })
    registered = [...own, ...registered]
    notify()
    return () => {
      registered = registered.filter((shortcut) => !own.includes(shortcut))
      notify()
    }
  }, [identity])
}

/** All that do something now, in the order of their groups. */
export function useRegisteredShortcuts(): Shortcut[] {
  return useSyncExternalStore(subscribe, () => registered)
}

/** People who speak to their computer switch single keys off (WCAG 2.1.4); ⌘K stays. */
export function useSingleKeys(): [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore(subscribe, singleKeysOn)
  return [
    on,
    (wanted) => {
      if (wanted) localStorage.removeItem(offKey)
      else localStorage.setItem(offKey, '1')
      notify()
    },
  ]
}

function singleKeysOn(): boolean {
  return localStorage.getItem(offKey) === null
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** As a person reads it: ⌘K, Ctrl K, g then a. */
export function shownKeys(keys: string): string[] {
  return keys.split(' ').map((key) => {
    if (!key.startsWith('mod+')) return key
    const other = key.slice('mod+'.length)
    return `${isMac ? '⌘' : 'Ctrl '}${other === 'enter' ? '↵' : other.toUpperCase()}`
  })
}

function pressed(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? (event.shiftKey && /[a-z]/i.test(event.key) ? event.key.toUpperCase() : event.key) : event.key
  return (isMac ? event.metaKey : event.ctrlKey) ? `mod+${key.toLowerCase()}` : key
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest('[role=dialog],[role=menu],[role=listbox]') !== null)
}

/** Listens, once, for the whole portal. Returns the function that ends it. */
export function listenForShortcuts(): () => void {
  let first: { key: string; at: number } | undefined
  const run = (event: KeyboardEvent, shortcut: Shortcut): void => {
    event.preventDefault()
    shortcut.run()
  }
  /** Before anything else on the page: an editor has meanings of its own for some. */
  const hearCombined = (event: KeyboardEvent): void => {
    const found = registered.find(({ keys }) => keys.startsWith('mod+') && keys === pressed(event))
    if (!found || event.altKey || event.repeat) return
    event.stopPropagation()
    run(event, found)
  }
  /** After everything else on the page. */
  const hearSingle = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.repeat) return
    if (typing(event.target) || !singleKeysOn()) return
    const key = pressed(event)
    const sequence = first !== undefined && event.timeStamp - first.at < sequenceTimeoutMs ? `${first.key} ${key}` : undefined
    const found = registered.find(({ keys }) => keys === sequence) ?? registered.find(({ keys }) => keys === key)
    first = found === undefined && registered.some(({ keys }) => keys.startsWith(`${key} `)) ? { key, at: event.timeStamp } : undefined
    if (found) run(event, found)
  }
  window.addEventListener('keydown', hearCombined, { capture: true })
  window.addEventListener('keydown', hearSingle)
  return () => {
    window.removeEventListener('keydown', hearCombined, { capture: true })
    window.removeEventListener('keydown', hearSingle)
  }
}
