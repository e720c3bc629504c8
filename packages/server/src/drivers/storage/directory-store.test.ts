/** Trees named by their contents: the name depends on nothing else, and nothing that is needed is removed. */
import { chmodSync, existsSync, lutimesSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DirectoryStore } from './directory-store.ts'

let root: string
let store: DirectoryStore

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'pavior-store-'))
  store = new DirectoryStore(root)
  await store.start()
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

interface File {
  path: string
  content: string
  executable: boolean
  link: boolean
}

const name = fc.stringMatching(/^[a-z]{1,6}$/)
/** Every path ends in a name that no directory has, so that no file stands in the way of another. */
const files = fc.uniqueArray(
  fc.record({ path: fc.tuple(fc.array(name, { maxLength: 3 }), name).map(([parents, last]) => [...parents, `${last}.f`].join('/')), content: fc.string({ maxLength: 40 }), executable: fc.boolean(), link: fc.boolean() }),
  { minLength: 1, maxLength: 12, selector: ({ path }) => path },
)

let made = 0

function write(tree: File[], at: Date): string {
  const directory = join(root, 'incoming', `tree-${made++}`)
  mkdirSync(directory)
  for (const { path, content, executable, link } of tree) {
    const full = join(directory, path)
    mkdirSync(dirname(full), { recursive: true })
    if (link) {
      symlinkSync(`to-${path.split('/').at(-1)}`, full)
      lutimesSync(full, at, at)
    } else {
      writeFileSync(full, content)
      chmodSync(full, executable ? 0o700 : 0o666)
      utimesSync(full, at, at)
    }
  }
  return directory
}

const digestOf = async (tree: File[], at = new Date(0)): Promise<string> => (await store.adopt(write(tree, at))).digest

describe('the digest', () => {
  test('is the same for the same contents, whatever the order and the times', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 0, max: 2_000_000_000 }), async (tree, seconds) => {
        expect(await digestOf(tree.toReversed(), new Date(seconds * 1000))).toBe(await digestOf(tree))
      }),
      { numRuns: 40 },
    )
  })

  test('is the same whoever owned the files', async (context) => {
    if (process.getuid!() !== 0) return context.skip('only root can give files away')
    const { chownSync } = await import('node:fs')
    const tree = [{ path: 'a.f', content: 'x', executable: false, link: false }]
    const given = write(tree, new Date(0))
    chownSync(join(given, 'a.f'), 12_345, 12_345)
    expect((await store.adopt(given)).digest).toBe(await digestOf(tree))
  })

  test('is another after any one change: a byte, an executable bit, a name, a kind, a file more', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.nat(), async (tree, pick) => {
        const index = pick % tree.length
        const change = (changed: Partial<File>): File[] => tree.map((file, at) => (at === index ? { ...file, ...changed } : file))
        const { path, content, executable, link } = tree[index]!
        const others = [
          change({ path: `${path}x` }),
          change({ link: !link }),
          [...tree, { path: 'one-more.f2', content: '', executable: false, link: false }],
          ...(link ? [] : [change({ content: `${content}.` }), change({ executable: !executable })]),
        ]
        const own = await digestOf(tree)
        for (const other of others) expect(await digestOf(other)).not.toBe(own)
      }),
      { numRuns: 25 },
    )
  })

  test('does not confuse where one file ends and the next begins', async () => {
    const file = (path: string, content: string): File => ({ path, content, executable: false, link: false })
    expect(await digestOf([file('a', 'b'), file('c', 'd')])).not.toBe(await digestOf([file('a', 'bc'), file('d', '')]))
  })
})

describe('collecting', () => {
  test('never removes what is live or young, and removes the rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.record({ content: fc.string({ minLength: 1 }), live: fc.boolean(), old: fc.boolean() }), { selector: ({ content }) => content, maxLength: 8 }), async (trees) => {
        rmSync(join(root, 'sha256'), { recursive: true })
        await store.start()
        const kept = []
        for (const { content, live, old } of trees) {
          const digest = await digestOf([{ path: 'f', content, executable: false, link: false }])
          const at = new Date(Date.now() - (old ? 7200_000 : 0))
          utimesSync(store.directoryOf(digest), at, at)
          kept.push({ digest, stays: live || !old, live })
        }
        const removed = await store.collect(new Set(kept.filter(({ live }) => live).map(({ digest }) => digest)), 3600_000)
        expect(kept.map(({ digest }) => existsSync(store.directoryOf(digest)))).toEqual(kept.map(({ stays }) => stays))
        expect(removed).toBe(kept.filter(({ stays }) => !stays).length)
      }),
      { numRuns: 25 },
    )
  })

  test('keeps what was just stored again', async () => {
    const tree = [{ path: 'f', content: 'x', executable: false, link: false }]
    const digest = await digestOf(tree)
    const at = new Date(0)
    utimesSync(store.directoryOf(digest), at, at)
    await digestOf(tree)
    expect(await store.collect(new Set(), 3600_000)).toBe(0)
    expect(await store.has(digest)).toBe(true)
  })
})

test('the same contents stored many times at once are kept once, and nothing is left half done', async () => {
  const tree = [{ path: 'f', content: 'x', executable: false, link: false }]
  const digests = await Promise.all(Array.from({ length: 8 }, () => digestOf(tree)))
  expect(new Set(digests).size).toBe(1)
  const { readdirSync } = await import('node:fs')
  expect(readdirSync(join(root, 'sha256'))).toHaveLength(1)
  expect(readdirSync(join(root, 'incoming'))).toEqual([])
})

test('what a crash left half written is gone after a start; what has its name stays', async () => {
  const digest = await digestOf([{ path: 'f', content: 'x', executable: false, link: false }])
  write([{ path: 'half', content: 'x', executable: false, link: false }], new Date(0))
  await store.start()
  const { readdirSync } = await import('node:fs')
  expect(readdirSync(join(root, 'incoming'))).toEqual([])
  expect(await store.has(digest)).toBe(true)
})

test('a name that is no digest reaches no directory', () => {
  for (const digest of ['sha256:../../etc', 'sha256:', `sha256:${'A'.repeat(64)}`, '../x', `md5:${'a'.repeat(64)}`]) expect(() => store.directoryOf(digest)).toThrow(/is not a digest/)
})
