import { setTimeout as delay } from 'node:timers/promises'
import { fail } from '@pavior/contract'

const intervalMs = 150
const timeoutMs = 120_000

/** Asks again and again until it holds; TIMEOUT after two minutes. */
export async function waitFor(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw fail('TIMEOUT', { message: `Waited ${timeoutMs / 1000} s for ${what}.`, state: 'It goes on without this command.' })
    await delay(intervalMs)
  }
}
