/** Processes that burn CPU or hold memory within the limits of an instance. Each ends by its own clock, whatever became of us. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { signalProcess } from '../run/proc.ts'

/** In the environment of burners, so that an agent that is started again knows those of the one before. */
const mark = 'PAVIOR_FAULT'

/** `$1`: uptime at which it ends. Then the files of the cgroup that it joins first; without one of them it does nothing. */
const cpuScript = `set -e
end=$1; shift
for file in "$@"; do echo 0 > "$file"; done
while read -r up rest < /proc/uptime && [ "\${up%%.*}" -lt "$end" ]; do
  i=0; while [ "$i" -lt 20000 ]; do i=$((i+1)); done
done`

/** `$1`: uptime at which it ends. `$2`: bytes to hold. It is to outlive what it puts under pressure, where we may say so. */
const memoryScript = `set -e
end=$1; bytes=$2; shift 2
for file in "$@"; do echo 0 > "$file"; done
{ echo -1000 > /proc/self/oom_score_adj; } 2>/dev/null || :
{ head -c "$bytes" /dev/zero; while read -r up rest < /proc/uptime && [ "\${up%%.*}" -lt "$end" ]; do sleep 1; done; } | tail -c "$bytes" > /dev/null`

export interface Burner {
  end(): void
}

export interface BurnerPlace {
  id: string
  joinFiles: readonly string[]
  /** How long, in milliseconds. */
  forMs: number
}

export function burnCpu({ id, joinFiles, forMs }: BurnerPlace, cores: number): Burner {
  return together(Array.from({ length: cores }, () => start(id, cpuScript, [endOf(forMs), ...joinFiles])))
}

export function holdMemory({ id, joinFiles, forMs }: BurnerPlace, bytes: number): Burner {
  return together([start(id, memoryScript, [endOf(forMs), String(bytes), ...joinFiles])])
}

function endOf(forMs: number): string {
  return String(Math.ceil(uptime() + forMs / 1000))
}

function start(id: string, script: string, words: string[]): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script, 'pavior-burner', ...words], { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', [mark]: id } })
  // Its instance may be gone by now, and with it the place to burn in.
  child.on('error', () => undefined)
  child.unref()
  return child
}

function together(children: readonly ChildProcess[]): Burner {
  return {
    end: () => {
      for (const { pid, exitCode, signalCode } of children) if (pid !== undefined && exitCode === null && signalCode === null) signalProcess(-pid, 'SIGKILL')
    },
  }
}

/** Ends burners among these processes: an agent begins without faults. */
export function endBurners(pids: readonly number[]): void {
  for (const pid of pids) if (isBurner(pid)) signalProcess(pid, 'SIGKILL')
}

function isBurner(pid: number): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${mark}=`)
  } catch {
    return false
  }
}
