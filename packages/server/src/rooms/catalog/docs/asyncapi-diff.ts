/**
 * What changed between two AsyncAPI definitions, and which of it breaks those on the other side of the channels: of what the
 * application receives more may not be asked, of what it sends less may not be given. Pure.
 */
import type { ApiChange } from '../ports.ts'
import { asyncOperations, type AsyncMessage, type AsyncOperation } from './asyncapi.ts'
import { comparisonOf, diffSchema, ordered, unfinished, type Comparison, type Direction, type Found } from './schema-diff.ts'

export function diffAsyncApi(before: unknown, after: unknown): ApiChange[] {
  const comparison = comparisonOf(before, after)
  const [old, now] = [byPlace(before), byPlace(after)]
  const changes: ApiChange[] = []
  for (const [where, operations] of old) {
    const successors = now.get(where)
    if (successors === undefined) changes.push({ breaking: true, where, what: 'is gone' })
    else changes.push(...diffOperation(comparison, operations, successors).map((change) => ({ ...change, where })))
  }
  for (const where of now.keys()) if (!old.has(where)) changes.push({ breaking: false, where, what: 'is new' })
  return ordered([...changes, ...unfinished(comparison)])
}

/** Version 3 may have several operations for one place; names of parameters in an address are for people. */
function byPlace(document: unknown): Map<string, AsyncOperation[]> {
  const places = new Map<string, AsyncOperation[]>()
  for (const operation of asyncOperations(document)) {
    const place = `${operation.action} ${operation.address.replaceAll(/\{[^}]*\}/g, '{}')}`
    places.set(place, [...(places.get(place) ?? []), operation])
  }
  return places
}

function diffOperation(comparison: Comparison, before: AsyncOperation[], after: AsyncOperation[]): Found[] {
  const direction: Direction = before[0]!.action === 'receives' ? 'sent' : 'got'
  const [old, now] = [before, after].map((operations) => operations.flatMap(({ messages }) => messages)) as [AsyncMessage[], AsyncMessage[]]
  // Where there is one message only, it may have any name.
  if (old.length === 1 && now.length === 1) return diffMessage(comparison, old[0]!, now[0]!, direction)
  const [former, present] = [old, now].map((messages) => new Map(messages.map((message) => [message.name, message]))) as [Map<string, AsyncMessage>, Map<string, AsyncMessage>]
  const changes: Found[] = []
  for (const [name, message] of former) {
    const successor = present.get(name)
    if (successor === undefined) changes.push({ breaking: true, what: `the message ${name} is gone` })
    else changes.push(...diffMessage(comparison, message, successor, direction))
  }
  // Who receives it has never seen this one.
  for (const name of present.keys()) if (!former.has(name)) changes.push({ breaking: direction === 'got', what: `the message ${name} is new` })
  return changes
}

function diffMessage(comparison: Comparison, before: AsyncMessage, after: AsyncMessage, direction: Direction): Found[] {
  const name = `the message ${after.name}`
  const [media, mediaNow] = [before.message.contentType, after.message.contentType]
  const changes: Found[] = []
  if (media !== undefined && mediaNow !== undefined && media !== mediaNow) changes.push({ breaking: true, what: `${name} is ${String(mediaNow)}, and was ${String(media)}` })
  if (before.foreign !== after.foreign) return [...changes, { breaking: true, what: `${name} is described in ${after.foreign ?? 'JSON Schema'}, and was in ${before.foreign ?? 'JSON Schema'}` }]
  if (after.foreign !== undefined) {
    const same = JSON.stringify(before.payload) === JSON.stringify(after.payload)
    return same ? changes : [...changes, { breaking: false, risky: true, what: `${name} changed, in ${after.foreign}, which is not compared` }]
  }
  return [...changes, ...diffSchema(comparison, before.payload, after.payload, name, direction), ...diffSchema(comparison, before.headers, after.headers, `headers of ${name}`, direction)]
}
