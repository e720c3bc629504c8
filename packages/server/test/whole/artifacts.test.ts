/** What is in an artifact and who made it: listed, signed, judged by advisories, and refused when it is not what was signed. */
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newPlatform, until, webApp, writeFiles, type Platform } from './platform.ts'
import { sqlIn } from './postgresql.ts'

let platform: Platform
let parent: string
let directory: string
/** Not one that anybody has. */
const awsKey = ['AKIA', 'Q3EGR5SJ7NPXW2KD'].join('')

beforeAll(async () => {
  platform = await newPlatform()
  parent = await mkdtemp(join(tmpdir(), 'pavior-artifacts-'))
  directory = join(parent, 'shop')
  await writeFiles(directory, {
    ...webApp('shop'),
    'settings.js': `// first\nexport const key = '${awsKey}'\n`,
    'lib/colors-1.4.1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: colors\nVersion: 1.4.1\nLicense-Expression: MIT\n\n',
    'Cargo.lock': '[[package]]\nname = "serde"\nversion = "1.0.0"\nsource = "registry+x"\n',
  })
  await platform.json(['deploy'], { directory })
})
afterAll(() => rm(parent, { recursive: true, force: true }))

const inspect = (): Promise<any> => platform.json(['artifact', 'inspect', 'shop'])
const advisory = (id: string, fixed: string, over: object = {}): object => ({ id, modified: '2026-01-02T00:00:00Z', summary: 'It sabotages.', aliases: [`CVE-${id}`], database_specific: { severity: 'CRITICAL' }, affected: [{ package: { ecosystem: 'PyPI', name: 'colors' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '1.4.1' }, { fixed }] }] }], ...over })

async function importing(name: string, ...advisories: (object | string)[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = join(parent, name)
  await writeFile(file, advisories.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'))
  return platform.cli(['advisories', 'import', file])
}

describe('an artifact', () => {
  test('has a list of its parts with licences, lines that look like secrets, and a valid signature', async () => {
    const view = await inspect()
    expect(view).toMatchObject({
      team: 'default', app: 'shop', build: 'shop-build-1', signature: { state: 'valid' }, unknownEcosystems: ['PyPI', 'crates.io'], findings: [],
      components: [{ purl: 'pkg:cargo/serde@1.0.0', from: 'lock' }, { purl: 'pkg:pypi/colors@1.4.1', licences: ['MIT'], from: 'artifact' }],
      secrets: [{ path: 'settings.js', line: 2, rule: 'AWS access key' }],
      statement: { predicateType: 'https://slsa.dev/provenance/v1', subject: [{ name: 'default/shop', digest: { sha256: view.digest.slice(7) } }] },
    })
    expect(JSON.stringify(view)).not.toContain(awsKey)
    const sbom = await platform.json(['artifact', 'sbom', 'shop'])
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ name: 'serde' }, { name: 'colors', licenses: [{ license: { id: 'MIT' } }] }] })
    const { stdout } = await platform.cli(['artifact', 'inspect', 'shop'])
    expect(stdout).toContain('holes      unknown for PyPI, crates.io: no advisories were imported')
    expect(stdout).toContain('settings.js:2  AWS access key')
    expect((await platform.cli(['artifact', 'verify', 'shop'])).stdout).toMatch(/^It is what was built\. .*signature valid, files unchanged\.$/m)
  })

  test('is judged by advisories as soon as they are there; without them nobody says that it is clean', async () => {
    const findings = async (): Promise<string> => (await platform.cli(['policy', 'findings', 'shop'])).stdout
    expect((await importing('one.jsonl', advisory('OSV-1', '1.4.2'), { id: 'RUST-1', modified: '2026-01-01T00:00:00Z', affected: [{ package: { ecosystem: 'crates.io', name: 'other' } }] })).stdout).toContain('PyPI: 1 advisories, the newest of 2026-01-02')
    expect(await inspect()).toMatchObject({ unknownEcosystems: [], findings: [{ id: 'OSV-1', severity: 'critical', fixed: '1.4.2', certain: true, component: { name: 'colors' } }] })
    await until('the rule tells it', async () => (await findings()).includes('The artifact has 1 critical findings.'))
    // The next import no longer has it.
    expect((await importing('two.json', advisory('OSV-2', '1.4.1'))).code).toBe(0)
    expect((await inspect()).findings).toEqual([])
    await until('the rule is kept', async () => !(await findings()).includes('critical findings'))
  })

  test('is not touched by an import that is no import, nor by two at once', async () => {
    await importing('good.jsonl', advisory('OSV-3', '1.5.0'))
    for (const bad of [['not json'], [advisory('OSV-4', '2.0.0'), '{"id":1}'], [advisory('OSV-5', '2.0.0'), { id: 'X', modified: 'never' }], ['']]) {
      const { code, stderr } = await importing('bad.jsonl', ...bad)
      expect([code, stderr]).toEqual([2, expect.stringContaining('ADVISORIES_INVALID')])
    }
    expect((await inspect()).findings.map(({ id }: { id: string }) => id)).toEqual(['OSV-3'])
    const [one, other] = await Promise.all([importing('a.jsonl', advisory('OSV-6', '2.0.0')), importing('b.jsonl', advisory('OSV-7', '2.0.0'))])
    expect([one.code, other.code]).toEqual([0, 0])
    expect((await inspect()).findings).toHaveLength(1)
    await platform.api('POST', '/v1/teams/default/invitations', { name: 'dora', role: 'developer' })
    const refused = await platform.api('POST', '/v1/advisories', undefined, { authorization: `Bearer ${(await platform.api('POST', '/v1/tokens', { team: 'default', role: 'developer', description: 'ci' })).body.token}` })
    expect(refused.status).toBe(403)
  })

  test('that is not what was signed is not deployed again, and its files are not believed', async () => {
    const { digest } = await inspect()
    const sql = (text: string): Promise<unknown> => sqlIn(platform, text)
    await sql(`update artifact_records set envelope = jsonb_set(envelope, '{signatures,0,sig}', '"AAAA"')`)
    const { code, stderr } = await platform.cli(['deploy', '--strategy', 'rolling'], { directory })
    expect(code).not.toBe(0)
    expect(stderr).toContain('ARTIFACT_SIGNATURE_INVALID')
    expect((await platform.get('shop.localhost')).body).toBe('shop')
    const store = join(platform.home, 'artifacts/sha256', digest.slice(7))
    const [file] = (await readdir(store)).filter((name) => name.endsWith('.js'))
    await appendFile(join(store, file!), '// more')
    const verified = await platform.cli(['artifact', 'verify', 'shop'])
    expect([verified.code, verified.stdout]).toEqual([1, expect.stringContaining('signature invalid, files changed')])
  })
})
