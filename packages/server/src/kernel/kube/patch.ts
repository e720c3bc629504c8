/** JSON merge patch (RFC 7386) and JSON patch (RFC 6902) on resources. Strategic merge patch is refused, as for custom resources. */
import { fail } from '@pavior/contract'
import { applyPatch, type Operation } from 'rfc6902'

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const strategic = 'application/strategic-merge-patch+json'
const mostOperations = 10_000

export type PatchType = keyof typeof patchTypes

/** Which patch a content type means; throws UNSUPPORTED_MEDIA. */
export function patchType(contentType: string | undefined): PatchType {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
  for (const [name, value] of Object.entries(patchTypes)) if (value === type) return name as PatchType
  throw fail('UNSUPPORTED_MEDIA', {
    message:
      type === strategic
        ? 'Strategic merge patch is not supported for these resources.'
        : `The patch type "${type.slice(0, 100)}" is not supported.`,
    fix: `Send one of ${Object.values(patchTypes).join(', ')}.`,
  })
}

/** RFC 7386. Returns a new value and leaves both arguments as they are; what is unchanged is shared. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (key === '__proto__') continue
    if (value === null) delete result[key]
    else result[key] = mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value)
  }
  return result
}

/** RFC 6902. Changes `target`, which must be the caller's own. Throws BAD_REQUEST for what is no patch, INVALID when it does not apply. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const operations = checkOperations(patch)
  // A patch of the whole document needs something to replace it in.
  const holder = { document: target }
  const moved = operations.map((operation) => ({
    ...operation,
    path: `/document${operation.path}`,
    ...('from' in operation ? { from: `/document${operation.from}` } : {}),
  })) as Operation[]
  for (const [index, operation] of moved.entries()) {
    const [error] = applyPatch(holder, [operation])
    if (error) throw doesNotApply(operations[index]!, index, error)
  }
  return holder.document
}

function doesNotApply(operation: Operation, index: number, error: Error): Error {
  const place = `operation ${index} (${operation.op} ${JSON.stringify(operation.path)})`
  const tested = error.name === 'TestError'
  return fail('INVALID', {
    message: tested
      ? `The JSON patch was not applied: the test of ${place} failed.`
      : `The JSON patch cannot be applied: ${place} names a path that does not exist.`,
    fix: tested ? 'Read the resource again; it does not hold the tested value.' : 'Check the path; ~1 stands for a slash within a key.',
  })
}

function checkOperations(patch: unknown): Operation[] {
  const refuse = (message: string): Error =>
    fail('BAD_REQUEST', { message, fix: 'Send a list such as [{"op":"replace","path":"/spec/description","value":"…"}].' })
  if (!Array.isArray(patch)) throw refuse('A JSON patch is a list of operations.')
  if (patch.length > mostOperations) throw refuse(`A JSON patch has at most ${mostOperations} operations; this one has ${patch.length}.`)
  patch.forEach((operation: unknown, index) => {
    if (!isObject(operation)) throw refuse(`Operation ${index} of the JSON patch is no object.`)
    const { op, path, from } = operation
    if (!['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op as string))
      throw refuse(`Operation ${index} of the JSON patch has the unknown op ${JSON.stringify(op)}.`)
    if (!isPointer(path)) throw refuse(`Operation ${index} of the JSON patch has no usable path.`)
    if ((op === 'move' || op === 'copy') && !isPointer(from)) throw refuse(`Operation ${index} of the JSON patch has no usable "from".`)
    if ((op === 'add' || op === 'replace' || op === 'test') && !('value' in operation))
      throw refuse(`Operation ${index} of the JSON patch has no value.`)
  })
  return patch as Operation[]
}

function isPointer(path: unknown): path is string {
  return typeof path === 'string' && (path === '' || path.startsWith('/')) && !path.split('/').includes('__proto__')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
