import type { PaviorError, Resource } from '@pavior/contract'
import { describe, expect, test } from 'vitest'
import { generateName } from './names.ts'
import { appKind, buildKind, teamKind, userKind } from './testing/kinds.ts'
import { checkEnvelope, createValidator, type Validator } from './validation.ts'

const validateApp = createValidator(appKind)

function resource(kind: string, spec: unknown, metadata: object = {}): Resource {
  return { apiVersion: 'pavior.dev/v1', kind, metadata: { name: 'shop', ...metadata } as never, spec: spec as never }
}

const app = (spec: unknown, metadata?: object): Resource => resource('App', spec, metadata)

function refusal(validate: Validator, next: Resource, previous?: Resource): PaviorError {
  try {
    validate(next, previous, 'Strict')
  } catch (error) {
    return error as PaviorError
  }
  throw new Error('the resource was accepted')
}

const texts = (error: PaviorError): string[] => (error.details.causes ?? []).map(({ field, message }) => `${field}: ${message}`)

describe('a spec that fits', () => {
  test('comes back as the same object', () => {
    const next = app({
      processes: { web: { command: 'node .', replicas: 2 } },
      env: { PATH: '/bin' },
      resources: { db: { type: 'postgres' } },
    })
    expect(validateApp(next, undefined, 'Strict')).toEqual({ resource: next, warnings: [] })
    expect(validateApp(next, undefined, 'Strict').resource).toBe(next)
  })

  test('gets the defaults of its kind', () => {
    const next = resource('Team', {})
    expect(createValidator(teamKind)(next, undefined, 'Strict').resource.spec).toEqual({ defaultEnvironment: 'production' })
    expect(next.spec).toEqual({})
  })

  test('may carry null for an optional field, which counts as absent', () => {
    expect(validateApp(app({ description: null, processes: { web: { health: null } } }), undefined, 'Strict').resource.spec).toEqual({
      processes: { web: {} },
    })
  })
})

describe('a spec that does not fit', () => {
  test.each<[unknown, string]>([
    [{ foo: 1 }, 'spec.foo: unknown field "spec.foo"'],
    [{ processes: { web: { replicas: 'two' } } }, 'spec.processes.web.replicas: Invalid value: "string": must be integer'],
    [{ processes: { web: { replicas: 1.5 } } }, 'spec.processes.web.replicas: Invalid value: "number": must be integer'],
    [{ processes: { web: { replicas: 101 } } }, 'spec.processes.web.replicas: Invalid value: 101: must be less than or equal to 100'],
    [{ processes: { web: { cpu: 0 } } }, 'spec.processes.web.cpu: Invalid value: 0: must be greater than 0'],
    [
      { processes: { web: { memory: 'lots' } } },
      'spec.processes.web.memory: Invalid value: "lots": must match ^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|K|M|G)?$',
    ],
    [{ processes: { web: { health: { nope: true } } } }, 'spec.processes.web.health.nope: unknown field "spec.processes.web.health.nope"'],
    [{ processes: { Web: {} } }, 'spec.processes: Invalid value: "Web": keys must match ^[a-z]([-a-z0-9]{0,28}[a-z0-9])?$'],
    [{ env: { 'A-B': 'x' } }, 'spec.env: Invalid value: "A-B": keys must match ^[A-Za-z_][A-Za-z0-9_]*$'],
    [{ env: { A: null } }, 'spec.env.A: Invalid value: "null": must be string'],
    [{ env: [] }, 'spec.env: Invalid value: "array": must be object'],
    [
      { declaredBy: 'magic' },
      'spec.declaredBy: Unsupported value: "magic": supported values: "pavior.yaml", "score.yaml", "Procfile", "detection"',
    ],
    [{ routes: [{ host: 'a.example' }, { host: 'A', z: 1 }] }, 'spec.routes[1].z: unknown field "spec.routes[1].z"'],
    [{ routes: new Array(51).fill({}) }, 'spec.routes: Too many: 51: must have at most 50 items'],
    [{ description: 'x'.repeat(1001) }, 'spec.description: Too long: must be at most 1000 characters'],
    ['text', 'spec: Invalid value: "string": must be object'],
  ])('%j', (spec, expected) => {
    const error = refusal(validateApp, app(spec))
    expect(error.code).toBe('INVALID')
    expect(texts(error)).toContain(expected)
  })

  test('names every required field', () => {
    const error = refusal(createValidator(buildKind), resource('Build', {}))
    expect(texts(error)).toEqual(['spec.app: Required value', 'spec.revision: Required value'])
    expect(error.message).toBe('Build.pavior.dev "shop" is invalid: [spec.app: Required value, spec.revision: Required value]')
  })

  test('says what is wrong with a format', () => {
    expect(texts(refusal(createValidator(userKind), resource('User', { email: 'nobody' })))).toEqual([
      'spec.email: Invalid value: "nobody": must be of the form email',
    ])
  })

  test('lists at most fifty causes', () => {
    const spec = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`f${index}`, 1]))
    const error = refusal(validateApp, app(spec))
    expect(error.details.causes).toHaveLength(50)
    expect(error.message).toMatch(/and 30 more\]$/)
  })
})

