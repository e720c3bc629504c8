/** Frames of the stacks of the JVM, Node.js and Ruby: they stand behind what was thrown, and there may be hundreds. */
const stackFrame = /^\s+(at \S|from \S+:\d+:in |\.\.\. \d+ (more|levels))/

/** Lines to read for `lastWords`: the stack of a JVM alone is longer than what people are shown. */
export const lastWordsReadLines = 200

/** The last `count` lines that say something to a person; frames of a stack are for the log. */
export function lastWords(lines: string[], count: number): string[] {
  return lines.filter((line) => !stackFrame.test(line)).slice(-count)
}

/** What runtimes print around an error: their version, braces of its properties, where to read more, that a script failed. */
const surroundings = /^(Node\.js v\d|[{}\])]+,?$|npm (error|ERR!)|yarn run|error Command failed|exit status \d|goroutine \d|Traceback \(|\s*\^+\s*$|Require stack:|- \/|Bun v\d)/
/** `TypeError: …`, `java.io.IOException: …`, `panic: …`, `PHP Fatal error: …`, `[error] …`, `(NoMethodError)`; of Node.js, not its properties. */
const errorForm = /^\S*(Error|Exception|Exit)\b(\s\[\w+\])?(:|$)|^(Uncaught|Exception in thread|Caused by:|panic:|fatal|PHP )|\b(fatal|error)\b:|\[(error|fatal)\]|\(\w+(::\w+)*(Error|Exception)\)$|"level":\s*("(error|fatal)"|[56]0\b)/i

/** The line that says why: the last one that has the form of an error, else the last that is not mere surroundings; undefined when nothing was said. */
export function errorLine(lines: string[]): string | undefined {
  const said = lines.filter((line) => line.trim() !== '' && !stackFrame.test(line) && !surroundings.test(line))
  const named = said.findLast((line) => errorForm.test(line))
  return (named ?? said.at(-1) ?? lines.findLast((line) => line.trim() !== ''))?.trim()
}
