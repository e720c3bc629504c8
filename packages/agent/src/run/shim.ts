/**
 * The two small shell scripts around every process, and the reading of what they record.
 *
 * The record must be right although the agent may be dead when the process ends, so it is written by the process's
 * parent, a POSIX shell, into a file that it got as descriptor 3. A shell's `$?` cannot tell `exit 137` from a SIGKILL,
 * but its `jobs` builtin can (`Done(137)` against `Killed`), so that is what is recorded.
 *
 * Descriptors: 0 input, 1 and 2 the log, 3 the record, 4 the sandbox's own status, 5 the environment.
 */
import { constants } from 'node:os'
import { join } from 'node:path'

/** Joins the cgroups (`$1` files follow) and becomes the rest of its arguments. Runs with the agent's rights. */
export const joinScript = `
count=$1; shift
while [ "$count" -gt 0 ]; do
  echo 0 >"$1" || { echo "refused" >&3; exit 125; }
  shift; count=$((count - 1))
done
ulimit -c 0
umask 022
exec "$@"
`

/**
 * Starts the command (`$3` …), passes SIGTERM on to it, and records how it ended. Runs with the app's rights.
 *
 * `$1` is `namespace` when this shell is process 1 of a pid namespace: then what outlives the command on SIGTERM gets
 * SIGTERM too, and the end of this shell ends everything. `$2` is a command that resets ignored signals, because a
 * shell without job control starts background commands with SIGINT ignored. `$3` stands before the names of programs that
 * this shell uses, and `$4` is the signal that the command gets for SIGTERM.
 */
export const parentScript = `
scope=$1 reset=$2 tools=$3 signal=$4; shift 4
stopping= app=
set -m 2>/dev/null
trap : CHLD
trap 'stopping=1; [ -n "$app" ] && kill -"$signal" "$app" 2>/dev/null' TERM
environment=$($tools"cat" <&5)
exec 6<&0
(
  unset LC_ALL
  eval "$environment"
  command -v -- "$1" >/dev/null 2>&1 || { echo "missing" >&3; exit 127; }
  exec 3>&- 4>&- 5<&- 0<&6 6<&-
  exec $reset "$@"
) &
app=$!
exec 0</dev/null 1>/dev/null 2>&1 5<&- 6<&-
echo "pid $app" >&3
[ -n "$stopping" ] && kill -"$signal" "$app" 2>/dev/null
while :; do
  wait
  kill -0 "$app" 2>/dev/null || break
done
jobs -l >&3
times >&3
if [ -n "$stopping" ] && [ "$scope" = namespace ]; then
  kill -TERM -1 2>/dev/null
  set -- /proc/[0-9]*
  while [ $# -gt 1 ]; do $tools"sleep" 0.05; set -- /proc/[0-9]*; done
fi
exit 0
`

/** What the shim wrote so far. */
export interface ShimRecord {
  /** Pid of the command as its own namespace numbers it. */
  pid?: number
  /** The command could not be found. */
  missing: boolean
  /** The cgroup could not be joined. */
  refused: boolean
  ended?: { code: number } | { signal: string }
  /** CPU time of the command and of all its descendants that were waited for. */
  cpuSeconds?: number
}

/** Reads the record file's text. Lines that it does not know are left alone: the app could write there too. */
export function parseRecord(text: string): ShimRecord {
  const record: ShimRecord = { missing: false, refused: false }
  let times = 0
  for (const line of text.split('\n')) {
    const time = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/.exec(line)?.slice(1).map(Number)
    // The builtin prints two lines: the shell's own time, then that of its children.
    if (time && ++times === 2) record.cpuSeconds = ((time[0] ?? 0) + (time[2] ?? 0)) * 60 + (time[1] ?? 0) + (time[3] ?? 0)
    if (line === 'missing') record.missing = true
    else if (line === 'refused') record.refused = true
    else if (line.startsWith('pid ')) record.pid = Number(line.slice(4))
    else if (line.startsWith('[')) record.ended = parseJob(line) ?? record.ended
  }
  return record
}

