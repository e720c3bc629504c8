/** Where the agent keeps what it must not forget: everything below `<PAVIOR_HOME>/agent`. */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

export interface AgentHome {
  /** PAVIOR_HOME itself. */
  root: string
  directory: string
  keyFile: string
  pidFile: string
  desiredFile: string
  usersFile: string
  runs: string
  logs: string
  scratch: string
  spool: string
  spans: string
  passwd: string
  toolbox: string
}

/** Makes the directories, private to the agent's user; apps may only pass through to their own scratch directory. */
export function openHome(root: string): AgentHome {
  const directory = join(root, 'agent')
  const home: AgentHome = {
    root,
    directory,
    keyFile: join(root, 'keys', 'agent.key'),
    pidFile: join(directory, 'agent.pid'),
    desiredFile: join(directory, 'desired.sealed'),
    usersFile: join(directory, 'users.json'),
    runs: join(directory, 'runs'),
    logs: join(directory, 'logs'),
    scratch: join(directory, 'scratch'),
    spool: join(directory, 'spool'),
    spans: join(directory, 'spans'),
    passwd: join(directory, 'passwd'),
    toolbox: join(directory, 'toolbox'),
  }
  mkdirSync(root, { recursive: true })
  for (const path of [join(root, 'keys'), home.runs, home.logs, home.spool, home.spans, home.passwd]) mkdirSync(path, { recursive: true, mode: 0o700 })
  mkdirSync(home.scratch, { recursive: true, mode: 0o711 })
  mkdirSync(home.toolbox, { recursive: true, mode: 0o755 })
  for (const path of [home.directory, home.scratch]) chmodSync(path, 0o711)
  return home
}
