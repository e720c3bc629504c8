/** `agent.pid`: who runs on this home, and that it is only one. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fail } from '@pavior/contract'
import { bootId, identify, isAlive } from './run/proc.ts'
import { writeAtomically } from './state/atomic.ts'

/** Content of `agent.pid`, for whoever starts or looks for the agent. */
export interface AgentPid {
  pid: number
  /** Start time in clock ticks since boot; with the boot id it tells this process from a later one with its pid. */
  startTicks: number
  bootId: string
  /** ISO 8601. */
  startedAt: string
  socket: string
  routerPort?: number
}

/** Takes the home for this process. Fails with ALREADY_RUNNING and the pid of the agent that has it. */
export function takeHome(file: string, socket: string): AgentPid {
  const own: AgentPid = {
    pid: process.pid,
    startTicks: identify(process.pid)?.startTicks ?? 0,
    bootId: bootId(),
    startedAt: new Date().toISOString(),
    socket,
  }
  const next = `${file}.${process.pid}`
  writeFileSync(next, JSON.stringify(own), { mode: 0o600 })
  try {
    // A link is made by one process only, however many try at once.
    for (;;) {
      try {
        linkSync(next, file)
        return own
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readHolder(file)
      if (holder) throw alreadyRunning(holder, file)
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(next, { force: true })
  }
}

/** Adds what is known only later, such as the port. */
export function updateHolder(file: string, own: AgentPid): void {
  writeAtomically(file, JSON.stringify(own), { durable: false })
}

export function leaveHome(file: string): void {
  if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true })
}

/** Who holds a home; undefined when nobody does, or when the holder has died. */
export function readHolder(file: string): AgentPid | undefined {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as AgentPid
    return holder.bootId === bootId() && isAlive(holder) ? holder : undefined
  } catch {
    return undefined
  }
}

function alreadyRunning(holder: AgentPid, file: string) {
  return fail('ALREADY_RUNNING', {
    message: `An agent with pid ${holder.pid} runs on this home already, since ${holder.startedAt}.`,
    fix: 'Use that one, or stop it with `pavior down`.',
    facts: { pid: holder.pid, socket: holder.socket, file },
  })
}
