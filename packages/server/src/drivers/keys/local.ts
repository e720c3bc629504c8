/** Master keys that this process holds itself: in files of the home, or given by whoever starts it. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, type PaviorError } from '@pavior/contract'
import type { MasterKeys } from '../../rooms/secrets/ports.ts'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const idLength = 16

interface MasterKey {
  id: string
  key: Buffer
}

interface Ring {
  current(): Promise<MasterKey>
  byId(id: string): Promise<MasterKey>
}

/** A fingerprint tells keys apart and a wrong one from the right one; nothing of 32 random bytes can be guessed from it. */
function named(key: Buffer): MasterKey {
  return { id: `local-${createHash('sha256').update('pavior-master-key').update(key).digest('hex').slice(0, idLength)}`, key }
}

function wrapping({ current, byId }: Ring): Pick<MasterKeys, 'current' | 'wrap' | 'unwrap'> {
  return {
    current: async () => (await current()).id,
    wrap: async (dataKey, context) => {
      const { id, key } = await current()
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(dataKey), cipher.final()])
      return { keyId: id, wrapped: Buffer.concat([nonce, cipher.getAuthTag(), body]) }
    },
    unwrap: async ({ keyId, wrapped }, context) => {
      const { key } = await byId(keyId)
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, nonceBytes), { authTagLength: tagBytes }).setAAD(Buffer.from(context))
        decipher.setAuthTag(wrapped.subarray(nonceBytes, nonceBytes + tagBytes))
        return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes + tagBytes)), decipher.final()])
      } catch {
        throw fail('SECRET_CORRUPT', { message: `The key of a secret's version does not open with the master key ${keyId}.`, why: 'The stored row was changed outside of Pavior, or was copied from another one.' })
      }
    },
  }
}

/** Keys as files `<id>.key` (0600) of a directory; `current` names the one that wraps. Made at the first use. */
export function createFileKeys(directory: string): MasterKeys {
  const file = (id: string): string => join(directory, `${id}.key`)
  // Reading a small file for each value that is opened would be most of the cost.
  const known = new Map<string, MasterKey>()
  const byId = async (id: string): Promise<MasterKey> => {
    const found = known.get(id) ?? (await readKey(file(id), id))
    known.set(id, found)
    return found
  }
  const make = async (): Promise<string> => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const { id, key } = named(randomBytes(keyBytes))
    await writeDurably(file(id), `${key.toString('base64')}\n`)
    return id
  }
  const currentId = async (): Promise<string> => {
    const id = await readFile(join(directory, 'current'), 'utf8').catch(ignoreMissing)
    if (id !== undefined) return id.trim()
    const made = await make()
    // Whoever comes first decides; the other key is used by nothing.
    return writeFile(join(directory, 'current'), `${made}\n`, { mode: 0o600, flag: 'wx' }).then(
      () => made,
      async () => (await readFile(join(directory, 'current'), 'utf8')).trim(),
    )
  }
  return {
    ...wrapping({ current: async () => byId(await currentId()), byId }),
    renew: async () => {
      const made = await make()
      await writeDurably(join(directory, 'current.new'), `${made}\n`)
      await rename(join(directory, 'current.new'), join(directory, 'current'))
      return made
    },
    retire: async (inUse) => {
      const keep = await currentId()
      for (const name of await readdir(directory)) {
        const id = name.replace(/\.key$/, '')
        if (id === name || id === keep || inUse.has(id)) continue
        known.delete(id)
        await unlink(join(directory, name)).catch(ignoreMissing)
      }
    },
  }
}

/** Keys that were given: the first wraps, the others still open. They are changed by whoever gives them. */
export function createGivenKeys(read: () => Promise<string[]>, where: string): MasterKeys {
  let loaded: Promise<MasterKey[]> | undefined
  const keys = (): Promise<MasterKey[]> => (loaded ??= read().then((texts) => texts.map((text) => parse(text, where))))
  const forgetFailure = (error: unknown): never => {
    loaded = undefined
    throw error
  }
  const current = async (): Promise<MasterKey> => (await keys().catch(forgetFailure))[0]!
  return {
    ...wrapping({
      current,
      byId: async (id) => {
        const found = (await keys().catch(forgetFailure)).find((key) => key.id === id)
        if (!found) throw sealed(`They were sealed with the master key ${id}, and ${where} holds ${(await current()).id}.`, `Give the right key, or the earlier one beside it in PAVIOR_MASTER_KEY_PREVIOUS.`)
        return found
      },
    }),
    renew: async () => (await current()).id,
    retire: async () => {},
  }
}

async function readKey(path: string, id: string): Promise<MasterKey> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw sealed(`The file ${path} cannot be read (${error.code}).`, `Restore ${path} from a backup.`)
  })
  const found = parse(text, path)
  if (found.id !== id) throw sealed(`The file ${path} holds another key than its name says.`, `Restore ${path} from a backup.`)
  return found
}

function parse(text: string, where: string): MasterKey {
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== keyBytes) throw sealed(`${where} does not hold ${keyBytes} bytes in base64.`, 'Make one with: openssl rand -base64 32')
  return named(key)
}

function sealed(why: string, fix: string): PaviorError {
  return fail('SECRETS_SEALED', { message: 'Secrets cannot be opened or stored now.', why, fix, state: 'Apps that run go on with what they have.' })
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
