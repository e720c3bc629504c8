import { expect, test } from 'vitest'
import { parsePatch } from './patch.ts'
import { looksSecret } from './secret-name.ts'

test('lines keep their numbers on both sides', () => {
  const [file, added] = parsePatch('diff --git a b/a b\nindex 1..2 100644\n--- a b\n+++ a b\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n\\ No newline at end of file\ndiff --git new.txt new.txt\nnew file mode 100644\n--- /dev/null\n+++ new.txt\n@@ -0,0 +1 @@\n+--- x\n')
  expect(file!.lines).toEqual([
    { type: 'hunk', text: '@@ -1,2 +1,2 @@' },
    { type: 'same', text: 'one', before: 1, after: 1 },
    { type: 'removed', text: 'two', before: 2 },
    { type: 'added', text: 'zwei', after: 2 },
  ])
  expect(added).toMatchObject({ path: 'new.txt', state: 'added', lines: [{ type: 'hunk' }, { type: 'added', text: '--- x', after: 1 }] })
})

test('a binary file has no lines', () => {
  expect(parsePatch('diff --git x.png x.png\nindex 1..2\nBinary files x.png and x.png differ\n')).toEqual([{ path: 'x.png', state: 'changed', binary: true, lines: [] }])
})

test.each([
  ['STRIPE_KEY', 'x', true],
  ['DB_PASSWORD', 'x', true],
  ['DATABASE_URL', 'postgres://u:p@host/db', true],
  ['DATABASE_URL', 'postgres://host/db', false],
  ['KEYBOARD', 'x', false],
  ['LOG_LEVEL', 'debug', false],
])('%s=%s', (name, value, secret) => {
  expect(looksSecret(name, value)).toBe(secret)
})
