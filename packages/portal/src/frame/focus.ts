/** After a navigation the focus goes to the heading of the page, so that a screen reader says where one is. */
import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

export function useFocusOnArrival(): void {
  const router = useRouter()
  useEffect(() => {
    let stopWaiting = (): void => {}
    const unsubscribe = router.subscribe('onRendered', ({ pathChanged, fromLocation }) => {
      if (!pathChanged || fromLocation === undefined) return
      stopWaiting()
      stopWaiting = focusHeading()
    })
    return () => {
      stopWaiting()
      unsubscribe()
    }
  }, [router])
}

/** Waits for the heading while the page is still a skeleton; gives up as soon as the person goes somewhere. */
function focusHeading(): () => void {
  const main = document.querySelector('main')
  if (!main) return () => {}
  const observer = new MutationObserver(tryIt)
  function stop(): void {
    observer.disconnect()
    document.removeEventListener('keydown', stop)
    document.removeEventListener('pointerdown', stop)
  }
  function tryIt(): boolean {
    const heading = main!.querySelector<HTMLElement>('h1')
    if (!heading) return false
    stop()
    // A page that focuses a field of its own knows better.
    if (main!.contains(document.activeElement)) return true
    heading.tabIndex = -1
    heading.focus({ preventScroll: true })
    return true
  }
  if (tryIt()) return () => {}
  observer.observe(main, { childList: true, subtree: true })
  document.addEventListener('keydown', stop)
  document.addEventListener('pointerdown', stop)
  return stop
}
