import { describe, expect, test } from 'vitest'
import { isTrue, newestFirst, nextMove, offeredVersion, readManifest } from './plan.ts'

const actions = ['fetch:template', 'publish:pavior']
const backstage = {
  apiVersion: 'scaffolder.backstage.io/v1beta3',
  kind: 'Template',
  metadata: { name: 'react-ssr-template', title: 'React SSR', tags: ['react'] },
  spec: {
    owner: 'web@example.com',
    type: 'website',
    parameters: { required: ['component_id'], properties: { component_id: { type: 'string', 'ui:field': 'EntityNamePicker' } } },
    steps: [{ id: 'template', name: 'Fetch', action: 'fetch:template', input: { url: './skeleton', values: { id: '${{ parameters.component_id }}' } } }],
    output: { links: [{ title: 'x', url: '${{ steps.publish.output.remoteUrl }}' }] },
  },
}

describe('template.yaml', () => {
  test('a template of Backstage is taken as it is', () => {
    const { name, spec } = readManifest(backstage, actions)
    expect(name).toBe('react-ssr-template')
    expect(spec).toMatchObject({ version: '1.0.0', title: 'React SSR', type: 'website', parameters: [backstage.spec.parameters], steps: backstage.spec.steps, output: backstage.spec.output })
  })

  test('an unknown action is refused by name, with what there is', () => {
    const changed = { ...backstage, spec: { ...backstage.spec, steps: [{ id: 'a', action: 'publish:github' }] } }
    expect(() => readManifest(changed, actions)).toThrow(expect.objectContaining({ code: 'TEMPLATE_ACTION_UNKNOWN', details: expect.objectContaining({ message: expect.stringContaining('publish:github'), fix: expect.stringContaining('publish:pavior') }) }))
  })

  test.each([
    ['no template', { ...backstage, kind: 'Component' }],
    ['another version', { ...backstage, apiVersion: 'backstage.io/v1beta2' }],
    ['no name', { ...backstage, metadata: {} }],
    ['no steps', { ...backstage, spec: { steps: [] } }],
    ['two of one id', { ...backstage, spec: { steps: [{ id: 'a', action: 'fetch:template' }, { id: 'a', action: 'fetch:template' }] } }],
    ['no semver', { ...backstage, metadata: { name: 'x', annotations: { 'pavior.dev/version': '1.0' } } }],
    ['nothing', null],
    ['a list', []],
  ])('%s is refused', (_what, document) => {
    expect(() => readManifest(document, actions)).toThrow(expect.objectContaining({ code: 'TEMPLATE_INVALID' }))
  })
})

test('what a run needs now', () => {
  expect(nextMove({}, undefined)).toBe('run')
  expect(nextMove({}, { phase: 'Running' })).toBe('run')
  expect(nextMove({ canceled: true }, { phase: 'Running' })).toBe('undo')
  expect(nextMove({}, { phase: 'Stopped' })).toBe('wait')
  expect(nextMove({ resume: 'a' }, { phase: 'Stopped' })).toBe('run')
  expect(nextMove({ resume: 'a' }, { phase: 'Stopped', resumed: 'a' })).toBe('wait')
  expect(nextMove({ resume: 'a', canceled: true }, { phase: 'Stopped' })).toBe('undo')
  expect(nextMove({ canceled: true }, { phase: 'Succeeded' })).toBe('nothing')
})

test('conditions as Backstage has them', () => {
  expect([true, 'true', 'yes', 1].map(isTrue)).toEqual([true, true, true, true])
  expect([false, 'false', '', 0, undefined, null].map(isTrue)).toEqual([false, false, false, false, false, false])
})

test('only apps of the canary are offered the version that is tried', () => {
  const spec = { version: '1.0.0', canary: { version: '2.0.0', apps: ['blue/shop'] } }
  expect(offeredVersion(spec, 'blue/shop')).toBe('2.0.0')
  expect(offeredVersion(spec, 'blue/cart')).toBe('1.0.0')
  expect(newestFirst([{ version: '1.2.0' }, { version: '1.10.0' }]).map(({ version }) => version)).toEqual(['1.10.0', '1.2.0'])
})
