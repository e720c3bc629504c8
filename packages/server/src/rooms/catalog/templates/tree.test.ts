import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addFiles, below, digestOf, fits, pack, safePath, unpack, type Tree } from './tree.ts'

const file = (text: string): { content: Buffer; executable: boolean } => ({ content: Buffer.from(text), executable: false })

describe('paths', () => {
  test.each(['../x', 'a/../../x', '/etc/passwd', 'C:/x', 'a\\b', '.git/config', 'a/.GIT/hooks/x', 'git~1/x', '.git /x', 'a\0b', 'NUL', 'aux.txt', 'COM1', '', './', 'a/b.', 'x'.repeat(201)])('%j is refused', (path) => {
    expect(() => safePath(path)).toThrow(expect.objectContaining({ code: 'TEMPLATE_UNSAFE_PATH' }))
  })

  test('whatever is accepted lies inside and is already in its plainest form', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', 'b c', '.git', 'ä', 'x.ts', '.github'), { maxLength: 6 }), fc.constantFrom('', '/'), (parts, start) => {
        const path = start + parts.join('/')
        let safe: string
        try {
          safe = safePath(path)
        } catch {
          return
        }
        expect(posix.normalize(safe)).toBe(safe)
        expect(posix.join('/root', safe).startsWith('/root/')).toBe(true)
        expect(safe.split('/')).not.toContain('..')
      }),
    )
  })

  test('a file cannot be a directory too', () => {
    const tree: Tree = new Map()
    expect(() => addFiles(tree, [['a', file('')], ['a/b', file('')]])).toThrow(/as a file and as a directory/)
  })

  test('globs', () => {
    expect(fits('.github/workflows/ci.yml', ['.github/workflows/*'])).toBe(true)
    expect(fits('a/b/c.bin', ['**/*.bin'])).toBe(true)
    expect(fits('c.bin', ['**/*.bin'])).toBe(true)
    expect(fits('a/b', ['a'])).toBe(true)
    expect(fits('ab', ['a'])).toBe(false)
  })

  test('what is fetched lies inside of the template', () => {
    expect([...below(new Map([['skeleton/a', file('')], ['template.yaml', file('')]]), './skeleton').keys()]).toEqual(['a'])
    expect(() => below(new Map(), '../other')).toThrow(/outside/)
  })
})

test('a tree is the same after packing, and its digest does not depend on order', () => {
  const one: Tree = new Map([['b', file('2')], ['a', { content: Buffer.from([0, 255]), executable: true }]])
  const again = unpack(pack(one))
  expect(digestOf(again)).toBe(digestOf(one))
  expect(again.get('a')).toEqual(one.get('a'))
})
