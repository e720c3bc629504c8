/** An agent as a process of its own, ended in both ways. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { Client } from './harness.ts'

export interface RunningAgent {
  child: ChildProcess
  client: Client
}

/** From the bundle in `dist`, on `home` and `run` in this directory; there when it says that it is ready. */
export async function startAgent(dist: string, directory: string, flags: string[] = []): Promise<RunningAgent> {
  const socket = join(directory, 'run', 's.sock')
  const args = ['--home', join(directory, 'home'), '--socket', socket, '--router-port', '0', '--router-host', '127.0.0.1', ...flags]
  const child = spawn(process.execPath, [join(dist, 'agent.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', detached: true })
  await new Promise<void>((resolve, reject) => {
    let output = ''
    const take = (bytes: Buffer): void => {
      output += String(bytes)
      if (output.includes('agent ready')) resolve()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('exit', (code) => reject(new Error(`agent ended with ${code}: ${output}`)))
  })
  const client = new Client(socket)
  await client.follow()
  return { child, client }
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
