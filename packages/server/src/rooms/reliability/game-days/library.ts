/** Game days that Pavior brings, as YAML without app and environment: a team takes one over for an app of its own. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GameDaySpec } from '@pavior/contract'
import { parse } from 'yaml'

export interface LibraryGameDay {
  name: string
  spec: Omit<GameDaySpec, 'app' | 'environment'>
}

export async function readGameDays(directory: string): Promise<LibraryGameDay[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yaml')).toSorted()
  return Promise.all(
    files.map(async (file) => {
      const { spec } = parse(await readFile(join(directory, file), 'utf8')) as { spec: GameDaySpec }
      const { app: _app, environment: _environment, ...plan } = spec
      return { name: file.slice(0, -'.yaml'.length), spec: plan }
    }),
  )
}
