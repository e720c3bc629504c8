import type { RunbookRunStatus } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { after, answered, approved, begun, canceled, isOver, isStale, judged, lost, moveOf } from './plan.ts'
import { filled, readRunbook, unknownParameters, type Step } from './text.ts'

const now = new Date('2026-01-05T10:00:00Z')
const later = (ms: number): Date => new Date(now.getTime() + ms)
const book = (steps: string): Step[] => {
  const { steps: read, causes } = readRunbook(steps)
  expect(causes).toEqual([])
  return read
}
const block = (text: string): string => `\n\`\`\`step\n${text}\n\`\`\`\n`

const all = book(
  `# Errors\n\nLook first.\n${block('check: Are there errors?\nquery: errors\nabove: 0.1')}then${block('change: Roll back\nact: rollback\napp: shop')}${block('wait: Until quiet\nseconds: 60\nuntil:\n  query: errors\n  below: 0.1')}${block('decision: Did it help?\noptions:\n  yes: stop\n  no: Tell the owner')}${block('command: Clean up\napp: shop\nrun: npm run clean')}${block('human: Tell the owner\ntext: By phone.')}`,
)

describe('the text', () => {
  test('gives its steps; other code is prose', () => {
    expect(all.map(({ type, name, line }) => [type, name, line])).toEqual([['check', 'Are there errors?', 5], ['change', 'Roll back', 11], ['wait', 'Until quiet', 17], ['decision', 'Did it help?', 25], ['command', 'Clean up', 32], ['human', 'Tell the owner', 38]])
    expect(readRunbook('```sh\nrm -rf /\n```\n~~~~ step\nhuman: Look\n~~~\nmore: 1\n~~~~').causes).toHaveLength(1)
    expect(readRunbook('````\n```step\nhuman: no\n```\n````')).toEqual({ steps: [], causes: [] })
  })

  test.each([
    ['a: b', 'Line 2: a step has one of check, command, change, wait, decision, human, and gives it its name.'],
    ['- x', 'Line 2: a step is a list of fields, the first of them its type, for example check: Are there errors?'],
    ['check: x\nquery: y', 'Line 2: say above or below, one of them.'],
    ['check: x\nquery: y\nabove: 1\notherwise: nowhere', 'Line 2: there is no step "nowhere" to go to.'],
    ['decision: x\noptions:\n  yes: stop', 'Line 2: a decision has two options and more.'],
    ['change: x\nact: scale\napp: a', 'Line 2: scale needs process and to, the number of instances.'],
    ['change: x\nact: patch', 'Line 2: patch needs kind, name and spec.'],
    ['human: stop', 'Line 2: "stop" has a meaning of its own and cannot be a name.'],
    ['human: "x', expect.stringMatching(/^Line 2: this step is no YAML: /)],
    ['a: &a [*a]\nhuman: x', expect.stringMatching(/^Line 2: /)],
  ])('what is wrong is told with its line: %s', (text, message) => {
    expect(readRunbook(block(text)).causes).toEqual([{ field: 'spec.markdown', message }])
  })

  test('parameters are filled in everywhere, once, and unknown ones are found', () => {
    expect(filled({ a: '$app-$x $$5', b: ['$app'], c: 3 }, { app: '$x', x: 'no' })).toEqual({ a: '$x-no $5', b: ['$x'], c: 3 })
    expect(unknownParameters(book(block('human: Call $who\ntext: $$1 $app')), ['app'])).toEqual([{ line: 2, name: 'who' }])
  })

  test('whatever the text is, it is read or refused', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('', '```step\n', '~~~step\ncheck: '), (noise, before) => {
      const { steps, causes } = readRunbook(`${before}${noise}`)
      expect(Array.isArray(steps) && Array.isArray(causes)).toBe(true)
    }))
  })
})

