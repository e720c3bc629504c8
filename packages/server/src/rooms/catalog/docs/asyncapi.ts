/**
 * What an AsyncAPI document of version 2 or 3 says, in one form for both: who sends what where. Pure.
 *
 * Seen from the application, as version 3 has it; in version 2 `publish` is what others may send to it, and `subscribe` what
 * it sends (asyncapi.com/docs/migration/migrating-to-v3).
 */
import { at, follow, isObject, listOf, objectOf, partsOf, type Json } from './json.ts'

export interface AsyncMessage {
  name: string
  message: Json
  /** Schema of the payload; undefined when it is in another language than JSON Schema. */
  payload: unknown
  headers: unknown
  /** Of the schema, when it is no JSON Schema: application/vnd.apache.avro … */
  foreign?: string
}

export interface AsyncOperation {
  /** What the application does. */
  action: 'sends' | 'receives'
  /** Address of the channel. */
  address: string
  operation: Json
  channel: Json
  messages: AsyncMessage[]
}

export function asyncOperations(document: unknown): AsyncOperation[] {
  return String(at(document, 'asyncapi')).startsWith('2') ? operationsOfTwo(document) : operationsOfThree(document)
}

function operationsOfTwo(document: unknown): AsyncOperation[] {
  return Object.entries(objectOf(at(document, 'channels'))).flatMap(([address, entry]) => {
    const channel = follow(document, entry)
    return ([['publish', 'receives'], ['subscribe', 'sends']] as const).flatMap(([key, action]): AsyncOperation[] => {
      if (!isObject(channel[key])) return []
      const operation = channel[key]
      const several = listOf(follow(document, operation.message).oneOf)
      const messages = several.length > 0 ? several : operation.message === undefined ? [] : [operation.message]
      return [{ action, address, operation, channel, messages: messages.map((message) => messageOf(document, message, action)) }]
    })
  })
}

function operationsOfThree(document: unknown): AsyncOperation[] {
  return Object.entries(objectOf(at(document, 'operations'))).map(([name, entry]) => {
    const operation = follow(document, entry)
    const channel = follow(document, operation.channel)
    const own = listOf(operation.messages)
    const messages: [string | undefined, unknown][] = own.length > 0 ? own.map((message) => [undefined, message]) : Object.entries(objectOf(channel.messages))
    return {
      action: operation.action === 'send' ? 'sends' : 'receives',
      address: typeof channel.address === 'string' ? channel.address : nameIn(operation.channel) ?? name,
      operation: { operationId: name, ...operation },
      channel,
      messages: messages.map(([key, message]) => messageOf(document, message, name, key)),
    }
  })
}

function messageOf(document: unknown, entry: unknown, otherwise: string, key?: string): AsyncMessage {
  const message = follow(document, entry)
  const payload = follow(document, message.payload)
  // Version 3 puts schemas of other languages into an object that names the language.
  const wrapped = typeof payload.schemaFormat === 'string' && payload.schema !== undefined
  const language = wrapped ? payload.schemaFormat : message.schemaFormat
  const foreign = typeof language === 'string' && !/json|asyncapi|openapi/i.test(language) ? language : undefined
  const words = [message.name, key, message.messageId, nameIn(entry), message.title].find((word): word is string => typeof word === 'string')
  return { name: words ?? otherwise, message, payload: wrapped ? payload.schema : message.payload, headers: message.headers, ...(foreign ? { foreign } : {}) }
}

/** Last part of what a reference names. */
function nameIn(entry: unknown): string | undefined {
  const { $ref } = objectOf(entry)
  return typeof $ref === 'string' ? partsOf($ref).at(-1) : undefined
}
