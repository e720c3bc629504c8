/** The files that every run of an image gets over those of the image: its user, the names of the network, places to mount on. */
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkloadImage } from '@pavior/contract'
import { toolboxPath } from './toolbox.ts'

const largestFileBytes = 1024 * 1024
const mountPoints = ['proc', 'dev', 'sys', 'tmp', 'etc', toolboxPath.slice(1)]
/** What an image's user is called when it asks for root: it is not. */
const unprivilegedName = 'app'

/** Writes the layer. It lies over the image, so that links in the image cannot lead a mount or a file elsewhere. */
export function writeLayer(directory: string, rootfs: string, image: WorkloadImage, uid: number | undefined): void {
  for (const name of mountPoints) mkdirSync(join(directory, name), { recursive: true, mode: 0o755 })
  for (const name of ['hosts', 'resolv.conf']) writeFileSync(join(directory, 'etc', name), hostFile(name))
  if (uid === undefined) return
  writeFileSync(join(directory, 'etc/passwd'), patchedPasswd(imageFile(rootfs, 'passwd'), image, uid))
  writeFileSync(join(directory, 'etc/group'), patchedGroup(imageFile(rootfs, 'group'), image, uid))
}

/** The image's passwd file, in which the user id that it really runs as has the name that the image knows. See passwd(5). */
export function patchedPasswd(text: string, image: Pick<WorkloadImage, 'user' | 'home'>, uid: number): string {
  const name = nameFor(image.user)
  return [`${name}:x:${uid}:${uid}:${name}:${image.home}:/bin/sh`, ...otherLines(text, name)].join('\n') + '\n'
}

/** The same for the group of the user's name. See group(5). */
export function patchedGroup(text: string, image: Pick<WorkloadImage, 'user'>, gid: number): string {
  const name = nameFor(image.user)
  return [`${name}:x:${gid}:`, ...otherLines(text, name)].join('\n') + '\n'
}

function nameFor(user: string): string {
  return user === 'root' || !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(user) ? unprivilegedName : user
}

function otherLines(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith(`${name}:`))
}

/** Empty when it is not there. */
function hostFile(name: string): string {
  try {
    return readFileSync(join('/etc', name), 'utf8')
  } catch {
    return ''
  }
}

/** Empty unless it is a plain file at its place: a link would lead out of the image. */
function imageFile(rootfs: string, name: string): string {
  const at = (path: string) => lstatSync(join(rootfs, path), { throwIfNoEntry: false })
  const file = at('etc')?.isDirectory() ? at(`etc/${name}`) : undefined
  return file?.isFile() && file.size <= largestFileBytes ? readFileSync(join(rootfs, 'etc', name), 'utf8') : ''
}
