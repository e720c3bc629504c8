/** A unified diff taken apart for display. Pure. */

export interface PatchLine {
  type: 'added' | 'removed' | 'same' | 'hunk'
  text: string
  /** Line numbers, from 1. */
  before?: number
  after?: number
}

export interface PatchFile {
  path: string
  state: 'added' | 'removed' | 'changed'
  binary: boolean
  lines: PatchLine[]
}

export function parsePatch(patch: string): PatchFile[] {
  const files: PatchFile[] = []
  let [before, after] = [0, 0]
  let inHunk = false
  for (const line of patch.split('\n')) {
    const head = /^diff --git (.+)$/.exec(line)
    if (head) {
      files.push({ path: secondHalf(head[1]!), state: 'changed', binary: false, lines: [] })
      inHunk = false
      continue
    }
    const file = files.at(-1)
    if (!file) continue
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/.exec(line)
    if (hunk) {
      ;[before, after] = [Number(hunk[1]), Number(hunk[2])]
      inHunk = true
      file.lines.push({ type: 'hunk', text: line })
    } else if (!inHunk) readHeader(file, line)
    else if (line.startsWith('+')) file.lines.push({ type: 'added', text: line.slice(1), after: after++ })
    else if (line.startsWith('-')) file.lines.push({ type: 'removed', text: line.slice(1), before: before++ })
    else if (line.startsWith(' ')) file.lines.push({ type: 'same', text: line.slice(1), before: before++, after: after++ })
  }
  return files
}

/** `a.txt a.txt` → `a.txt`: both names are the same, as nothing is renamed. */
function secondHalf(paths: string): string {
  return paths.slice(Math.ceil(paths.length / 2))
}

function readHeader(file: PatchFile, line: string): void {
  if (line.startsWith('new file mode')) file.state = 'added'
  else if (line.startsWith('deleted file mode')) file.state = 'removed'
  else if (line.startsWith('Binary files')) file.binary = true
}
