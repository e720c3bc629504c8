import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Coalescer } from './coalescer.ts'

interface Batch {
  questions: string[]
  end: () => void
  fail: (error: Error) => void
}

/** Batches that end when the test says so; every question is answered by itself and the number of its batch. */
function controlled({ alone = false } = {}): { coalescer: Coalescer<string, string>; batches: Batch[] } {
  const batches: Batch[] = []
  const run = (questions: string[]): Promise<string[]> =>
    new Promise((resolve, reject) => {
      const number = batches.length + 1
      batches.push({ questions, end: () => resolve(questions.map((question) => `${question} by ${number}`)), fail: reject })
    })
  const coalescer = new Coalescer<string, string>({ run, inFlight: 1, largest: 100, alone: () => alone })
  return { coalescer, batches }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what comes in one turn goes together; whoever comes while it is under way shares the next one', async () => {
  const { coalescer, batches } = controlled()
  const first = [coalescer.ask('a'), coalescer.ask('b')]
  await turn()
  const later = ['c', 'd', 'e'].map((question) => coalescer.ask(question))
  await turn()
  expect(batches.map(({ questions }) => questions)).toEqual([['a', 'b']])
  batches[0]!.end()
  expect(await Promise.all(first)).toEqual(['a by 1', 'b by 1'])
  await turn()
  expect(batches[1]!.questions).toEqual(['c', 'd', 'e'])
  batches[1]!.end()
  expect(await Promise.all(later)).toEqual(['c by 2', 'd by 2', 'e by 2'])
})

test('a failure is of those in the batch, and the next is tried anew', async () => {
  const { coalescer, batches } = controlled()
  const first = coalescer.ask('a')
  await turn()
  const second = coalescer.ask('b')
  batches[0]!.fail(new Error('no disk'))
  await expect(first).rejects.toThrow('no disk')
  await turn()
  batches[1]!.end()
  expect(await second).toBe('b by 2')
})

test('when one question may have spoilt the batch, each is asked alone', async () => {
  const { coalescer, batches } = controlled({ alone: true })
  const answers = ['a', 'bad', 'c'].map((question) => coalescer.ask(question))
  const settled = Promise.allSettled(answers)
  await turn()
  batches[0]!.fail(new Error('one of them'))
  for (const place of [1, 2, 3]) {
    while (batches.length <= place) await turn()
    if (batches[place]!.questions[0] === 'bad') batches[place]!.fail(new Error('bad'))
    else batches[place]!.end()
  }
  expect(await settled).toEqual([
    { status: 'fulfilled', value: 'a by 2' },
    { status: 'rejected', reason: new Error('bad') },
    { status: 'fulfilled', value: 'c by 4' },
  ])
})

test('every question is answered once, within the limits, and those of one key go in their order and never together', async () => {
  const questions = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), pause: fc.boolean() }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(questions, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), async (asked, inFlight, largest) => {
      const seen: Record<string, number[]> = {}
      let underWay = 0
      const coalescer = new Coalescer<{ key: string; index: number }, number>({
        run: async (batch) => {
          underWay++
          expect(underWay).toBeLessThanOrEqual(inFlight)
          expect(batch.length).toBeLessThanOrEqual(largest)
          expect(new Set(batch.map(({ key }) => key)).size).toBe(batch.length)
          for (const { key, index } of batch) (seen[key] ??= []).push(index)
          await turn()
          underWay--
          return batch.map(({ index }) => index)
        },
        inFlight,
        largest,
        apart: ({ key }) => key,
        alone: () => false,
      })
      const answers: Promise<number>[] = []
      for (const [index, { key, pause }] of asked.entries()) {
        answers.push(coalescer.ask({ key, index }))
        if (pause) await turn()
      }
      expect(await Promise.all(answers)).toEqual(asked.map((_, index) => index))
      for (const order of Object.values(seen)) expect(order).toEqual(order.toSorted((one, other) => one - other))
    }),
    { numRuns: 100 },
  )
})
