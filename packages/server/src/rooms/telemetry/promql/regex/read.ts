/** Text of a regular expression of RE2 → tree. Look-around and back-references are refused, as RE2 does: they cannot be matched in linear time. */

export type CharacterTest = (point: number) => boolean

export type Tree =
  | { type: 'empty' }
  | { type: 'one'; test: CharacterTest }
  | { type: 'edge'; at: 'begin' | 'end' | 'lineBegin' | 'lineEnd' | 'word' | 'noWord' }
  | { type: 'sequence' | 'choice'; parts: Tree[] }
  | { type: 'repeat'; inner: Tree; least: number; most: number; lazy: boolean }
  | { type: 'group'; inner: Tree; index: number }

export class PatternProblem extends Error {}

export const mostRepeats = 1000
const deepest = 100
const newline = 10

interface Flags {
  ignoreCase: boolean
  dotAll: boolean
  multiline: boolean
  swapGreed: boolean
}

const flagOf: Record<string, keyof Flags> = { i: 'ignoreCase', s: 'dotAll', m: 'multiline', U: 'swapGreed' }
const posix: Record<string, string> = { alnum: '0-9A-Za-z', alpha: 'A-Za-z', ascii: '\\x00-\\x7f', blank: '\\t ', cntrl: '\\x00-\\x1f\\x7f', digit: '0-9', graph: '!-~', lower: 'a-z', print: ' -~', punct: '!-\\/:-@\\[-`{-~', space: '\\t\\n\\v\\f\\r ', upper: 'A-Z', word: '0-9A-Za-z_', xdigit: '0-9A-Fa-f' }
const perl: Record<string, CharacterTest> = { d: (c) => c >= 48 && c <= 57, s: (c) => c === 9 || c === 10 || c === 12 || c === 13 || c === 32, w: isWord }
const control: Record<string, number> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }

export function isWord(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95
}

/** Throws PatternProblem. */
export function readPattern(text: string): { tree: Tree; names: (string | undefined)[] } {
  return new PatternReader(text).all()
}

class PatternReader {
  readonly #points: string[]
  #at = 0
  #depth = 0
  readonly #names: (string | undefined)[] = [undefined]

  constructor(text: string) {
    this.#points = [...text]
  }