describe('unknown fields', () => {
  const next = app({ foo: 1, processes: { web: { bar: 2, replicas: 1 } } })

  test('are pruned with a warning', () => {
    const { resource, warnings } = validateApp(next, undefined, 'Warn')
    expect(resource.spec).toEqual({ processes: { web: { replicas: 1 } } })
    expect(warnings).toEqual(['unknown field "spec.foo"', 'unknown field "spec.processes.web.bar"'])
    expect(next.spec).toHaveProperty('foo')
  })

  test('are pruned silently', () => {
    expect(validateApp(next, undefined, 'Ignore')).toMatchObject({
      warnings: [],
      resource: { spec: { processes: { web: { replicas: 1 } } } },
    })
  })

  test('around the spec are found too', () => {
    const body = { kind: 'App', sepc: {}, metadata: { name: 'x', lables: {} } }
    expect(checkEnvelope(appKind, body, 'Warn')).toEqual(['unknown field "sepc"', 'unknown field "metadata.lables"'])
    expect(() => checkEnvelope(appKind, body, 'Strict')).toThrow(
      'App.pavior.dev "x" is invalid: [unknown field "sepc", unknown field "metadata.lables"]',
    )
  })
})

describe('names', () => {
  test.each([['Shop'], ['-shop'], ['shop-'], ['9lives'], ['a.b'], ['a_b'], [''], ['x'.repeat(41)]])(
    '%j cannot be used for an App',
    (name) => {
      expect(refusal(validateApp, app({}, { name })).code).toBe('NAME_INVALID')
    },
  )

  test('a reserved name is refused as such', () => {
    expect(refusal(validateApp, app({}, { name: 'pavior' })).code).toBe('NAME_RESERVED')
  })

  test('are judged at creation only', () => {
    expect(() => validateApp(app({}, { name: 'pavior' }), app({}, { name: 'pavior' }), 'Strict')).not.toThrow()
  })

  test('a subdomain may hold dots and begin with a digit', () => {
    const validate = createValidator(userKind)
    expect(() => validate(resource('User', {}, { name: '9.ada-lovelace' }), undefined, 'Strict')).not.toThrow()
    expect(refusal(validate, resource('User', {}, { name: 'a..b' })).code).toBe('NAME_INVALID')
  })

  test('a generated name keeps within the longest length', () => {
    const name = generateName(appKind, 'x'.repeat(60), () => 0)
    expect(name).toBe(`${'x'.repeat(35)}bbbbb`)
  })
})

describe('metadata', () => {
  test.each<[object, string]>([
    [{ labels: { 'a b': 'c' } }, 'metadata.labels'],
    [{ labels: { a: 'c d' } }, 'metadata.labels'],
    [{ labels: { a: 1 } }, 'metadata.labels.a'],
    [{ labels: ['a'] }, 'metadata.labels'],
    [{ labels: { 'Example.com/a': 'b' } }, 'metadata.labels'],
    [{ annotations: { 'a/b/c': '' } }, 'metadata.annotations'],
    [{ annotations: { a: 'x'.repeat(300_000) } }, 'metadata.annotations'],
    [{ finalizers: ['no spaces'] }, 'metadata.finalizers[0]'],
    [{ ownerReferences: [{ kind: 'App', name: 'a', uid: 'u' }] }, 'metadata.ownerReferences[0].apiVersion'],
  ])('%j is refused', (metadata, field) => {
    expect(refusal(validateApp, app({}, metadata)).details.causes?.[0]?.field).toBe(field)
  })

  test('well-formed labels, annotations and finalizers pass', () => {
    const metadata = {
      labels: { 'app.example.com/part': 'web_1.x', empty: '' },
      annotations: { 'example.com/Note': 'anything: {}' },
      finalizers: ['foregroundDeletion', 'example.com/x'],
    }
    expect(() => validateApp(app({}, metadata), undefined, 'Strict')).not.toThrow()
  })
})

describe('changes', () => {
  const digest = `sha256:${'0'.repeat(64)}`
  const build = (spec: object): Resource => resource('Build', { app: 'shop', revision: { type: 'git', source: digest }, ...spec })

  test('an immutable spec may change in the fields that are excepted', () => {
    const validate = createValidator(buildKind)
    expect(() => validate(build({ canceled: true }), build({}), 'Strict')).not.toThrow()
    expect(texts(refusal(validate, build({ app: 'blog' }), build({})))).toEqual(['spec.app: Invalid value: field is immutable'])
  })

  test('a spec that was accepted once is not judged again when it is left alone', () => {
    const previous = app({ obsolete: true })
    const next = { ...previous, status: { conditions: [] } }
    expect(validateApp(next, previous, 'Strict').resource).toBe(next)
  })

  test('a status is checked', () => {
    const error = refusal(validateApp, { ...app({}), status: { conditions: [{ type: 'Ready', status: 'Maybe' }] } }, app({}))
    expect(texts(error)).toContain('status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"')
  })
})
