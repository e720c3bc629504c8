/** A value that the server tells again whenever it has changed: each line of the stream is the whole of it. */
import { useEffect, useState } from 'react'
import { ApiError } from './api.ts'
import { live } from './live.ts'

export interface Latest<T> {
  value: T | undefined
  error: ApiError | undefined
}

/** `path` of a stream of JSON lines; undefined asks for nothing. */
export function useLatest<T>(path: string | undefined): Latest<T> {
  const [latest, setLatest] = useState<Latest<T> & { path: string | undefined }>({ path, value: undefined, error: undefined })
  useEffect(() => {
    if (path === undefined) return undefined
    return live.open({
      path: () => path,
      lines: (lines) => setLatest({ path, value: lines.at(-1) as T, error: undefined }),
      ended: (error) => {
        const { code = 500 } = error ?? {}
        if (error === undefined || code >= 500) return 'again'
        setLatest({ path, value: undefined, error: new ApiError(code, error) })
        return 'closed'
      },
    })
  }, [path])
  // What was asked for before is no answer to what is asked for now.
  return latest.path === path ? latest : { value: undefined, error: undefined }
}