  all(): { tree: Tree; names: (string | undefined)[] } {
    const tree = this.#choice({ ignoreCase: false, dotAll: false, multiline: false, swapGreed: false })
    if (this.#at < this.#points.length) throw new PatternProblem('A ")" has no "(" in this regular expression.')
    return { tree, names: this.#names }
  }

  #next(): string | undefined {
    return this.#points[this.#at]
  }

  #takes(text: string): boolean {
    for (let index = 0; index < text.length; index++) if (this.#points[this.#at + index] !== text[index]) return false
    this.#at += text.length
    return true
  }

  /** Flags that are set within hold until the end of the group. */
  #choice(flags: Flags): Tree {
    if (++this.#depth > deepest) throw new PatternProblem('This regular expression is nested too deeply.')
    const own = { ...flags }
    const parts = [this.#sequence(own)]
    while (this.#takes('|')) parts.push(this.#sequence(own))
    this.#depth--
    return parts.length === 1 ? parts[0]! : { type: 'choice', parts }
  }

  #sequence(flags: Flags): Tree {
    const parts: Tree[] = []
    for (let next = this.#next(); next !== undefined && next !== '|' && next !== ')'; next = this.#next()) {
      const one = this.#takes('\\Q') ? this.#verbatim(flags) : this.#one(flags)
      parts.push(this.#repeated(one, flags))
    }
    return parts.length === 1 ? parts[0]! : { type: 'sequence', parts }
  }

  #verbatim(flags: Flags): Tree {
    const parts: Tree[] = []
    while (this.#at < this.#points.length && !this.#takes('\\E')) parts.push(literal(this.#points[this.#at++]!.codePointAt(0)!, flags))
    return { type: 'sequence', parts }
  }

  #repeated(one: Tree, flags: Flags): Tree {
    const bounds = this.#bounds()
    if (!bounds) return one
    const lazy = this.#takes('?') !== flags.swapGreed
    if (this.#bounds()) throw new PatternProblem('A repetition cannot be repeated in a regular expression; use a group.')
    return { type: 'repeat', inner: one, ...bounds, lazy }
  }

  #bounds(): { least: number; most: number } | undefined {
    if (this.#takes('*')) return { least: 0, most: Infinity }
    if (this.#takes('+')) return { least: 1, most: Infinity }
    if (this.#takes('?')) return { least: 0, most: 1 }
    const counted = this.#next() === '{' ? /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(this.#points.slice(this.#at, this.#at + 16).join('')) : null
    if (!counted) return undefined
    this.#at += counted[0].length
    const least = Number(counted[1])
    const most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3])
    if (least > mostRepeats || (most !== Infinity && most > mostRepeats) || most < least) throw new PatternProblem(`"${counted[0]}" is no repetition up to ${mostRepeats}.`)
    return { least, most }
  }

  #one(flags: Flags): Tree {
    const character = this.#points[this.#at++]!
    switch (character) {
      case '(':
        return this.#group(flags)
      case '[':
        return { type: 'one', test: this.#class(flags) }
      case '.':
        return { type: 'one', test: flags.dotAll ? () => true : (c) => c !== newline }
      case '^':
        return { type: 'edge', at: flags.multiline ? 'lineBegin' : 'begin' }
      case '$':
        return { type: 'edge', at: flags.multiline ? 'lineEnd' : 'end' }
      case '\\':
        return this.#escape(flags)
      case '*':
      case '+':
      case '?':
        throw new PatternProblem(`"${character}" repeats nothing in this regular expression.`)
      default:
        return literal(character.codePointAt(0)!, flags)
    }
  }

  #group(flags: Flags): Tree {
    if (!this.#takes('?')) return this.#closed({ type: 'group', index: this.#names.push(undefined) - 1, inner: this.#choice(flags) })
    if (/^(=|!|<=|<!|>)/.test(this.#points.slice(this.#at, this.#at + 2).join(''))) throw new PatternProblem('Look-around is not possible in a regular expression here.')
    if (this.#takes('P<') || this.#takes('<')) {
      const end = this.#points.indexOf('>', this.#at)
      const name = this.#points.slice(this.#at, Math.max(end, this.#at)).join('')
      if (!/^\w+$/.test(name)) throw new PatternProblem('The name of a group is missing in this regular expression.')
      this.#at = end + 1
      return this.#closed({ type: 'group', index: this.#names.push(name) - 1, inner: this.#choice(flags) })
    }
    let on = true
    const own = { ...flags }
    for (let next = this.#points[this.#at++]; ; next = this.#points[this.#at++]) {
      if (next === '-') on = false
      else if (next === ':') return this.#closed(this.#choice(own))
      else if (next === ')') {
        Object.assign(flags, own)
        return { type: 'empty' }
      } else if (next !== undefined && next in flagOf) own[flagOf[next]!] = on
      else throw new PatternProblem('A group of this regular expression begins in a way that there is not.')
    }
  }

  #closed<T extends Tree>(tree: T): T {
    if (!this.#takes(')')) throw new PatternProblem('A ")" is missing in this regular expression.')
    return tree
  }

  #escape(flags: Flags): Tree {
    const next = this.#next()
    if (next === undefined) throw new PatternProblem('This regular expression ends with a backslash.')
    const edge = ({ b: 'word', B: 'noWord', A: 'begin', z: 'end' } as const)[next as 'b']
    if (edge) {
      this.#at++
      return { type: 'edge', at: edge }
    }
    const set = this.#set()
    return set ? { type: 'one', test: set } : literal(this.#point(), flags)
  }

  /** `\d`, `\pL` and the like; undefined when it is one character. */
  #set(): CharacterTest | undefined {
    const letter = this.#next()!
    const known = perl[letter.toLowerCase()]
    if (known) {
      this.#at++
      return letter === letter.toLowerCase() ? known : (c) => !known(c)
    }
    if (letter !== 'p' && letter !== 'P') return undefined
    const [all, short, long] = /^[pP](?:([A-Z])|\{(\^?\w+)\})/.exec(this.#points.slice(this.#at, this.#at + 40).join('')) ?? []
    if (all === undefined) throw new PatternProblem('A class of Unicode has no name in this regular expression.')
    this.#at += all.length
    const name = (short ?? long)!.replace('^', '')
    const test = unicodeClass(name)
    return (letter === 'P') !== (long?.startsWith('^') ?? false) ? (c) => !test(c) : test
  }

  #point(): number {
    const letter = this.#points[this.#at++]!
    if (letter in control) return control[letter]!
    if (letter === 'x') {
      const [all, short, long] = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(this.#points.slice(this.#at, this.#at + 8).join('')) ?? []
      if (all === undefined) throw new PatternProblem('"\\x" is followed by no number in this regular expression.')
      this.#at += all.length
      return Number.parseInt((short ?? long)!, 16)
    }
    if (letter === '0') return 0
    if (/[1-9]/.test(letter)) throw new PatternProblem('Back-references are not possible in a regular expression here.')
    if (/[A-Za-z]/.test(letter)) throw new PatternProblem(`"\\${letter}" means nothing in a regular expression.`)
    return letter.codePointAt(0)!
  }

  #class(flags: Flags): CharacterTest {
    const negated = this.#takes('^')
    const tests: CharacterTest[] = []
    for (let first = true; first || this.#next() !== ']'; first = false) {
      if (this.#next() === undefined) throw new PatternProblem('A "]" is missing in this regular expression.')
      tests.push(this.#classPart(flags))
    }
    this.#at++
    const inside: CharacterTest = (c) => tests.some((test) => test(c))
    return negated ? (c) => !inside(c) : inside
  }

  #classPart(flags: Flags): CharacterTest {
    const named = this.#next() === '[' ? /^\[:(\^?)(\w+):\]/.exec(this.#points.slice(this.#at, this.#at + 14).join('')) : null
    if (named) {
      const ranges = posix[named[2]!]
      if (ranges === undefined) throw new PatternProblem(`"${named[0]}" is no class of a regular expression.`)
      this.#at += named[0].length
      const within = new RegExp(`^[${ranges}]$`)
      return (c) => within.test(String.fromCodePoint(c)) !== (named[1] === '^')
    }
    if (this.#takes('\\')) {
      const set = this.#next() === undefined ? undefined : this.#set()
      if (set) return set
      this.#at--
    }
    const from = this.#classPoint()
    if (this.#next() !== '-' || this.#points[this.#at + 1] === ']' || this.#points[this.#at + 1] === undefined) return sameCase((c) => c === from, flags)
    this.#at++
    const to = this.#classPoint()
    if (to < from) throw new PatternProblem('A range of characters ends before it begins in this regular expression.')
    return sameCase((c) => c >= from && c <= to, flags)
  }

  #classPoint(): number {
    if (this.#takes('\\')) {
      if (this.#next() === undefined) throw new PatternProblem('This regular expression ends with a backslash.')
      return this.#point()
    }
    return this.#points[this.#at++]!.codePointAt(0)!
  }
}

function literal(point: number, flags: Flags): Tree {
  return { type: 'one', test: sameCase((c) => c === point, flags) }
}

function sameCase(test: CharacterTest, { ignoreCase }: Flags): CharacterTest {
  if (!ignoreCase) return test
  return (c) => {
    if (test(c)) return true
    const text = String.fromCodePoint(c)
    const [lower, upper] = [text.toLowerCase(), text.toUpperCase()]
    return test(lower.codePointAt(0)!) || test(upper.codePointAt(0)!)
  }
}

function unicodeClass(name: string): CharacterTest {
  for (const form of [name, `Script=${name}`]) {
    try {
      const one = new RegExp(`^\\p{${form}}$`, 'u')
      return (c) => one.test(String.fromCodePoint(c))
    } catch {
      // The other form may be it.
    }
  }
  throw new PatternProblem(`"${name}" is no class of Unicode.`)
}
