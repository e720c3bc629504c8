/** `scorecard`: how ready an app is, and what to do next. */
import { fail, type CardResult, type RuleFix } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

const signs = { kept: '✔', broken: '✖', unknown: '?', exempt: '~' } as const

export function addScorecard(program: Command, context: () => Context): void {
  const scorecard = program
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
  scorecard
    .command('fix <app> <rule>')
    .description('Have the platform fix what a rule misses: scale, or propose a change of the source as a branch.')
    .option('--scorecard <name>', 'scorecard of the rule, when several have one of that name')
    .option('--dry-run', 'only show what it would do')
    .addHelpText('before', 'Example:\n  pavior scorecard fix checkout-api readme --dry-run\n')
    .action(async (app: string, rule: string, flags: FixFlags) => fix(context(), app, rule, flags))
}

interface FixFlags {
  scorecard?: string
  dryRun?: boolean
}

async function fix({ api, out, team }: Context, app: string, rule: string, { scorecard, dryRun }: FixFlags): Promise<void> {
  const path = `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/scorecards`
  const { items } = await api.json<{ items: CardResult[] }>({ path })
  const having = items.filter((card) => (scorecard === undefined || card.scorecard === scorecard) && card.rules.some((one) => one.rule === rule))
  const [card] = having
  if (!card) throw fail('NOT_FOUND', { message: `No scorecard measures "${app}" by a rule "${rule}".`, fix: `Use one of: ${[...new Set(items.flatMap(({ rules }) => rules.map((one) => one.rule)))].join(', ') || 'none yet'}.` })
  if (having.length > 1) throw fail('BAD_REQUEST', { message: `Several scorecards have a rule "${rule}".`, fix: `Say which: --scorecard ${having.map((one) => one.scorecard).join(' or ')}` })
  const done = await api.json<RuleFix>({ method: 'POST', path: `${path}/${card.scorecard}/rules/${encodeURIComponent(rule)}/fix${dryRun ? '?dryRun=All' : ''}` })
  out.result(done, () => [done.summary, ...(done.diff === undefined ? [] : ['', done.diff.trimEnd()]), ...(done.branch === undefined || !done.done ? [] : ['', `git fetch pavior ${done.branch} && git merge pavior/${done.branch}`])].join('\n'))
}

function describe({ app, scorecard, level, next, score, rules }: CardResult): string {
  const head = `${scorecard}   ${level ?? 'no level yet'}   ${score} %${next === null ? '' : `   next: ${next}`}`
  const rows = rules.map(({ rule, outcome, level: of, title, reason, fix }) => [`${signs[outcome]} ${outcome}`, of, rule, title, outcome === 'kept' ? '' : [reason, outcome === 'exempt' ? undefined : fix].filter(Boolean).join(' ')])
  const fixable = rules.filter((one) => one.fixable)
  const hint = fixable.length === 0 ? '' : `\n\nThe platform can fix: ${fixable.map((one) => one.rule).join(', ')}. See what it would do: pavior scorecard fix ${app} ${fixable[0]!.rule} --dry-run`
  return `${head}\n${table(['OUTCOME', 'LEVEL', 'NAME', 'RULE', 'WHAT TO DO'], rows)}${hint}`
}
