import { expect, test } from 'vitest'
import { kindsOfLines } from './excerpts.ts'
import { proposedRunbooks } from './proposals.ts'
import type { Alert, Runbook } from './types.ts'

const book = (name: string, symptoms: string[], over: object = {}): Runbook => ({ metadata: { name }, spec: { title: name, markdown: '', symptoms, ...over } }) as unknown as Runbook
const alert = (summary: string, runbook?: string): Alert => ({ spec: { summary, severity: 'page', source: { kind: 'Slo', name: 'x' }, ...(runbook ? { runbook } : {}) } }) as Alert

test('runbooks fit by whole words, by app, and first of all by name', () => {
  const books = [book('connections', ['connections', 'pool', 'timeout']), book('slow', ['slow']), book('other', ['timeout'], { app: 'blog' }), book('named', []), book('rapid', ['api'])]
  const found = proposedRunbooks(books, { spec: { title: 'Rapid pool: Timeout of connections', severity: 'sev1', app: 'shop' } }, [alert('It is slow', 'named')])
  expect(found.map(({ name, why }) => [name, why])).toEqual([['named', 'The alert names it.'], ['connections', 'It is for “connections”, “pool”, “timeout”.'], ['slow', 'It is for “slow”.']])
  expect(proposedRunbooks(books, { spec: { title: 'Nothing known', severity: 'sev1' } }, [])).toEqual([])
})

test('lines that differ in numbers only are one', () => {
  const lines = ['order 7 failed', 'order 12 failed', 'id 4bf92f3577b34da6 gone\n  at x', 'id 5bf92f3577b34da7 gone'].map((line) => ({ line, instance: 'shop-1' }))
  expect(kindsOfLines([...lines, { line: 'order 9 failed', instance: 'shop-2' }])).toEqual([{ line: 'order 7 failed', count: 3, instance: 'shop-1' }, { line: 'id 4bf92f3577b34da6 gone', count: 2, instance: 'shop-1' }])
})
