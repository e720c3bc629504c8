import { fail, type ProcessSpec } from '@pavior/contract'

const line = /^([A-Za-z][A-Za-z0-9_-]{0,29})\s*:\s*(.+)$/
const mostProcesses = 20

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
