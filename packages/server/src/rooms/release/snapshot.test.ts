import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOf, commandOf, configDigest, plainWords, replicasOf, secretsReason, secretsRollout, secretsText, shellCommand, snapshot, wantedSets, withSecrets, type Built } from './snapshot.ts'

const built: Built = { artifact: `sha256:${'a'.repeat(64)}`, env: { A: 'builder', B: 'builder', C: 'builder' }, processes: { web: { command: 'serve', memory: '1Gi' } }, mounts: [], bin: [] }

test.each([['512Mi', 512 * 1024 ** 2], ['1Gi', 1024 ** 3], ['1.5G', 1_500_000_000], ['64K', 64_000], ['100', 100]])('%s is %i bytes', (text, bytes) => {
  expect(bytesOf(text)).toBe(bytes)
})

describe('a release', () => {
  test('takes builder, manifest and configuration in this order', () => {
    const release = snapshot('shop', { env: { B: 'manifest', C: 'manifest' }, config: { production: { C: 'set' }, staging: { A: 'elsewhere' } } }, 'production', built, [], 3, 'why')
    expect(release.env).toEqual({ A: 'builder', B: 'manifest', C: 'set' })
    expect(release).toMatchObject({ app: 'shop', version: 3, environment: 'production', reason: 'why' })
  })

  test('keeps what a manifest adds to a process that was found, and leaves out what has no command', () => {
    const { processes } = snapshot('shop', { processes: { web: { replicas: 2 }, worker: { command: 'work' }, ghost: { replicas: 1 } } }, 'production', built, [], 1, '')
    expect(processes).toEqual({ web: { command: 'serve', memory: '1Gi', replicas: 2 }, worker: { command: 'work' } })
  })
})

describe('secrets of a release', () => {
  const ref = (key: string, version: number, as: 'env' | 'file' = 'env') => ({ secret: key.toLowerCase(), uid: '0', key, version, as })

  test('are references, and win over configuration of their name', () => {
    const release = snapshot('shop', {}, 'production', built, [ref('A', 3), ref('B', 1, 'file')], 3, 'why')
    expect([release.env, release.secrets]).toEqual([built.env, [ref('A', 3), ref('B', 1, 'file')]])
    const { spec } = wantedSets({ team: 'blue', app: 'shop', environment: 'production', release, scale: {} })[0]!
    expect([spec.env, spec.secrets]).toEqual([expect.not.objectContaining({ A: 'builder' }), release.secrets])
    expect(spec.env).toMatchObject({ B: 'builder', C: 'builder' })
    // Nothing is lost when the secret goes again.
    expect(withSecrets(release, [], 4, 'none')).toEqual(snapshot('shop', {}, 'production', built, [], 4, 'none'))
  })

  test('that changed are named as the reason, those that went too', () => {
    expect(secretsReason([ref('A', 1), ref('B', 1), ref('C', 1)], [ref('A', 2), ref('B', 1, 'file'), ref('D', 1)])).toBe('secret A v2, B v1, D v1, C removed')
    expect(secretsText([ref('A', 1), ref('B', 2, 'file')])).toBe('A=a@v1, B=b@v2 as file')
  })

  test('are tried with one instance of all, as far as a share can be', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (replicas) => {
        const { weight } = secretsRollout(replicas).steps![0]!
        expect(weight >= 1 && weight <= 10 && (replicas < 1 || Math.ceil((replicas * weight) / 100) === 1)).toBe(true)
      }),
    )
  })
})

