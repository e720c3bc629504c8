import type { AppSpec, AppStatus } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { catalogInfoText, descriptionFrom, docsText, manifestWith, readmeText, type FixFacts } from './plan.ts'

const app = (spec: AppSpec = {}, status: AppStatus = {}): FixFacts['app'] => ({ apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name: 'shop', namespace: 'blue', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' }, spec, status })
const facts: FixFacts = {
  app: app({ description: 'Sells things.', env: { LOG_LEVEL: 'info', API_TOKEN: 'very-secret' } }, { environments: { production: { url: 'http://shop.localhost' } } }),
  entity: { apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'shop', namespace: 'blue', annotations: { 'pavior.dev/app': 'blue/shop', 'example.com/a': '1' }, links: [{ url: 'http://shop.localhost' }] }, spec: { type: 'service', lifecycle: 'production', owner: 'group:default/blue' } },
  commands: { web: 'node server.js' },
}

describe('what is proposed', () => {
  test('says what is known, and no value of a variable', () => {
    for (const known of ['# shop', 'Sells things.', 'http://shop.localhost', '`node server.js`', '`API_TOKEN`']) expect(readmeText(facts)).toContain(known)
    expect(readmeText(facts) + docsText(facts)).not.toContain('very-secret')
    expect(docsText(facts)).toContain('pavior logs shop --follow')
  })

  test('is a catalogue file without what only the platform can say', () => {
    expect(parse(catalogInfoText(facts)!)).toEqual({ apiVersion: 'backstage.io/v1alpha1', kind: 'Component', metadata: { name: 'shop', annotations: { 'example.com/a': '1' } }, spec: facts.entity!.spec })
    expect(catalogInfoText({ ...facts, entity: undefined })).toBeUndefined()
  })
})

describe('the manifest', () => {
  test('keeps its comments and its order', () => {
    const text = '# Ours.\nprocesses:\n  web:\n    command: node . # plain\nenv:\n  A: "1"\n'
    expect(manifestWith(text, ['processes', 'web', 'health', 'path'], '/healthz')).toBe('# Ours.\nprocesses:\n  web:\n    command: node . # plain\n    health:\n      path: /healthz\nenv:\n  A: "1"\n')
    expect(manifestWith(undefined, ['description'], 'Sells.')).toBe('description: Sells.\n')
  })

  test('says in the end what it said before and the one thing more, or nothing is proposed', () => {
    expect(manifestWith('processes: [', ['description'], 'x')).toBeUndefined()
    expect(manifestWith('processes: text', ['processes', 'web', 'health', 'path'], '/')).toBeUndefined()
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean())
    fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), value), fc.string({ minLength: 1 }), (before, description) => {
      const after = manifestWith(JSON.stringify(before), ['description'], description)
      expect(parse(after!)).toEqual({ ...before, description })
    }))
  })
})

describe('a description', () => {
  test.each([
    ['# Shop\n\nSells *things* to [people](http://x).\n\nMore.', 'Sells things to people.'],
    ['# Shop\n\n[![build](x)](y)\n\n> quote\n\n- a list item\n\nSells things,\nto people.', 'Sells things, to people.'],
    ['# Shop\n\n```\nnot this code at all\n```\n', undefined],
    ['', undefined],
  ])('%j', (readme, wanted) => expect(descriptionFrom(readme)).toBe(wanted))

  test('is short, whatever a README holds', () => {
    fc.assert(fc.property(fc.string({ maxLength: 2000 }), (text) => (descriptionFrom(text)?.length ?? 0) <= 300))
  })
})
