/** One act at a time, with its error to show beside the button. */
import { useState } from 'react'

export interface Act {
  busy: boolean
  error: Error | undefined
  act: (work: () => Promise<unknown>) => void
}

export function useAct(): Act {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const act = (work: () => Promise<unknown>): void => {
    setBusy(true)
    setError(undefined)
    work()
      .catch(setError)
      .finally(() => setBusy(false))
  }
  return { busy, error, act }
}