/** `[1] + 4711 Done(3)   (…)` or `[1]+  4711 Killed    (…)`, as dash, ash and bash print them in the C locale. */
function parseJob(line: string): ShimRecord['ended'] {
  const state = /^\[\d+\]\s*[+-]?\s*\d*\s*(.*)$/.exec(line)?.[1] ?? ''
  const done = /^(?:Done|Exit)(?:\s*\(?(\d+)\)?)?(?:\s|$)/.exec(state)
  if (done) return { code: Number(done[1] ?? 0) }
  const realTime = /^Real-time signal (\d+)/.exec(state)
  if (realTime) return { signal: `SIGRTMIN+${realTime[1]}` }
  const known = signalTexts.find(([text]) => state.startsWith(text))
  return known ? { signal: known[1] } : undefined
}

/** strsignal(3) of glibc, musl and the shells' own tables. Longer texts first where one begins another. */
const signalTexts: [string, NodeJS.Signals][] = [
  ['Hangup', 'SIGHUP'],
  ['Interrupt', 'SIGINT'],
  ['Quit', 'SIGQUIT'],
  ['Illegal instruction', 'SIGILL'],
  ['Trace', 'SIGTRAP'],
  ['Breakpoint trap', 'SIGTRAP'],
  ['Abort', 'SIGABRT'],
  ['Bus error', 'SIGBUS'],
  ['Floating point exception', 'SIGFPE'],
  ['Arithmetic exception', 'SIGFPE'],
  ['Killed', 'SIGKILL'],
  ['User defined signal 1', 'SIGUSR1'],
  ['User defined signal 2', 'SIGUSR2'],
  ['User signal 1', 'SIGUSR1'],
  ['User signal 2', 'SIGUSR2'],
  ['Segmentation fault', 'SIGSEGV'],
  ['Broken pipe', 'SIGPIPE'],
  ['Alarm clock', 'SIGALRM'],
  ['Terminated', 'SIGTERM'],
  ['Stack fault', 'SIGSTKFLT'],
  ['CPU time limit exceeded', 'SIGXCPU'],
  ['Cputime limit exceeded', 'SIGXCPU'],
  ['File size limit exceeded', 'SIGXFSZ'],
  ['Filesize limit exceeded', 'SIGXFSZ'],
  ['Virtual timer expired', 'SIGVTALRM'],
  ['Profiling timer expired', 'SIGPROF'],
  ['I/O possible', 'SIGIO'],
  ['Power failure', 'SIGPWR'],
  ['Bad system call', 'SIGSYS'],
]

/** Names a signal by its number, for runtimes that report numbers. */
export function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`
}

/** Names that a shell keeps for itself or that are no identifiers; these go to the command by `env`. */
const shellOwned = /^(UID|EUID|PPID|GROUPS|BASH.*|SHELLOPTS|DIRSTACK|FUNCNAME|IFS|OPTIND|OPTARG|_|PWD|OLDPWD|LINENO|RANDOM|SECONDS)$/

/**
 * The environment as a script of `export` lines for the shell that becomes the command. It travels in a file without a
 * name rather than in the arguments, where every user of the machine could read it, and is read only after rights were
 * dropped, because names such as LD_PRELOAD would otherwise work on processes that still have them.
 */
export function environmentScript(environment: Record<string, string>): { script: string; leftover: string[] } {
  const lines: string[] = []
  const leftover: string[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !shellOwned.test(name)) lines.push(`export ${name}=${quote(value)}\n`)
    else if (!name.includes('=') && name !== '') leftover.push(`${name}=${value}`)
  }
  return { script: lines.join(''), leftover }
}

/** One word for a POSIX shell, whatever is in it. */
export function quote(text: string): string {
  return `'${text.replaceAll('\0', '').replaceAll("'", "'\\''")}'`
}

/** Files below a run's directory: what the shim records, and what the sandbox says of itself. */
export function shimFiles(directory: string): { record: string; status: string } {
  return { record: join(directory, 'shim'), status: join(directory, 'sandbox') }
}
