import { spawnSync } from 'node:child_process'

/** What this process and those that it starts hold in memory must not end up in a file when one of them crashes. False where there is no prlimit of util-linux. */
export function forbidCoreDumps(): boolean {
  return spawnSync('prlimit', ['--pid', String(process.pid), '--core=0:0'], { stdio: 'ignore' }).status === 0
}
