/** For tests: routes are made before the API that they belong to, with parts of it that come later. */
import type { TestApi } from './api.ts'

export interface Later {
  api?: TestApi
}

export function laterOf<K extends keyof TestApi>(later: Later, key: K): TestApi[K] {
  return new Proxy({}, { get: (_target, name) => (...given: unknown[]) => (later.api![key] as any)[name](...given) }) as TestApi[K]
}
