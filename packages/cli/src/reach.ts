/** Flags by which a command names a server of somebody else, and the secrets of the team that open it. */
import { fail } from '@pavior/contract'
import type { Command } from 'commander'

export interface ReachFlags {
  header?: string[]
  secretHeader?: string[]
  tokenSecret?: string
  user?: string
  passwordSecret?: string
}

const collect = (value: string, before: string[] = []): string[] => [...before, value]

export function withReach(command: Command): Command {
  return command
    .option('--header <name=value>', 'a header of every request; may be given several times', collect)
    .option('--secret-header <name=secret>', 'a header whose value is a secret of the team', collect)
    .option('--token-secret <secret>', 'secret of the team with a bearer token')
    .option('--user <name>', 'name for signing in, with --password-secret')
    .option('--password-secret <secret>', 'secret of the team with the password')
}

export function reachOf({ header, secretHeader, tokenSecret, user, passwordSecret }: ReachFlags): object {
  return {
    ...(header ? { headers: pairs('--header', header) } : {}),
    ...(secretHeader ? { secretHeaders: pairs('--secret-header', secretHeader) } : {}),
    ...(tokenSecret === undefined ? {} : { tokenSecret }),
    ...(user === undefined ? {} : { user }),
    ...(passwordSecret === undefined ? {} : { passwordSecret }),
  }
}

function pairs(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw fail('BAD_REQUEST', { message: `"${text}" says no name and value.`, fix: `Write it so: ${flag} Name=value` })
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