describe('a run', () => {
  test('goes from check to end, with people where something changes', () => {
    let run = begun(all, false, now)
    expect(moveOf(run, all, false, now)).toEqual({ do: 'check', query: 'errors' })
    run = after(run, all, judged({ above: 0.1 }, 0.4), false, now)
    expect([run.phase, run.steps!.at(-1)]).toMatchObject(['Waiting', { name: 'Roll back', needs: 'approval', text: 'rollback shop' }])
    expect(moveOf(run, all, false, now)).toEqual({ do: 'ask' })
    run = approved(run, { by: 'ana' }, now)
    expect(moveOf(run, all, false, now)).toMatchObject({ do: 'sleep' })
    run = after(run, all, { good: true, output: 'done' }, false, now)
    expect(moveOf(run, all, false, now)).toEqual({ do: 'sleep', ms: 10_000, query: 'errors' })
    expect(moveOf(run, all, false, later(55_000))).toEqual({ do: 'sleep', ms: 5000, query: 'errors' })
    expect(moveOf(run, all, false, later(-3600_000))).toMatchObject({ ms: 10_000 })
    run = after(run, all, { good: true, output: 'quiet' }, false, later(20_000))
    expect(run.steps!.at(-1)).toMatchObject({ needs: 'choice', options: ['yes', 'no'] })
    const ended = answered(run, all, { by: 'ana', choice: 'yes' }, false, later(30_000))
    expect(ended).toMatchObject({ phase: 'Stopped', message: 'ana chose yes.' })
    run = answered(run, all, { by: 'ana', choice: 'no' }, false, later(30_000))
    expect(run.steps!.at(-1)).toMatchObject({ name: 'Tell the owner', needs: 'confirmation', text: 'By phone.' })
    run = answered(run, all, { by: 'bo', note: 'told' }, false, later(40_000))
    expect([run.phase, run.steps!.at(-1)]).toMatchObject(['Succeeded', { state: 'Done', by: 'bo', note: 'told' }])
    expect(run.steps!.every(({ needs }) => needs === undefined)).toBe(true)
  })

  test('a check that is not as hoped ends it, and nothing measured is no good sign', () => {
    expect(after(begun(all, false, now), all, judged({ above: 0.1 }, 0), false, now)).toMatchObject({ phase: 'Stopped', message: 'Are there errors?: It is 0.' })
    expect(after(begun(all, false, now), all, judged({ below: 0.1 }, undefined), false, now)).toMatchObject({ phase: 'Stopped', message: 'Are there errors?: Nothing was measured.' })
  })

  test('a dry run makes checks, changes nothing, and still asks what only a person can decide', () => {
    let run = begun(all, true, now)
    const seen: string[] = []
    for (let count = 0; count < 20 && !isOver(run); count++) {
      const move = moveOf(run, all, true, later(count * 60_000))
      seen.push(move.do)
      run = move.do === 'ask' ? answered(run, all, { by: 'ana', choice: 'no' }, true, now) : after(run, all, { good: true, output: 'x' }, true, now)
    }
    expect(seen).toEqual(['check', 'show', 'sleep', 'ask', 'show'])
    expect(run).toMatchObject({ phase: 'Succeeded', message: 'The dry run is through: nothing was changed.' })
  })

  test('what was under way when nobody is heard any more asks a person, and is not done a second time by itself', () => {
    let run = after(begun(all, false, now), all, judged({ above: 0.1 }, 1), false, now)
    run = approved(run, { by: 'ana' }, now)
    expect(moveOf(run, all, false, later(119_000)).do).toBe('sleep')
    expect(moveOf(run, all, false, later(121_000)).do).toBe('lost')
    expect(lost(run)).toMatchObject({ phase: 'Waiting', steps: [{}, { state: 'Waiting', needs: 'approval' }] })
  })

  test('steps that lead in a circle come to an end, and a canceled run stays so', () => {
    const circle = book(block('check: Again\nquery: x\nabove: 1\notherwise: Again'))
    let run = begun(circle, false, now)
    for (let count = 0; count < 500 && !isOver(run); count++) run = after(run, circle, { good: false, output: 'no' }, false, now)
    expect(run).toMatchObject({ phase: 'Failed', message: 'It went through 200 steps without coming to an end.' })
    expect(canceled(begun(all, false, now), 'ana', now)).toMatchObject({ phase: 'Canceled', steps: [{ state: 'Skipped', by: 'ana' }] })
  })

  test('whatever comes, every run keeps its steps in order and ends at most once', () => {
    const input = fc.array(fc.constantFrom('good', 'bad', 'yes', 'no', 'skip', 'cancel'), { maxLength: 30 })
    fc.assert(fc.property(input, fc.boolean(), (inputs, dryRun) => {
      let run: RunbookRunStatus = begun(all, dryRun, now)
      for (const each of inputs) {
        if (isOver(run)) break
        const waiting = run.steps!.at(-1)!.state === 'Waiting'
        const before = run.steps!.length
        if (each === 'cancel') run = canceled(run, 'ana', now)
        else if (waiting) run = answered(run, all, { by: 'ana', choice: each === 'no' ? 'no' : 'yes', skip: each === 'skip' }, dryRun, now)
        else run = after(run, all, { good: each !== 'bad', output: each }, dryRun, now)
        expect(run.steps!.length).toBeLessThanOrEqual(before + 1)
        expect(run.steps!.slice(0, -1).every(({ state }) => state === 'Done' || state === 'Failed' || state === 'Skipped')).toBe(true)
        expect(isOver(run)).toBe(run.finishedAt !== undefined)
      }
    }))
  })

  test('a runbook that never succeeded is stale once it is old', () => {
    const day = 86_400_000
    expect([isStale(undefined, now.toISOString(), 30, later(29 * day)), isStale(undefined, now.toISOString(), 30, later(31 * day)), isStale(later(20 * day).toISOString(), now.toISOString(), 30, later(31 * day))]).toEqual([false, true, false])
  })
})
