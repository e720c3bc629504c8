/** What functions take and give. What is not here is refused by its name. */
import type { ValueType } from './ast.ts'

export interface Signature {
  args: readonly ValueType[]
  /** How many of the last ones may be left out. */
  optional: number
  /** The last one may come any number of times. */
  variadic: boolean
  returns: ValueType
}

const vector: ValueType = 'instant vector'
const range: ValueType = 'range vector'

function takes(args: ValueType[], { optional = 0, variadic = false, returns = vector }: Partial<Omit<Signature, 'args'>> = {}): Signature {
  return { args, optional, variadic, returns }
}

function each(names: string, signature: Signature): [string, Signature][] {
  return names.split(' ').map((name) => [name, signature])
}

export const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ...each('abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp', takes([vector])),
  ...each('absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time', takes([range])),
  ...each('day_of_month day_of_week day_of_year days_in_month hour minute month year', takes([vector], { optional: 1 })),
  ...each('clamp_max clamp_min', takes([vector, 'scalar'])),
  ['clamp', takes([vector, 'scalar', 'scalar'])],
  ['histogram_quantile', takes(['scalar', vector])],
  ['label_join', takes([vector, 'string', 'string', 'string'], { optional: 1, variadic: true })],
  ['label_replace', takes([vector, 'string', 'string', 'string', 'string'])],
  ['pi', takes([], { returns: 'scalar' })],
  ['predict_linear', takes([range, 'scalar'])],
  ['quantile_over_time', takes(['scalar', range])],
  ['round', takes([vector, 'scalar'], { optional: 1 })],
  ['scalar', takes([vector], { returns: 'scalar' })],
  ['time', takes([], { returns: 'scalar' })],
  ['vector', takes(['scalar'])],
])

/** Functions that there are elsewhere: they are refused as not supported, not as unknown. */
export const knownElsewhere: ReadonlySet<string> = new Set([
  ...'histogram_avg histogram_count histogram_sum histogram_fraction histogram_stddev histogram_stdvar histogram_quantiles holt_winters double_exponential_smoothing'.split(' '),
  ...'info mad_over_time first_over_time sort_by_label sort_by_label_desc start end range step ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time start_timestamp'.split(' '),
])
