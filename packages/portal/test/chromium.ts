/** Where there is a Chromium to try the portal in. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface Chromium {
  path: string
  args: string[]
}

/** One that is on the machine, else the one inside the npm package (Linux x64 only). */
export async function findChromium(): Promise<Chromium | undefined> {
  const named = process.env.PAVIOR_CHROMIUM
  const onMachine = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) => (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, name)))
  const path = [named, ...onMachine].find((candidate) => candidate && existsSync(candidate))
  if (path) return { path, args: ['--no-sandbox'] }
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const { default: packaged } = await import('@sparticuz/chromium')
  // Made for one page in one process; we want profiles that know nothing of each other.
  return { path: await packaged.executablePath(), args: packaged.args.filter((argument) => argument !== '--single-process' && argument !== '--no-zygote') }
}
