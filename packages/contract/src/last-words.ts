/** Frames of the stacks of the JVM, Node.js and Ruby: they stand behind what was thrown, and there may be hundreds. */
const stackFrame = /^\s+(at \S|from \S+:\d+:in |\.\.\. \d+ (more|levels))/

/** Lines to read for `lastWords`: the stack of a JVM alone is longer than what people are shown. */
export const lastWordsReadLines = 200

/** The last `count` lines that say something to a person; frames of a stack are for the log. */
export function lastWords(lines: string[], count: number): string[] {
  return lines.filter((line) => !stackFrame.test(line)).slice(-count)
}
