/** Going somewhere by a path that was put together; links in pages use the router's Link where they can. */
import { useRouter } from '@tanstack/react-router'
import { useCallback } from 'react'

export function useGo(): (path: string) => void {
  const router = useRouter()
  return useCallback((path) => router.history.push(path), [router])
}
