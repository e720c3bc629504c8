import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorObject } from '@pavior/contract'
import { readDeclaration } from './index.ts'

function refusal(texts: Record<string, string>, paths: string[] = Object.keys(texts)): ErrorObject {
  try {
    readDeclaration(texts, paths)
  } catch (error) {
    return (error as { toObject: () => ErrorObject }).toObject()
  }
  throw new Error('Nothing was refused.')
}

const score = `apiVersion: score.dev/v1b1
metadata:
  name: orders
  annotations:
    example.com/owner: shop
service:
  ports:
    www:
      port: 80
      targetPort: 8080
containers:
  main:
    image: .
    command: ["node", "server.js"]
    args: ["--greeting", "it's \${metadata.name}"]
    variables:
      PORT: "8080"
      OWNER: \${metadata.annotations.example\\.com/owner}
      DATABASE: postgres://\${resources.db.host}:\${resources.db.port}/\${metadata.name}
      PRICE: 5$$
    resources:
      limits: { memory: 256Mi, cpu: 250m }
    readinessProbe:
      httpGet: { path: /ready, port: 8080 }
  worker:
    image: .
    command: [node, worker.js]
resources:
  db:
    type: postgres
    params: { version: 16 }
`

describe('score.yaml', () => {
  it('becomes an app', () => {
    expect(readDeclaration({ 'score.yaml': score })).toEqual({
      declaredBy: 'score.yaml',
      name: 'orders',
      spec: {
        processes: {
          web: { command: `node server.js --greeting 'it'\\''s orders'`, memory: '256Mi', cpu: 0.25, health: { path: '/ready' } },
          worker: { command: 'node worker.js' },
        },
        env: { OWNER: 'shop', DATABASE: 'postgres://${resources.db.host}:${resources.db.port}/orders', PRICE: '5$' },
        resources: { db: { type: 'postgres', params: { version: 16 } } },
      },
    })
  })

  const line = (number: number) => `score.yaml:${number} `
  it.each([
    ['an unknown key', score.replace('  worker:\n', '  worker:\n    replicas: 3\n'), `${line(26)}containers.worker.replicas`],
    ['an unknown top key', `${score}extra: 1\n`, 'extra'],
    ['a missing image', score.replace('    image: .\n', ''), `${line(12)}containers.main`],
    ['a wrong type', score.replace('port: 80\n', 'port: many\n'), `${line(9)}service.ports.www.port`],
    ['an image of somebody else', score.replace('image: .', 'image: nginx'), `${line(13)}containers.main.image`],
    ['an unknown version', score.replace('v1b1', 'v9'), `${line(1)}apiVersion`],
    ['a resource that is not declared', score.replace('resources.db.host', 'resources.cache.host'), 'containers.main.variables.DATABASE'],
    ['metadata that is not there', score.replace('metadata.name}"', 'metadata.nick}"'), 'containers.main.args'],
    ['another kind of reference', score.replace('metadata.name}"', 'env.HOME}"'), 'containers.main.args'],
    ['files', score.replace('  worker:\n', '  worker:\n    files: { /a: { content: b } }\n'), 'containers.worker.files'],
    ['volumes', score.replace('  worker:\n', '  worker:\n    volumes: { /a: { source: b } }\n'), 'containers.worker.volumes'],
    ['a probe by command', score.replace('httpGet: { path: /ready, port: 8080 }', 'exec: { command: ["true"] }'), 'containers.main.readinessProbe.exec'],
    ['two values of one variable', score.replace('  worker:\n', '  worker:\n    variables: { OWNER: x }\n'), 'containers.worker.variables.OWNER'],
    ['a name that is no label', score.replace('name: orders', 'name: Orders'), `${line(3)}metadata.name`],
  ])('refuses %s by name', (_title, text, field) => {
    const problem = refusal({ 'score.yaml': text })
    expect(problem.code).toBe('MANIFEST_INVALID')
    expect(problem.causes?.map((cause) => cause.field).join(' ')).toContain(field)
  })

  it('quotes every argument so that sh gives it back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }).filter((word) => !/[\0$]/.test(word)), { minLength: 1, maxLength: 4 }), (words) => {
        const text = JSON.stringify({ apiVersion: 'score.dev/v1b1', metadata: { name: 'app' }, containers: { web: { image: '.', command: words } } })
        expect(unquote(readDeclaration({ 'score.yaml': text }).spec.processes!.web!.command!)).toEqual(words)
      }),
    )
  })

  const published = fileURLToPath(new URL('../../../../../../../shared/fixtures/score/score-full.yaml', import.meta.url))
  const there = existsSync(published)
  if (!there) console.log('skipped: the published Score example is not on this machine')
  it.skipIf(!there)('reads the published example, and refuses only what cannot be honoured', () => {
    const problem = refusal({ 'score.yaml': readFileSync(published, 'utf8') })
    // Valid by the schema; it asks for an image of somebody else.
    expect(problem.causes?.[0]?.field).toMatch(/^score\.yaml:\d+ containers\.container-one1\.image$/)
  })
})

