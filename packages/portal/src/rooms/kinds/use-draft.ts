/** A resource that is being written, as form and as YAML in step, looked over by the server while one writes. */
import type { Cause, Resource } from '@pavior/contract'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError, call, resourcePath } from '../../frame/api.ts'
import { fromYaml, toYaml, type Manifest } from './manifest.ts'

const lookOverAfterMs = 350

export interface Draft {
  manifest: Manifest
  /** By the form. */
  setManifest: (manifest: Manifest) => void
  yaml: string
  /** By the editor. */
  setYaml: (yaml: string) => void
  /** Why the YAML cannot be read; the form stands still meanwhile. */
  unreadable: Cause | undefined
}

export function useDraft(initial: Manifest): Draft {
  const [manifest, setManifest] = useState(initial)
  const [yaml, setYaml] = useState(() => toYaml(initial))
  const [unreadable, setUnreadable] = useState<Cause>()
  return {
    manifest,
    yaml,
    unreadable,
    setManifest: (next) => {
      setManifest(next)
      setYaml(toYaml(next))
      setUnreadable(undefined)
    },
    setYaml: (text) => {
      setYaml(text)
      const { manifest: read, problem } = fromYaml(text, manifest.kind)
      setUnreadable(problem)
      if (read) setManifest(read)
    },
  }
}

/** Where a manifest is sent to: a new one to the collection, a known one to itself. */
export function savePath(plural: string, { metadata: { name, namespace } }: Manifest, isNew: boolean): string {
  return resourcePath(plural, namespace, isNew ? undefined : name)
}

/** `resourceVersion` makes a change fail that was made to an older state. */
export function save(plural: string, manifest: Manifest, { resourceVersion, dryRun = false, signal }: { resourceVersion?: string | undefined; dryRun?: boolean; signal?: AbortSignal }): Promise<Resource> {
  const isNew = resourceVersion === undefined
  const body = isNew ? manifest : { ...manifest, metadata: { ...manifest.metadata, resourceVersion } }
  return call<Resource>(isNew ? 'POST' : 'PUT', `${savePath(plural, manifest, isNew)}${dryRun ? '?dryRun=All' : ''}`, { body, ...(signal ? { signal } : {}) })
}

export interface Judgement {
  /** Of single fields, beside which they are shown. */
  causes: Cause[]
  /** What is not about a field: a missing right, a conflict. */
  error: Error | undefined
  pending: boolean
}

/** What the server would say, asked with every pause in writing. Nothing is kept. */
export function useJudgement(plural: string, manifest: Manifest, resourceVersion: string | undefined): Judgement {
  const [settled] = useDebouncedValue(manifest, lookOverAfterMs)
  const ready = settled.metadata.name !== ''
  const { error, isFetching } = useQuery({
    queryKey: ['dry-run', plural, resourceVersion, settled],
    queryFn: ({ signal }) => save(plural, settled, { resourceVersion, dryRun: true, signal }),
    enabled: ready,
    retry: false,
    gcTime: 0,
    staleTime: Infinity,
  })
  const causes = ready && error instanceof ApiError ? (error.details.causes ?? []) : []
  return { causes, error: ready && causes.length === 0 ? (error ?? undefined) : undefined, pending: isFetching || settled !== manifest }
}
