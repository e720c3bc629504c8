/** `completion`: a script that lets the shell complete commands and flags. Made from the commands themselves. */
import type { Command } from 'commander'
import { fail } from '@pavior/contract'
import type { Context } from '../context.ts'

interface Word {
  /** Words before it: `` for a command, `config` for its subcommands. */
  path: string
  words: string[]
}

function wordsOf(command: Command, path: string[] = []): Word[] {
  const flags = command.options.flatMap(({ long }) => (long ? [long] : []))
  const visible = command.commands.filter((inner) => !(inner as unknown as { _hidden?: boolean })._hidden)
  return [{ path: path.join(' '), words: [...visible.map((inner) => inner.name()), ...flags] }, ...visible.flatMap((inner) => wordsOf(inner, [...path, inner.name()]))]
}

function bash(all: Word[]): string {
  const cases = all.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`).join('\n')
  return `_pavior() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac; done
  while :; do
    case "$path" in
${cases}
    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    case "$path" in *" "*) path="\${path% *}" ;; *) path="" ;; esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _pavior pavior`
}

function zsh(all: Word[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(all)}`
}

function fish(all: Word[]): string {
  return all
    .flatMap(({ path, words }) => {
      const condition = path === '' ? '__fish_use_subcommand' : path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
      return words.map((word) => (word.startsWith('--') ? `complete -c pavior -n '${condition}' -l ${word.slice(2)}` : `complete -c pavior -f -n '${condition}' -a ${word}`))
    })
    .join('\n')
}

export function addCompletion(program: Command, context: () => Context): void {
  program
    .command('completion <shell>')
    .description('Print the completion script for bash, zsh or fish.')
    .addHelpText('before', 'Example:\n  source <(pavior completion bash)\n')
    .action((shell: string) => {
      const make = { bash, zsh, fish }[shell]
      if (!make) throw fail('BAD_REQUEST', { message: `There is no completion for "${shell}".`, fix: 'Use bash, zsh or fish.' })
      const script = make(wordsOf(program))
      context().out.result({ shell, script }, script)
    })
}
