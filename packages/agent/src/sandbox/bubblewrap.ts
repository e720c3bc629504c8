/**
 * Bubblewrap: own mount, pid, ipc, uts and cgroup namespaces; the network is shared with the host.
 *
 * As root no user namespace is needed: bubblewrap builds the tree with real rights and setpriv gives them up inside.
 * As an ordinary user bubblewrap makes a user namespace. `--die-with-parent` is not used: instances outlive the agent.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import type { HostTools, SandboxDriver, SandboxView } from './driver.ts'
import { toolboxPath } from '../image/toolbox.ts'
import { dropPrivileges } from './privileges.ts'

/** What of the host's root is shown, read-only: system files that are the same for everybody. */
export type SystemEntry = { path: string; linkTo?: string }

/** Files below /etc that are nobody's business; hidden although file modes should do so already. */
const secretFiles = ['shadow', 'shadow-', 'gshadow', 'gshadow-', 'sudoers', 'krb5.keytab', 'machine-id'].map((name) => `/etc/${name}`)
const secretDirectories = ['ssh', 'sudoers.d', 'ssl/private', 'pavior', 'kubernetes', 'docker', 'wireguard'].map((name) => `/etc/${name}`)
/** Where resolv.conf may point to. */
const resolverDirectories = ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager']

export interface SystemView {
  entries: SystemEntry[]
  hiddenFiles: string[]
  hiddenDirectories: string[]
}

/** Looks once at how this host's root is laid out (merged /usr or not). */
export function readSystemView(): SystemView {
  const entries: SystemEntry[] = [{ path: '/usr' }, { path: '/etc' }]
  for (const path of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store']) {
    if (!existsSync(path)) continue
    entries.push(lstatSync(path).isSymbolicLink() ? { path, linkTo: readlinkSync(path) } : { path })
  }
  for (const path of resolverDirectories) if (existsSync(path)) entries.push({ path })
  return { entries, hiddenFiles: secretFiles.filter(existsSync), hiddenDirectories: secretDirectories.filter(existsSync) }
}

const appPath = '/app'
const homePath = '/home/app'
const temporaryPath = '/tmp'
const secretsPath = '/run/secrets'
const deviceArguments = ['--dev', '/dev', '--perms', '1777', '--tmpfs', '/dev/shm']

export function bubblewrap(tools: HostTools & { bwrap: string }, host: { root: boolean; system: SystemView }): SandboxDriver {
  return {
    kind: 'bubblewrap',
    ownsPids: true,
    memoryScratch: true,
    command: (view) => [
      tools.bwrap,
      '--json-status-fd', '4',
      '--as-pid-1',
      '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try',
      ...(host.root ? [] : ['--unshare-user']),
      // With setpriv the rights are needed until it has changed the user id, and are gone afterwards.
      ...(host.root && tools.setpriv ? [] : ['--cap-drop', 'ALL']),
      ...(view.image ? imageArguments(view, view.image) : hostArguments(host.system, view)),
      '--',
      ...rights(tools, host, view),
      ...view.command,
    ],
    paths: ({ image }) => (image ? { app: image.directory, home: image.home, temporary: temporaryPath, secrets: secretsPath } : { app: appPath, home: homePath, temporary: temporaryPath, secrets: secretsPath }),
    builder: ({ mounts }, command) => [
      tools.bwrap,
      ...['/run', '/var'].flatMap((path) => ['--perms', '1777', '--tmpfs', path]),
      ...entryArguments(host.system),
      // A new /proc needs a pid namespace of its own; that of the sandbox shows nothing else.
      '--bind', '/proc', '/proc',
      ...deviceArguments,
      '--dir', '/sys/fs/cgroup',
      ...[temporaryPath, homePath, appPath].flatMap((path) => ['--bind', path, path]),
      '--bind', temporaryPath, '/var/tmp',
      ...mounts.flatMap(({ target, readOnly }) => [readOnly ? '--ro-bind' : '--bind', target, target]),
      '--chdir', appPath,
      '--',
      ...command,
    ],
    hostPath: (pid, path) => `/proc/${pid}/root${path}`,
  }
}

/** Words that take the rights that the sandbox was built with. */
function rights(tools: HostTools, host: { root: boolean }, view: SandboxView): string[] {
  if (!host.root) return []
  if (view.imageBuilder) return [tools.nsenter ?? 'nsenter', '--user=/proc/self/fd/6', '--setuid', '0', '--setgid', '0', '--']
  const words = dropPrivileges(tools.setpriv, { root: true, uid: view.uid })
  return view.image && words.length > 0 ? [...view.image.words('setpriv'), ...words.slice(1)] : words
}

/** The system of this machine, with the app in it. */
function hostArguments(system: SystemView, view: SandboxView): string[] {
  return [
    ...systemArguments(system, view.passwdFile),
    ...openDirectories([homePath]),
    ...scratchArguments(view),
    ...openDirectories(view.mounts.map(({ target }) => target)),
    view.writable ? '--bind' : '--ro-bind', view.directory, appPath,
    ...view.mounts.flatMap((mount) => [mount.readOnly ? '--ro-bind' : '--bind', mount.source, mount.target]),
    ...secretArguments(view),
    '--chdir', appPath,
  ]
}

function secretArguments({ secretFiles }: SandboxView): string[] {
  return secretFiles === undefined ? [] : [...openDirectories([secretsPath]), '--ro-bind', secretFiles, secretsPath]
}

/** Nothing of this machine but its network and the toolbox. */
function imageArguments(view: SandboxView, image: NonNullable<SandboxView['image']>): string[] {
  return ['--bind', view.directory, '/', '--proc', '/proc', ...deviceArguments, '--ro-bind', image.toolbox, toolboxPath, ...secretArguments(view), '--chdir', image.directory]
}

/**
 * Makes what lies above mount points passable. Bubblewrap by itself gives those directories the modes of the host's, which
 * may be closed to the process: a tool in somebody's home.
 */
function openDirectories(targets: string[]): string[] {
  const parents = targets.flatMap((target) => {
    const names = target.split('/').slice(1, -1)
    return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
  })
  return [...new Set(parents)].flatMap((path) => ['--perms', '0755', '--dir', path])
}

function systemArguments(system: SystemView, passwdFile: string | undefined): string[] {
  return [
    ...entryArguments(system),
    ...system.hiddenFiles.flatMap((file) => ['--ro-bind', '/dev/null', file]),
    ...system.hiddenDirectories.flatMap((directory) => ['--tmpfs', directory]),
    ...(passwdFile ? ['--ro-bind', passwdFile, '/etc/passwd'] : []),
    '--proc', '/proc',
    ...deviceArguments,
  ]
}

function entryArguments(system: SystemView): string[] {
  return system.entries.flatMap((entry) => (entry.linkTo ? ['--symlink', entry.linkTo, entry.path] : ['--ro-bind', entry.path, entry.path]))
}

function scratchArguments(view: SandboxView): string[] {
  if (view.scratch) return ['--bind', view.scratch.temporary, temporaryPath, '--bind', view.scratch.home, homePath]
  return ['--perms', '1777', '--tmpfs', temporaryPath, '--perms', '1777', '--tmpfs', homePath]
}
