/** What could be written at the place of the cursor in an expression. Pure. */

export interface Spot {
  /** What is asked for there: names of metrics and functions, names of labels, or values of one. */
  kind: 'name' | 'label' | 'value'
  /** What stands there already, and where. */
  word: string
  from: number
  to: number
  /** Whose labels they are, when the text tells. */
  metric: string | undefined
  /** Whose values they are. */
  label: string | undefined
}

export interface Suggestion {
  text: string
  /** What it is, in a few words. */
  hint: string
}

const mostSuggestions = 12

export const functions = 'abs absent absent_over_time avg avg_over_time bottomk ceil changes clamp clamp_max clamp_min count count_over_time count_values day_of_week delta deriv floor group histogram_quantile hour idelta increase irate label_join label_replace last_over_time ln log10 log2 max max_over_time min min_over_time minute month predict_linear present_over_time quantile quantile_over_time rate resets round scalar sgn sort sort_desc sqrt stddev stddev_over_time stdvar sum sum_over_time time timestamp topk vector year'.split(' ')

/** Undefined where only a number, a duration or free text makes sense. */
export function spotAt(text: string, cursor: number): Spot | undefined {
  const before = text.slice(0, cursor)
  const place = (word: string, kind: Spot['kind'], metric?: string, label?: string): Spot => ({ kind, word, from: cursor - word.length, to: cursor, metric, label })
  const value = /([a-zA-Z_:][\w:]*)?\{[^{}]*?([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(before)
  if (value) return place(value[3]!, 'value', value[1], value[2])
  if (inQuotes(before)) return undefined
  const braces = /([a-zA-Z_:][\w:]*)?\{[^{}]*$/.exec(before)
  if (braces) {
    const word = /(?:[{,]\s*)([a-zA-Z_]\w*)?$/.exec(before)
    return word ? place(word[1] ?? '', 'label', braces[1]) : undefined
  }
  const grouping = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\((?:[^()]*,)?\s*([a-zA-Z_]\w*)?$/i.exec(before)
  if (grouping) return place(grouping[1] ?? '', 'label', metricIn(text))
  if (/\[[^\]]*$/.test(before)) return undefined
  const word = /(?:^|[^\w:])([a-zA-Z_:][\w:]*)$/.exec(before)
  return word ? place(word[1]!, 'name') : undefined
}

function inQuotes(before: string): boolean {
  return (before.replaceAll(/\\./g, '').match(/"/g)?.length ?? 0) % 2 === 1
}

/** The metric that an expression is most likely about: the first name that is no function and no keyword. */
function metricIn(text: string): string | undefined {
  const keywords = new Set([...functions, 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'bool', 'offset', 'and', 'or', 'unless'])
  return [...text.replaceAll(/\([^()]*\)(?=\s*\()/g, '').matchAll(/[a-zA-Z_:][\w:]*/g)].map(([word]) => word).find((word) => !keywords.has(word))
}

/** Those that begin so first, then those that contain it. */
export function suggestionsFor(word: string, known: readonly Suggestion[]): Suggestion[] {
  const wanted = word.toLowerCase()
  const rank = ({ text }: Suggestion): number => (text.toLowerCase().startsWith(wanted) ? 0 : text.toLowerCase().includes(wanted) ? 1 : 2)
  const fitting = known.filter((each) => rank(each) < 2 && each.text !== word)
  return fitting.toSorted((one, other) => rank(one) - rank(other) || (one.text < other.text ? -1 : 1)).slice(0, mostSuggestions)
}

/** The text with the suggestion in its place, and where the cursor is then. */
export function completed(text: string, { kind, from, to }: Spot, chosen: string): { text: string; cursor: number } {
  const call = kind === 'name' && functions.includes(chosen) && text[to] !== '('
  const inserted = kind === 'value' ? chosen.replaceAll(/[\\"]/g, '\\$&') : call ? `${chosen}(` : kind === 'label' && /\{[^{}]*$/.test(text.slice(0, from)) && !/^\s*[=!]/.test(text.slice(to)) ? `${chosen}="` : chosen
  return { text: text.slice(0, from) + inserted + text.slice(to), cursor: from + inserted.length }
}
