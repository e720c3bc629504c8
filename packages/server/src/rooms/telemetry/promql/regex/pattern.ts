/**
 * Regular expressions over labels, anchored at both ends and matched in linear time.
 *
 * JavaScript's own need exponential time for `(a+)+b`, and whoever may query would stop the server with it. Here a value is
 * read once, while every place of the expression that may have been reached moves along (Pike's machine, as RE2 does it).
 */
import { isWord, mostRepeats, PatternProblem, readPattern, type CharacterTest, type Tree } from './read.ts'

export const longestPattern = 4096
const mostInstructions = 4096

interface Instruction {
  /** Where to go on; a fork goes to `next` first. */
  next: number
  other: number
  test: CharacterTest | undefined
  edge: Extract<Tree, { type: 'edge' }>['at'] | undefined
  /** Number of the place in `groups` that is noted here; -1: none. */
  note: number
  isEnd: boolean
}

export interface Pattern {
  /** Why it cannot be used; a sentence. */
  problem: string | undefined
  matches(value: string): boolean
  /** The whole and each group; undefined when it does not match. */
  groups(value: string): (string | undefined)[] | undefined
  /** Names of the groups, by their number. */
  names: readonly (string | undefined)[]
  /** Steps taken so far: what matching costs. */
  work(): number
}

/** Never throws: a pattern with a problem matches nothing. */
export function compilePattern(text: string): Pattern {
  try {
    if (text.length > longestPattern) throw new PatternProblem(`A regular expression may have ${longestPattern} characters.`)
    const fixed = literalsOf(text)
    const { tree, names } = readPattern(text)
    const machine = new Machine(tree, names.length)
    return {
      problem: undefined,
      matches: fixed ? (value) => fixed.has(value) : (value) => machine.run(value, false) !== undefined,
      groups: (value) => machine.run(value, true)?.map((place, index, all) => (index % 2 === 1 ? undefined : place < 0 ? '' : machine.between(place, all[index + 1]!))).filter((_, index) => index % 2 === 0),
      names,
      work: () => machine.steps,
    }
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error
    return { problem: error.message, matches: () => false, groups: () => undefined, names: [], work: () => 0 }
  }
}

/** `a|b|c` is a set of texts. */
function literalsOf(text: string): Set<string> | undefined {
  return /[\\^$.*+?()[\]{}]/.test(text) ? undefined : new Set(text.split('|'))
}

class Machine {
  steps = 0
  readonly #program: Instruction[] = []
  readonly #start: number
  readonly #notes: number
  #points: string[] = []

  constructor(tree: Tree, groups: number) {
    this.#notes = groups * 2
    const end = this.#add({ isEnd: true })
    this.#start = this.#compile({ type: 'group', index: 0, inner: tree }, end)
  }

  between(from: number, to: number): string {
    return this.#points.slice(from, to).join('')
  }

  /** Places of the groups, begin and end by turns; undefined when the whole value does not match. */
  run(value: string, noting: boolean): number[] | undefined {
    const points = (this.#points = [...value])
    const seen = new Int32Array(this.#program.length).fill(-1)
    const nothing: number[] = noting ? new Array<number>(this.#notes).fill(-1) : []
    let threads: { at: number; notes: number[] }[] = []
    this.#reach(threads, seen, this.#start, nothing, 0, noting)
    for (const [index, character] of points.entries()) {
      const point = character.codePointAt(0)!
      const next: typeof threads = []
      for (const { at, notes } of threads) {
        this.steps++
        const { test, next: to } = this.#program[at]!
        if (test?.(point)) this.#reach(next, seen, to, notes, index + 1, noting)
      }
      if (next.length === 0) return undefined
      threads = next
    }
    return threads.find(({ at }) => this.#program[at]!.isEnd)?.notes
  }

  /** Every place that is reached without reading, the preferred one first; each once a character. */
  #reach(threads: { at: number; notes: number[] }[], seen: Int32Array, start: number, notes: number[], position: number, noting: boolean): void {
    const waiting: [number, number[]][] = [[start, notes]]
    for (let top = waiting.pop(); top; top = waiting.pop()) {
      const [at, noted] = top
      if (seen[at] === position) continue
      seen[at] = position
      this.steps++
      const { test, edge, note, next, other, isEnd } = this.#program[at]!
      if (test || isEnd) threads.push({ at, notes: noted })
      else if (edge) {
        if (this.#isAt(edge, position)) waiting.push([next, noted])
      } else if (note >= 0) waiting.push([next, noting ? noted.with(note, position) : noted])
      else {
        if (other >= 0) waiting.push([other, noted])
        waiting.push([next, noted])
      }
    }
  }

  #isAt(edge: NonNullable<Instruction['edge']>, position: number): boolean {
    const [before, after] = [this.#points[position - 1], this.#points[position]]
    switch (edge) {
      case 'begin':
        return position === 0
      case 'end':
        return position === this.#points.length
      case 'lineBegin':
        return position === 0 || before === '\n'
      case 'lineEnd':
        return position === this.#points.length || after === '\n'
      default:
        return (wordAt(before) !== wordAt(after)) === (edge === 'word')
    }
  }

  #add(instruction: Partial<Instruction>): number {
    if (this.#program.length >= mostInstructions) throw new PatternProblem('This regular expression is too large.')
    return this.#program.push({ next: -1, other: -1, test: undefined, edge: undefined, note: -1, isEnd: false, ...instruction }) - 1
  }

  /** Compiles from the back: what follows is known. Returns where it begins. */
  #compile(tree: Tree, next: number): number {
    switch (tree.type) {
      case 'empty':
        return next
      case 'one':
        return this.#add({ test: tree.test, next })
      case 'edge':
        return this.#add({ edge: tree.at, next })
      case 'sequence':
        return tree.parts.reduceRight((after, part) => this.#compile(part, after), next)
      case 'choice':
        return tree.parts.map((part) => this.#compile(part, next)).reduceRight((other, first) => this.#add({ next: first, other }))
      case 'group': {
        const end = this.#add({ note: tree.index * 2 + 1, next })
        return this.#add({ note: tree.index * 2, next: this.#compile(tree.inner, end) })
      }
      case 'repeat':
        return this.#repeat(tree, next)
    }
  }

  #repeat({ inner, least, most, lazy }: Extract<Tree, { type: 'repeat' }>, next: number): number {
    const fork = (again: number, after: number): number => this.#add(lazy ? { next: after, other: again } : { next: again, other: after })
    let start = next
    if (most === Infinity) {
      const loop = fork(-1, next)
      const again = this.#compile(inner, loop)
      if (lazy) this.#program[loop]!.other = again
      else this.#program[loop]!.next = again
      start = loop
    } else for (let optional = Math.min(most, mostRepeats) - least; optional > 0; optional--) start = fork(this.#compile(inner, start), next)
    for (let needed = least; needed > 0; needed--) start = this.#compile(inner, start)
    return start
  }
}

function wordAt(character: string | undefined): boolean {
  return character !== undefined && isWord(character.codePointAt(0)!)
}
