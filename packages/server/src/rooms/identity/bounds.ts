/** From the words of who makes a token to the rules that bound it. Pure. */
import { fail, verbs as allVerbs, type AccessRule } from '@pavior/contract'

export interface WantedBounds {
  verbs?: string[]
  kinds?: string[]
  names?: string[]
  environments?: string[]
}

type Verb = AccessRule['verbs'][number]

const reading = new Set<Verb>(['get', 'list', 'watch'])

/** Undefined: no bounds. Names and environments bound what is changed; what is read is bounded by verbs and kinds. */
export function boundsOf({ verbs, kinds, names, environments }: WantedBounds, kindNamed: (word: string) => string | undefined): AccessRule[] | undefined {
  if (!verbs && !kinds && !names && !environments) return undefined
  const wanted = (verbs ?? ['*']).flatMap((verb): Verb[] => (verb === '*' ? [...allVerbs] : [verb as Verb]))
  const unknown = wanted.find((verb) => !(allVerbs as readonly string[]).includes(verb))
  if (unknown !== undefined) throw fail('BAD_REQUEST', { message: `There is no verb "${unknown.slice(0, 40)}".`, fix: `Use one of: ${allVerbs.join(', ')}, or *.` })
  const known = (kinds ?? ['*']).map((word) => {
    const kind = word === '*' || word === 'Audit' ? word : kindNamed(word)
    if (kind === undefined) throw fail('BAD_REQUEST', { message: `There is no kind "${word.slice(0, 40)}".`, fix: 'List the kinds with: pavior explain' })
    return kind
  })
  if (!names && !environments) return [{ verbs: wanted, kinds: known }]
  const [reads, writes] = [wanted.filter((verb) => reading.has(verb)), wanted.filter((verb) => !reading.has(verb))]
  return [
    ...(reads.length === 0 ? [] : [{ verbs: reads, kinds: known }]),
    ...(writes.length === 0 ? [] : [{ verbs: writes, kinds: known, ...(names ? { names } : {}), ...(environments ? { environments } : {}) }]),
  ]
}
