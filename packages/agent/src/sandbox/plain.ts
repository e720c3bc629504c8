/** No sandbox: the process runs in the directory itself and sees the host; rights are dropped where possible. */
import type { HostTools, SandboxDriver } from './driver.ts'
import { dropPrivileges } from './privileges.ts'

export function plainSandbox(tools: HostTools, host: { root: boolean }): SandboxDriver {
  return {
    kind: 'none',
    ownsPids: false,
    memoryScratch: false,
    command: (view) => [...dropPrivileges(tools.setpriv, { root: host.root, uid: view.uid }), ...view.command],
    paths: (view) => ({
      app: view.directory,
      home: view.scratch?.home ?? view.directory,
      temporary: view.scratch?.temporary ?? '/tmp',
      secrets: view.secretFiles ?? '',
    }),
    hostPath: (_pid, path) => path,
  }
}
