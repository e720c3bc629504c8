/** How well what a person typed fits a text. Pure. */

const whole = 1000
const beginning = 600
const wordBeginning = 400
const inside = 250
const letters = 60

/**
 * Undefined when it does not fit; otherwise the higher the better. Letters may be left out (`chk` finds checkout-api),
 * but a text that holds the words as they were typed comes first. Several words must each fit.
 */
export function fuzzyScore(query: string, text: string): number | undefined {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const lower = text.toLowerCase()
  let sum = 0
  for (const word of words) {
    const score = wordScore(word, lower)
    if (score === undefined) return undefined
    sum += score
  }
  // Of two that fit alike the shorter one is meant.
  return words.length === 0 ? 0 : sum / words.length - Math.min(lower.length, 100) / 10
}

function wordScore(word: string, text: string): number | undefined {
  if (word === text) return whole
  if (text.startsWith(word)) return beginning
  const at = text.indexOf(word)
  if (at > 0) return /[^a-z0-9]/.test(text[at - 1]!) ? wordBeginning : inside
  return lettersScore(word, text)
}

/** Letters in order; those at the beginning of a word or beside each other count more. */
function lettersScore(word: string, text: string): number | undefined {
  let from = 0
  let good = 0
  let previous = -2
  for (const letter of word) {
    const at = text.indexOf(letter, from)
    if (at === -1) return undefined
    if (at === previous + 1 || at === 0 || /[^a-z0-9]/.test(text[at - 1]!)) good++
    previous = at
    from = at + 1
  }
  // Letters strewn at random are no find.
  return good * 2 >= word.length ? letters + (good / word.length) * letters : undefined
}
