/** Where the master key comes from: a key service, the environment, a file, or a file that Pavior makes itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '@pavior/contract'
import type { Config } from '../../kernel/config/config.ts'
import type { MasterKeys } from '../../rooms/secrets/ports.ts'
import { createFileKeys, createGivenKeys } from './local.ts'
import { createTransitKeys } from './transit.ts'

type KeyConfig = Pick<Config, 'home' | 'masterKey' | 'masterKeyFile' | 'masterKeyPrevious' | 'transitUrl' | 'transitKey' | 'transitMount' | 'transitTokenFile'>

export function createMasterKeys({ home, masterKey, masterKeyFile, masterKeyPrevious, transitUrl, transitKey, transitMount, transitTokenFile }: KeyConfig): MasterKeys {
  const previous = masterKeyPrevious.split(',').map((text) => text.trim()).filter(Boolean)
  if (transitUrl) return createTransitKeys({ url: transitUrl, key: transitKey, mount: transitMount, token: () => readGiven(transitTokenFile, 'PAVIOR_TRANSIT_TOKEN_FILE') })
  if (masterKey) return createGivenKeys(async () => [masterKey, ...previous], 'PAVIOR_MASTER_KEY')
  if (masterKeyFile) return createGivenKeys(async () => [await readGiven(masterKeyFile, 'PAVIOR_MASTER_KEY_FILE'), ...previous], masterKeyFile)
  return createFileKeys(join(home, 'keys', 'master'))
}

/** Read again each time, because tokens are renewed behind one path. */
async function readGiven(path: string, variable: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    throw fail('SECRETS_SEALED', { message: 'Secrets cannot be opened or stored now.', why: `The file ${path || '(none)'} of ${variable} cannot be read (${(error as NodeJS.ErrnoException).code}).`, fix: `Correct ${variable}.`, state: 'Apps that run go on with what they have.' })
  }
}
