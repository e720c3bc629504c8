import { expect, test } from 'vitest'
import type { ReleaseSpec } from '@pavior/contract'
import { afterRelease, isPinnedOut, pinnedOut, pinOf, withPin } from './pins.ts'
import type { Built } from './snapshot.ts'

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`
const release = (version: number, artifact: string, commit?: string): ReleaseSpec => ({ app: 'shop', version, artifact, environment: 'production', env: {}, processes: {}, ...(commit ? { revision: { type: 'git', source: artifact, commit } } : {}) })
const built = (artifact: string, commit?: string): Built => ({ artifact, env: {}, processes: {}, mounts: [], bin: [], ...(commit ? { revision: { type: 'git', source: artifact, commit } } : {}) })

test('what was taken back is refused by its artifact and by its commit, in its environment, until something new serves', () => {
  const pin = pinOf(release(3, digest('a')), release(4, digest('b'), 'c0ffee'), 'Rolled back.')!
  const spec = withPin({}, 'production', pin)
  expect(isPinnedOut(spec, 'production', built(digest('b')))).toBe(true)
  expect(isPinnedOut(spec, 'production', built(digest('d'), 'c0ffee'))).toBe(true)
  expect(isPinnedOut(spec, 'staging', built(digest('b')))).toBe(false)
  expect(isPinnedOut(spec, 'production', built(digest('a')))).toBe(false)
  expect(pinnedOut(spec, 'shop', 'production').toObject()).toMatchObject({ code: 'REVISION_PINNED_OUT', why: 'Rolled back.', state: 'v3 is what production was taken back to.' })
  expect(afterRelease(spec, 'production', built(digest('a')))).toBe(spec)
  expect(afterRelease(spec, 'production', built(digest('e')))).toEqual({})
  expect(afterRelease(withPin(spec, 'staging', pin), 'production', built(digest('e'))).pinned).toEqual({ staging: pin })
})

test('configuration alone is not pinned: its artifact is the good one', () => {
  expect(pinOf(release(3, digest('a')), release(4, digest('a')), '')).toBeUndefined()
})
