/** `scorecard`: how ready an app is, and what to do next. */
import type { CardResult } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

const signs = { kept: '✔', broken: '✖', unknown: '?', exempt: '~' } as const

export function addScorecard(program: Command, context: () => Context): void {
  program
    .command('scorecard [app]')
    .description('Show how ready an app is, by every scorecard that measures it, and what to do next.')
    .option('--facts', 'print what is known of the app instead: what rules may speak of')
    .addHelpText('before', 'Example:\n  pavior scorecard checkout-api\n')
    .action(async (given: string | undefined, { facts }: { facts?: boolean }) => {
      const here = context()
      const { api, out, team } = here
      const path = `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(here.app(given))}`
      if (facts) {
        const known = await api.json<object>({ path: `${path}/facts` })
        return out.result(known, JSON.stringify(known, null, 2))
      }
      const { items } = await api.json<{ items: CardResult[] }>({ path: `${path}/scorecards` })
      out.result({ items }, () => (items.length === 0 ? 'No scorecard measures this app yet.' : items.map(describe).join('\n\n')))
    })
}

function describe({ scorecard, level, next, score, rules }: CardResult): string {
  const head = `${scorecard}   ${level ?? 'no level yet'}   ${score} %${next === null ? '' : `   next: ${next}`}`
  const rows = rules.map(({ outcome, level: of, title, reason, fix }) => [`${signs[outcome]} ${outcome}`, of, title, outcome === 'kept' ? '' : [reason, outcome === 'exempt' ? undefined : fix].filter(Boolean).join(' ')])
  return `${head}\n${table(['OUTCOME', 'LEVEL', 'RULE', 'WHAT TO DO'], rows)}`
}