/** What sh makes of words in single quotes. */
function unquote(line: string): string[] {
  const words: string[] = []
  for (const [word] of line.matchAll(/(?:'[^']*'|\\'|[^\s'\\])+/g)) words.push(word.replaceAll(/'([^']*)'|\\(')/g, (_all, quoted: string | undefined, escaped: string | undefined) => quoted ?? escaped ?? ''))
  return words
}

describe('Procfile and app.json', () => {
  const Procfile = '# served\nweb: node web.js\nworker: node worker.js\nmail_worker: node mail.js\ncron: node cron.js\nrelease: node migrate.js\n'

  it('starts web and workers, and leaves other commands for a formation', () => {
    expect(readDeclaration({ Procfile })).toEqual({
      declaredBy: 'Procfile',
      spec: {
        processes: { web: { command: 'node web.js' }, worker: { command: 'node worker.js' }, 'mail-worker': { command: 'node mail.js' }, cron: { command: 'node cron.js', replicas: 0 }, release: { command: 'node migrate.js' } },
      },
    })
  })

  it('takes formation, variables and checks from app.json', () => {
    const appJson = JSON.stringify({
      name: 'Sample app', description: 'Sells.', keywords: ['x'],
      formation: { web: { quantity: 2, size: 'standard-1x' }, cron: { quantity: 1 }, gone: { quantity: 3 } },
      env: { A: 'a', B: { description: 'b', value: 'two' }, SECRET: { generator: 'secret' }, NEEDED: { required: true } },
      healthchecks: { web: [{ type: 'startup', path: '/up' }] },
    })
    const { spec, name } = readDeclaration({ Procfile, 'app.json': appJson })
    expect(name).toBeUndefined()
    expect(spec).toMatchObject({ description: 'Sells.', env: { A: 'a', B: 'two' }, processes: { web: { command: 'node web.js', replicas: 2, health: { path: '/up' } }, cron: { replicas: 1 } } })
    expect(Object.keys(spec.processes!)).not.toContain('gone')
    expect(Object.keys(spec.env!)).toEqual(['A', 'B'])
  })

  it('leaves an app.json alone that belongs to something else', () => {
    expect(readDeclaration({ 'app.json': '{"expo": {}}' })).toEqual({ declaredBy: 'detection', spec: {} })
  })

  it.each([
    [{ Procfile: 'web node' }, 'Procfile line 1'],
    [{ Procfile, 'app.json': '{' }, 'app.json is not valid JSON'],
    [{ Procfile, 'app.json': '[]' }, 'must be a JSON object'],
    [{ Procfile, 'app.json': '{"formation": {"web": {"quantity": "2"}}}' }, 'formation.web.quantity'],
    [{ Procfile, 'app.json': '{"env": {"A-B": "c"}}' }, 'env.A-B'],
  ] as [Record<string, string>, string][])('refuses %o', (texts, part) => {
    expect(refusal(texts)).toMatchObject({ code: 'MANIFEST_INVALID', message: expect.stringContaining(part) })
  })
})

describe('pavior.yaml', () => {
  it('wins over a Procfile and an app.json, and leaves commands to the Procfile', () => {
    const declared = readDeclaration({ 'pavior.yaml': 'name: shop\nprocesses:\n  web: { replicas: 3 }\n  jobs: node jobs.js\nenv:\n  LEVEL: 3\n', Procfile: 'web: node web.js\ncron: node cron.js', 'app.json': '{"formation":{"web":{"quantity":9}}}' })
    expect(declared).toEqual({ declaredBy: 'pavior.yaml', name: 'shop', spec: { processes: { web: { command: 'node web.js', replicas: 3 }, jobs: { command: 'node jobs.js' }, cron: { command: 'node cron.js' } }, env: { LEVEL: '3' } } })
  })

  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`).join('\n')}\n`
  it.each([
    ['an unknown key', 'name: shop\nreplicas: 3\n', 'pavior.yaml:2 replicas'],
    ['an unknown key inside', 'processes:\n  web:\n    command: x\n    memroy: 1Gi\n', 'pavior.yaml:4 processes.web.memroy'],
    ['a wrong type', 'processes:\n  web:\n    replicas: many\n', 'pavior.yaml:3 processes.web.replicas'],
    ['a list where a map belongs', 'processes:\n  - web\n', 'pavior.yaml:1 processes'],
    ['a wrong item of a list', 'routes:\n  - host: a.example\n  - path: no-slash\n', 'pavior.yaml:3 routes.1.path'],
    ['a process name that is none', 'processes:\n  Web_1: node x\n', 'pavior.yaml:2 processes.Web_1'],
    ['a process name that is too long', `processes:\n  ${'a'.repeat(31)}: node x\n`, 'pavior.yaml:2 processes.aaaa'],
    ['a variable name that is none', 'env:\n  A-B: c\n', 'pavior.yaml:2 env.A-B'],
    ['a name that is too long', `name: ${'a'.repeat(41)}\n`, 'pavior.yaml:1 name'],
    ['a name that is no label', 'name: My Shop\n', 'pavior.yaml:1 name'],
    ['what is set elsewhere', 'scale: {}\n', 'pavior.yaml:1 scale'],
    ['a key given twice', 'env:\n  A: b\n  A: c\n', 'pavior.yaml:3'],
    ['tabs', 'env:\n\tA: b\n', 'pavior.yaml:2'],
    ['two documents', 'name: a\n---\nname: b\n', 'pavior.yaml:2'],
    ['broken YAML', 'name: "a\n', 'pavior.yaml:'],
  ])('refuses %s with its line', (_title, text, field) => {
    const problem = refusal({ 'pavior.yaml': text })
    expect(problem.code).toBe('MANIFEST_INVALID')
    expect(problem.causes?.[0]?.field).toContain(field)
  })

  it.each([
    ['a bomb of aliases', bomb],
    ['nesting without end', '['.repeat(100_000)],
    ['nesting that is closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a scalar', 'just text'],
    ['a list', '- a\n- b\n'],
  ])('refuses %s', (_title, text) => {
    expect(refusal({ 'pavior.yaml': text }).code).toBe('MANIFEST_INVALID')
  })

  it('refuses what is too large, read or not', () => {
    expect(refusal({ 'pavior.yaml': `env:\n${'  A: b\n'.repeat(60_000)}` }).code).toBe('MANIFEST_TOO_LARGE')
    expect(refusal({}, ['pavior.yaml']).code).toBe('MANIFEST_TOO_LARGE')
  })

  it('answers any text with a declaration or a coded refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string().map((text) => `processes:\n  web: ${text}`)), (text) => {
        try {
          expect(readDeclaration({ 'pavior.yaml': text }).declaredBy).toBe('pavior.yaml')
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^MANIFEST_/)
        }
      }),
    )
  })
})
