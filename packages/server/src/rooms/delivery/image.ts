/** What the configuration of a container image means for a release, and its files as an artifact. */
import { lstat, mkdir, chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { BuildStatus, Image } from '@pavior/contract'
import { fail } from '@pavior/contract'

/** The part of an image's configuration that we keep, see the OCI image specification. */
export interface ImageConfig {
  Entrypoint?: string[] | null
  Cmd?: string[] | null
  Env?: string[] | null
  WorkingDir?: string
  User?: string
  ExposedPorts?: Record<string, object> | null
  StopSignal?: string
}

const longestCommand = 4096
const longestPasswdBytes = 1024 * 1024
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Made anew for every run. */
const madeAtStart = ['proc', 'dev', 'sys', '.pavior']

/** Processes, environment and manner of running of an image. Pure. */
export function imageResults(config: ImageConfig, passwd: string): Required<Pick<BuildStatus, 'processes' | 'env' | 'image'>> {
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].map(quoted).join(' ')
  if (command.length > longestCommand) throw fail('BUILD_FAILED', { message: `ENTRYPOINT and CMD together have more than ${longestCommand} characters.`, fix: 'Put the command into a file of the image.' })
  return { processes: command === '' ? {} : { web: { command } }, env: variables(config.Env ?? []), image: manner(config, passwd) }
}

function manner({ WorkingDir, User, ExposedPorts, StopSignal }: ImageConfig, passwd: string): Image {
  const { user, home } = findUser((User ?? '').split(':')[0]!, passwd)
  const ports = Object.keys(ExposedPorts ?? {}).filter((port) => !port.endsWith('/udp')).map((port) => Number.parseInt(port, 10)).filter(Number.isInteger)
  const stopSignal = signalOf(StopSignal ?? '')
  return {
    directory: WorkingDir?.startsWith('/') ? WorkingDir : '/',
    user,
    home,
    ...(ports.length > 0 ? { ports: ports.toSorted((one, other) => one - other) } : {}),
    ...(stopSignal === undefined ? {} : { stopSignal }),
  }
}

/** USER is a name or a number; nothing means root. See passwd(5). */
function findUser(wanted: string, passwd: string): { user: string; home: string } {
  const rows = passwd.split('\n').map((line) => line.split(':'))
  const row = rows.find(([name, , uid]) => (wanted === '' ? uid === '0' : name === wanted || uid === wanted))
  return { user: row?.[0] || (wanted === '' ? 'root' : wanted), home: row?.[5]?.startsWith('/') ? row[5] : '/' }
}

function variables(entries: string[]): Record<string, string> {
  const pairs = entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const)
  return { PATH: defaultPath, ...Object.fromEntries(pairs.filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))) }
}

/** `SIGQUIT`, `QUIT` or `3`. */
function signalOf(text: string): string | undefined {
  const known = Object.entries(constants.signals)
  const number = known.find(([, value]) => String(value) === text)?.[0]
  const name = number ?? (text.startsWith('SIG') ? text : `SIG${text}`)
  return known.some(([each]) => each === name) ? name : undefined
}

/** A word as sh reads it. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) && !/^[A-Za-z_][A-Za-z0-9_]*=/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`
}

/** Reads what the steps left, and makes the files ready to be stored. */
export async function finishImage(output: string): Promise<{ root: string; results: ReturnType<typeof imageResults> }> {
  const root = join(output, 'rootfs')
  const config = JSON.parse(await readFile(join(output, 'config.json'), 'utf8')) as ImageConfig
  const results = imageResults(config, await readPasswd(root))
  for (const name of madeAtStart) await rm(join(root, name), { recursive: true, force: true })
  await chmod(root, 0o755)
  // The digest is over files; directories that are empty and the configuration belong to the image all the same.
  const emptyDirectories = await listEmpty(root)
  await mkdir(join(root, '.pavior'))
  await writeFile(join(root, '.pavior/image.json'), JSON.stringify({ ...results, emptyDirectories }))
  return { root, results }
}

/** Never through a link: it would lead to the files of the machine. */
async function readPasswd(root: string): Promise<string> {
  for (const path of ['etc', 'etc/passwd']) {
    const found = await lstat(join(root, path)).catch(() => undefined)
    if (path === 'etc' ? !found?.isDirectory() : !found?.isFile() || found.size > longestPasswdBytes) return ''
  }
  return readFile(join(root, 'etc/passwd'), 'utf8')
}

async function listEmpty(root: string): Promise<string[]> {
  const empty: string[] = []
  const visit = async (path: string): Promise<void> => {
    const children = await readdir(join(root, path), { withFileTypes: true })
    if (children.length === 0) empty.push(path)
    for (const child of children) if (child.isDirectory()) await visit(path === '' ? child.name : `${path}/${child.name}`)
  }
  await visit('')
  return empty.toSorted()
}
