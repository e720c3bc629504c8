/**
 * The root of a running image: its files, a layer of ours over them, and on top a layer in memory that takes what is written.
 * All of it is mounted in a mount namespace that only this run has, so nothing is left to be unmounted after a crash.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fail, type Workload, type WorkloadImage } from '@pavior/contract'
import type { ImageSupport, RunHost } from '../run/host.ts'
import { scratchDirectory } from '../run/prepare.ts'
import { writeLayer } from './layer.ts'

/**
 * `$1` layer of ours, `$2` files of the image, `$3` where to mount, `$4` owner or nothing; then the command. Bind mounts
 * first, because overlay options cannot hold every path. Changing the owner copies no contents, that is what metacopy is for.
 */
const mountScript = `
set -e
over=$1 image=$2 place=$3 owner=$4; shift 4
mount -t tmpfs -o mode=0755 pavior "$place"
cd "$place"
mkdir over image upper work root
mount --bind "$over" over
mount --bind "$image" image
mount -t overlay -o lowerdir=over:image,upperdir=upper,workdir=work,metacopy=on pavior root
[ -z "$owner" ] || chown -R --no-dereference "$owner" root
cd /
exec "$@"
`

export interface ImageRoot {
  /** Words in front of the sandbox. */
  mount: string[]
  /** Where the root is, for what comes after these words. */
  directory: string
}

/** Fails with START_FAILED where images cannot be run. */
export function imageSupport(host: RunHost, { app }: Pick<Workload, 'app'>): ImageSupport {
  if (host.images) return host.images
  throw fail('START_FAILED', {
    message: `${app} is a container image or builds one, and this machine cannot do that.`,
    fix: 'Look at the log of the agent for what is missing here.',
  })
}

/** Prepares the directories of a run below its scratch directory, which is removed when it ends. */
export function prepareRoot(host: RunHost, id: string, { rootfs, image, uid }: { rootfs: string; image: WorkloadImage; uid?: number }): ImageRoot {
  const scratch = scratchDirectory(host, id)
  const over = join(scratch, 'over')
  const place = join(scratch, 'root')
  for (const directory of [over, place]) {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true, mode: 0o755 })
  }
  writeLayer(over, rootfs, image, uid)
  const { unshare = 'unshare', sh } = host.tools
  const owner = uid === undefined ? '' : `${uid}:${uid}`
  return { mount: [unshare, '--mount', '--propagation', 'slave', '--', sh, '-c', mountScript, 'pavior-mount', over, rootfs, place, owner], directory: join(place, 'root') }
}
