/**
 * Bubblewrap: own mount, pid, ipc, uts and cgroup namespaces; the network is shared with the host.
 *
 * As root no user namespace is needed: bubblewrap builds the tree with real rights and setpriv gives them up inside.
 * As an ordinary user bubblewrap makes a user namespace. `--die-with-parent` is not used: instances outlive the agent.
 */
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import type { HostTools, SandboxDriver, SandboxView } from './driver.ts'
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
      ...systemArguments(host.system, view.passwdFile),
      ...openDirectories([homePath]),
      ...scratchArguments(view),
      ...openDirectories(view.mounts.map(({ target }) => target)),
      view.writable ? '--bind' : '--ro-bind', view.directory, appPath,
      ...view.mounts.flatMap((mount) => [mount.readOnly ? '--ro-bind' : '--bind', mount.source, mount.target]),
      '--chdir', appPath,
      '--',
      ...(host.root ? dropPrivileges(tools.setpriv, { root: true, uid: view.uid }) : []),
      ...view.command,
    ],
    paths: () => ({ app: appPath, home: homePath, temporary: temporaryPath }),
    hostPath: (pid, path) => `/proc/${pid}/root${path}`,
  }
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
    ...system.entries.flatMap((entry) => (entry.linkTo ? ['--symlink', entry.linkTo, entry.path] : ['--ro-bind', entry.path, entry.path])),
    ...system.hiddenFiles.flatMap((file) => ['--ro-bind', '/dev/null', file]),
    ...system.hiddenDirectories.flatMap((directory) => ['--tmpfs', directory]),
    ...(passwdFile ? ['--ro-bind', passwdFile, '/etc/passwd'] : []),
    '--proc', '/proc',
    '--dev', '/dev',
    '--perms', '1777', '--tmpfs', '/dev/shm',
  ]
}

function scratchArguments(view: SandboxView): string[] {
  if (view.scratch) return ['--bind', view.scratch.temporary, temporaryPath, '--bind', view.scratch.home, homePath]
  return ['--perms', '1777', '--tmpfs', temporaryPath, '--perms', '1777', '--tmpfs', homePath]
}
