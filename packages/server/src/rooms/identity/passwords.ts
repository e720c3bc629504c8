/** Passwords of local accounts: argon2id with the cost that OWASP asks for (19 MiB, two passes). */
import { hash, verify } from '@node-rs/argon2'
import { fail } from '@pavior/contract'
import type { Database } from '../../kernel/db/index.ts'
import { readPassword, writePassword } from './store.ts'

const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
export const shortestPassword = 12
export const longestPassword = 200

export async function setPassword(database: Database, username: string, password: string): Promise<void> {
  if (password.length < shortestPassword) {
    throw fail('PASSWORD_WEAK', { message: `The password has ${password.length} characters; it needs ${shortestPassword} at least.`, fix: 'Use a passphrase of a few words, or one that a password manager made.' })
  }
  if (new Set(password).size < 5 || password.toLowerCase().includes(username.toLowerCase())) {
    throw fail('PASSWORD_WEAK', { message: 'The password repeats few characters or holds the name of the user.', fix: 'Use a passphrase of a few words.' })
  }
  await writePassword(database, username, await hash(password, cost))
}

/** One that nobody has, so that a name that does not exist takes as long as one that does. */
let decoy: Promise<string> | undefined

export async function passwordMatches(database: Database, username: string, password: string): Promise<boolean> {
  decoy ??= hash('nobody has this one', cost)
  const known = await readPassword(database, username)
  return (await verify(known ?? (await decoy), password)) && known !== undefined
}
