/** What was changed and not saved: asked about before it is left, and gone afterwards. */
import type { DashboardSpec } from '@pavior/contract'
import { useBlocker } from '@tanstack/react-router'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { Confirm } from '../../../pieces/confirm.tsx'

interface Unsaved {
  /** Undefined: nothing was changed yet. */
  draft: DashboardSpec | undefined
  setDraft: (spec: DashboardSpec) => void
  /** Of what was changed; nothing when it is saved or left already. */
  change: (change: (now: DashboardSpec) => DashboardSpec) => void
  /** Forgets it without a question. */
  leave: () => void
  question: ReactNode
}

export function useUnsaved(editing: boolean): Unsaved {
  const [draft, setDraft] = useState<DashboardSpec>()
  const leaving = useRef(false)
  const dirty = (): boolean => editing && draft !== undefined && !leaving.current
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty() && (next.pathname !== current.pathname || !('edit' in next.search)),
    enableBeforeUnload: dirty,
    withResolver: true,
  })
  useEffect(() => {
    leaving.current = false
    // Begun again it begins with what is saved by then.
    if (!editing) setDraft(undefined)
  }, [editing])
  const question = (
    <Confirm opened={blocker.status === 'blocked'} close={() => blocker.reset?.()} title="Leave without saving?" losses={['What you changed on this dashboard.']} action="Leave" confirm={async () => blocker.proceed?.()} />
  )
  return {
    draft,
    setDraft,
    change: (change) => setDraft((now) => now && change(now)),
    leave: () => {
      leaving.current = true
    },
    question,
  }
}
