/** Every query of a dashboard is read before it is saved, with values in the place of variables. */
import { fail, fillQuery, freeVariables, isPaviorError, labelValuesOf, queriesOf, timeValues, type Cause, type DashboardSpec, type DashboardVariable } from '@pavior/contract'
import type { AdmissionRequest } from '../../../kernel/resources/resources.ts'

/** Throws QUERY_INVALID with the place. */
type Check = (query: string) => Promise<void>

/** Refuses dashboards with queries that cannot be read, each by the name of its panel and the place. */
export function createDashboardRules(check: Check): (request: AdmissionRequest) => Promise<void> {
  return async ({ verb, kind, object }) => {
    if (kind.kind !== 'Dashboard' || verb === 'delete') return
    const spec = object.spec as DashboardSpec
    const causes = await queryCauses(spec, check)
    if (causes.length > 0) throw fail('INVALID', { message: `${causes.length === 1 ? 'A query' : `${causes.length} queries`} of "${spec.title}" cannot be read.`, causes, fix: 'Correct them at the places that are named; docs/querying.md tells what there is.' })
  }
}

/** What is wrong with the queries, in the order in which they stand. */
export async function queryCauses(spec: DashboardSpec, check: Check): Promise<Cause[]> {
  const values = sampleValues(spec.variables ?? [])
  const causes: (Cause | undefined)[] = []
  for (const [index, { query }] of (spec.variables ?? []).entries()) {
    const selector = query === undefined ? undefined : labelValuesOf(query)?.selector
    if (selector) causes.push(await causeOf(selector, values, check, `spec.variables[${index}].query`, ''))
  }
  for (const { panel, query, field } of queriesOf(spec)) causes.push(await causeOf(query.query, values, check, field, `"${panel.title}": `))
  return causes.filter((cause) => cause !== undefined)
}

async function causeOf(text: string, values: Record<string, string>, check: Check, field: string, where: string): Promise<Cause | undefined> {
  const filled = fillQuery(text, values)
  try {
    await check(filled.text)
    return undefined
  } catch (error) {
    if (!isPaviorError(error) || error.code !== 'QUERY_INVALID') throw error
    const { message, fix, facts } = error.details
    const { from } = (facts ?? {}) as { from?: number }
    const place = from === undefined ? '' : `${placeIn(text, filled.original(from))}: `
    return { field, message: `${where}${place}${message.replace(/^\d+:\d+: /, '')}${fix === undefined ? '' : ` ${fix}`}` }
  }
}

/** `1:5`: line and character, both from 1. */
function placeIn(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}

/** Something that could be chosen for each variable. */
function sampleValues(variables: readonly DashboardVariable[]): Record<string, string> {
  const own = variables.map(({ name, values, default: usual }) => [name, usual || values?.[0] || 'x'] as const)
  // Within quotes they stand as they are, so that a proposed fix reads like what was written.
  return { ...Object.fromEntries(freeVariables.map((name) => [name, `$${name}`])), ...timeValues(3600, 15), ...Object.fromEntries(own) }
}
