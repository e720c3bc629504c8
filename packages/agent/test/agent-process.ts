/** An agent as a process of its own, ended in both ways. */
import type { ChildProcess } from 'node:child_process'
import type { Client } from './harness.ts'

export interface RunningAgent {
  child: ChildProcess
  client: Client
}

/** In the middle of whatever it does. */
export async function killAgent({ child, client }: RunningAgent): Promise<void> {
  client.close()
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** With everything that it runs. */
export async function stopAgent({ child, client }: RunningAgent): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  await client.call('POST', '/stop?instances=true')
  client.close()
  await gone
}
