import { fail, type ProcessSpec } from '@pavior/contract'

const line = /^([A-Za-z][A-Za-z0-9_-]{0,29})\s*:\s*(.+)$/
const mostProcesses = 20

/** Processes that a Procfile alone starts. Others wait for a formation in app.json or for `pavior scale`, as with Heroku. */
const startedByThemselves = /^(web|release)$|(^|-)workers?$/

/** Without a manifest nobody has said how many: one-off and scheduled commands are in Procfiles too, and would only exit. */
export function withDefaultFormation(processes: Record<string, ProcessSpec>): Record<string, ProcessSpec> {
  return Object.fromEntries(Object.entries(processes).map(([name, process]) => [name, startedByThemselves.test(name) ? process : { replicas: 0, ...process }]))
}

/** `name: command` lines, as Heroku has them. */
export function readProcfile(text: string): Record<string, ProcessSpec> {
  const processes: Record<string, ProcessSpec> = {}
  text.split(/\r?\n/).forEach((raw, index) => {
    const content = raw.trim()
    if (content === '' || content.startsWith('#')) return
    const match = line.exec(content)
    if (!match) {
      throw fail('MANIFEST_INVALID', { message: `Procfile line ${index + 1} is not of the form "name: command".`, causes: [{ field: `Procfile:${index + 1}`, message: content.slice(0, 100) }] })
    }
    processes[match[1]!.toLowerCase().replaceAll('_', '-')] = { command: match[2]! }
  })
  if (Object.keys(processes).length > mostProcesses) throw fail('MANIFEST_INVALID', { message: `The Procfile names more than ${mostProcesses} processes.` })
  return processes
}
