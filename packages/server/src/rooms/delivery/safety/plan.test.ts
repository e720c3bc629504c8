import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { component } from './inventory.ts'
import { factsOf, licenceCounts, signatureOf, unknownEcosystems } from './plan.ts'
import { payloadType, preAuthEncoding, statementOf, type Envelope } from './statement.ts'
import { mayHoldSecrets, secretsIn } from './source-secrets.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = { id: 'ours', verify: (bytes: Buffer, signature: Buffer) => verify(null, bytes, publicKey, signature) }
const digest = `sha256:${'ab'.repeat(32)}`
const build = { metadata: { namespace: 'blue', name: 'shop-build-1', uid: 'u' }, spec: { app: 'shop', revision: { type: 'git', source: `sha256:${'cd'.repeat(32)}`, commit: 'ef'.repeat(20), branch: 'main' } }, status: { builder: 'node (package.json)' } }
const payload = Buffer.from(JSON.stringify(statementOf(build as never, digest, 'aa', { version: '1', url: 'http://x' }, '2026-01-01T00:00:00Z')))
const envelope: Envelope = { payloadType, payload: payload.toString('base64'), signatures: [{ keyid: 'ours', sig: sign(null, preAuthEncoding(payloadType, payload), privateKey).toString('base64') }] }

describe('a signature', () => {
  test('is valid for what was signed and for nothing else', () => {
    expect(signatureOf(envelope, digest, key)).toEqual({ state: 'valid', key: 'ours' })
    expect(signatureOf(envelope, `sha256:${'00'.repeat(32)}`, key).state).toBe('invalid')
    expect(signatureOf({ ...envelope, payload: Buffer.from(payload.toString().replace('blue', 'grey')).toString('base64') }, digest, key).state).toBe('invalid')
    expect(signatureOf({ ...envelope, payloadType: 'text/plain' }, digest, key).state).toBe('invalid')
    expect(signatureOf({ ...envelope, signatures: [{ ...envelope.signatures[0]!, keyid: 'theirs' }] }, digest, key)).toEqual({ state: 'foreign', key: 'theirs' })
    expect(signatureOf(undefined, digest, key)).toEqual({ state: 'missing' })
  })

  test('encodes before it signs as DSSE says', () => {
    expect(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  })
})

describe('what rules may ask', () => {
  const parts = [component('npm', 'a', '1.0.0', ['MIT OR GPL-3.0-only']), component('npm', 'b', '1.0.0', ['AGPL-3.0-only']), component('Debian:12', 'c', '1')]

  test('has no findings while advisories of one ecosystem are missing', () => {
    const npm = [{ ecosystem: 'npm', advisories: 1, importedAt: '', newestAt: '' }]
    expect(unknownEcosystems(parts, npm)).toEqual(['Debian'])
    expect(factsOf({ components: parts, secrets: [], findings: [], unknown: ['Debian'] }, { state: 'valid' })).toEqual({ sbom: true, signature: 'valid', licences: ['AGPL-3.0-only'], secrets: 0 })
    expect(factsOf({ components: parts, secrets: [], findings: [], unknown: [] }, { state: 'valid' }).findings).toEqual({ critical: 0, high: 0, medium: 0, low: 0, unknown: 0 })
    expect(factsOf(undefined, { state: 'missing' })).toEqual({ sbom: false, signature: 'missing' })
    expect(licenceCounts(parts)).toEqual([{ licence: '', components: 1 }, { licence: 'AGPL-3.0-only', components: 1 }, { licence: 'MIT OR GPL-3.0-only', components: 1 }])
  })
})

describe('secrets in the source', () => {
  const awsKey = ['AKIA', 'Q3EGR5SJ7NPXW2KD'].join('')
  test.each([
    [`const key = "${awsKey}"`, 'AWS access key'],
    ['-----BEGIN RSA PRIVATE ' + 'KEY-----', 'private key'],
    ['DATABASE_URL=postgres://shop:' + 'h7Kq2mZp9w@db.internal/shop', 'password in an address'],
    [`api_key = '${['f3Kd9sQ2', 'xV7bN4mZ', 'p1Lw8cRt'].join('')}'`, 'random text under the name of a secret'],
  ])('%s', (line, rule) => {
    const found = secretsIn('config.js', `first\n${line}\n`)
    expect(found).toEqual([{ path: 'config.js', line: 2, rule }])
    expect(JSON.stringify(found)).not.toContain('AKIA')
  })

  test.each(['password = process.env.PASSWORD', 'url = postgres://user:password@localhost/app', "token: 'your-token-goes-right-here-please'", `key = "${awsKey}" // gitleaks:allow`, 'const secretNames = ["abcdefghijklmnopqrstuvwxyz"]'])('leaves %s alone', (line) => {
    expect(secretsIn('a.js', line)).toEqual([])
  })

  test('are not looked for where others wrote', () => {
    expect(['src/a.ts', '.env', 'config/prod.yaml'].every(mayHoldSecrets)).toBe(true)
    expect(['node_modules/a/b.js', 'package-lock.json', 'vendor/x.php', 'a.png', 'go.sum'].some(mayHoldSecrets)).toBe(false)
  })
})