describe('the digest of the configuration', () => {
  const environment = fc.dictionary(fc.stringMatching(/^[A-Z]{1,4}$/), fc.string({ maxLength: 8 }), { maxKeys: 5 })

  test('does not depend on the order of names, on scale, on restarts or on other environments', () => {
    fc.assert(
      fc.property(environment, environment, (env, config) => {
        const turned = (values: Record<string, string>) => Object.fromEntries(Object.entries(values).toReversed())
        const other = { env: turned(env), config: { production: turned(config), staging: { X: '1' } }, scale: { production: { web: 4 } }, restart: { production: 'now' } }
        expect(configDigest(other, 'production')).toBe(configDigest({ env, config: { production: config } }, 'production'))
      }),
    )
  })

  test('changes with any value', () => {
    fc.assert(
      fc.property(environment, fc.stringMatching(/^[A-Z]{1,4}$/), fc.string(), (env, name, value) => {
        fc.pre(env[name] !== value)
        expect(configDigest({ env: { ...env, [name]: value } }, 'production')).not.toBe(configDigest({ env }, 'production'))
      }),
    )
  })
})

test('scale set by people wins over the manifest, one is the default', () => {
  expect([replicasOf({ replicas: 2 }, 'web', { web: 5 }), replicasOf({ replicas: 2 }, 'web', {}), replicasOf({}, 'web', {}), replicasOf({ replicas: 2 }, 'web', { web: 0 })]).toEqual([5, 2, 1, 0])
})

test('there is a set for every process but the release process, and only web gets traffic', () => {
  const release = snapshot('shop', { processes: { worker: { command: 'work' }, release: { command: 'migrate' } } }, 'production', built, [], 1, '')
  const sets = wantedSets({ team: 'blue', app: 'shop', environment: 'production', release, scale: { worker: 3 } })
  expect(sets.map(({ process, spec }) => [process, spec.listens, spec.replicas])).toEqual([['web', true, 1], ['worker', false, 3]])
  expect(sets[0]!.spec.env).toMatchObject({ PAVIOR_TEAM: 'blue', PAVIOR_APP: 'shop', PAVIOR_ENVIRONMENT: 'production', PAVIOR_RELEASE: '1', PAVIOR_PROCESS: 'web' })
})

describe('the command of a process', () => {
  const run = (line: string, bin: string[] = []): string => {
    const [program, ...args] = shellCommand(line, bin)
    return execFileSync(program!, args, { encoding: 'utf8', env: { PATH: process.env.PATH, APP_DIR: '/app', NAME: 'ada' } }).trim()
  }

  test.each([
    ['echo hello', 'hello'],
    ['echo $NAME', 'ada'],
    ['echo one && echo two', 'one\ntwo'],
    ['GREETING=hi sh -c \'echo $GREETING\'', 'hi'],
    ['cd / && pwd', '/'],
    ['if true; then echo yes; fi', 'yes'],
    ['exec echo once', 'once'],
    ['echo "a  b"', 'a  b'],
  ])('%s', (line, output) => {
    expect(run(line)).toBe(output)
  })

  test('stands in for the shell when it is one command, so that signals reach it', () => {
    expect(run('sh -c \'echo $PPID\'')).toBe(String(process.pid))
  })

  test('finds programs of the artifact first', () => {
    expect(run('echo $PATH', ['node_modules/.bin', 'bin']).startsWith('/app/node_modules/.bin:/app/bin:')).toBe(true)
  })
})

describe('a command in an image', () => {
  const lines: [string, string[] | undefined][] = [
    ['node server.js', ['node', 'server.js']],
    [`/bin/sh -c 'exec "$APP" --port $PORT'`, ['/bin/sh', '-c', 'exec "$APP" --port $PORT']],
    [`echo 'it'"'"'s' '' "two words"`, ['echo', "it's", '', 'two words']],
    ['serve --port $PORT', undefined],
    ['A=b serve', undefined],
    ['cd /srv', undefined],
    ['serve; true', undefined],
    ['serve *.txt', undefined],
    [`serve "unended`, undefined],
    ['~/serve', undefined],
  ]
  test.each(lines)('%s', (line, words) => {
    expect(plainWords(line)).toEqual(words)
    const image = { directory: '/', user: 'root', home: '/' }
    expect(commandOf(line, { image })).toEqual(words ?? ['sh', '-c', expect.stringContaining(line)])
    expect(commandOf(line, {})[0]).toBe('sh')
  })
})
