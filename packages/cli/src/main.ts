/** The `pavior` command. */
import { Command, CommanderError } from 'commander'
import { errorCatalogue, fail, isPaviorError, type ErrorCode } from '@pavior/contract'
import { Context, type GlobalFlags } from './context.ts'
import { addAlerts } from './nouns/alerts.ts'
import { addApps } from './nouns/apps.ts'
import { addArtifact } from './nouns/artifact.ts'
import { addAudit } from './nouns/audit.ts'
import { addAuth } from './nouns/auth.ts'
import { addCatalog } from './nouns/catalog.ts'
import { addScorecard } from './nouns/scorecard.ts'
import { addCompletion } from './nouns/completion.ts'
import { addConfig } from './nouns/config.ts'
import { addDashboard } from './nouns/dashboard.ts'
import { addDeploy } from './nouns/deploy.ts'
import { addDrift } from './nouns/drift.ts'
import { addExport } from './nouns/export.ts'
import { addGitops } from './nouns/gitops.ts'
import { addIncident } from './nouns/incident.ts'
import { addInit } from './nouns/init.ts'
import { addLogs } from './nouns/logs.ts'
import { addMetrics } from './nouns/metrics.ts'
import { addNew } from './nouns/new.ts'
import { addException } from './nouns/exception.ts'
import { addOnCall } from './nouns/on-call.ts'
import { addPolicy } from './nouns/policy.ts'
import { addPostmortem } from './nouns/postmortem.ts'
import { addPreviews } from './nouns/previews.ts'
import { addPromotion } from './nouns/promotion.ts'
import { addQuota } from './nouns/quota.ts'
import { addReleases } from './nouns/releases.ts'
import { addResources } from './nouns/resources.ts'
import { addRun } from './nouns/run.ts'
import { addGameDay } from './nouns/gameday.ts'
import { addRunbook } from './nouns/runbook.ts'
import { addSecrets } from './nouns/secrets.ts'
import { addSession } from './nouns/session.ts'
import { addSilence } from './nouns/silence.ts'
import { addSlo } from './nouns/slo.ts'
import { addSource } from './nouns/source.ts'
import { addStatusPage } from './nouns/status-page.ts'
import { addSso } from './nouns/sso.ts'
import { addTelemetry } from './nouns/telemetry.ts'
import { addTraces } from './nouns/traces.ts'
import { addTemplates } from './nouns/templates.ts'
import { addUp } from './nouns/up.ts'

const program = new Command('pavior')
program
  .description('The paved road, run as a product.')
  .option('--json', 'one JSON document on stdout')
  .option('-q, --quiet', 'no progress')
  .option('-t, --team <name>', 'team (default: that of the login)')
  .option('--home <directory>', 'installation on this machine (default: PAVIOR_HOME)')
  .option('--because <reason>', 'why you do it, for the audit')
  .showHelpAfterError('Run with --help for the way to use it.')
  .enablePositionalOptions()
  .exitOverride()

let current: Context | undefined
const context = (): Context => (current ??= new Context(program.opts<GlobalFlags>()))

for (const add of [addUp, addNew, addDeploy, addInit, addApps, addLogs, addMetrics, addDashboard, addRun, addConfig, addSecrets, addReleases, addPromotion, addPreviews, addGitops, addDrift, addResources, addCatalog, addScorecard, addPolicy, addException, addQuota, addTelemetry, addExport, addSource, addTraces, addTemplates, addArtifact, addAudit, addSlo, addOnCall, addAlerts, addSilence, addIncident, addPostmortem, addRunbook, addGameDay, addStatusPage, addAuth, addSession, addSso, addCompletion]) add(program, context)
// Global flags may stand anywhere on the line.
const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)]
for (const command of program.commands.flatMap(everyCommand)) {
  command.option('--json', 'one JSON document on stdout').option('-q, --quiet', 'no progress').option('-t, --team <name>', 'team').option('--home <directory>', 'installation on this machine').option('--because <reason>', 'why, for the audit').exitOverride()
}
program.hook('preAction', (_program, action) => {
  const flags = action.opts<GlobalFlags>()
  current = new Context({ ...program.opts<GlobalFlags>(), ...Object.fromEntries(Object.entries(flags).filter(([name, value]) => ['json', 'quiet', 'team', 'home', 'because'].includes(name) && value !== undefined)) })
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** Exit codes: 1 the user's thing failed, 2 wrong use, 3 refused, 4 the platform failed, 130 interrupted. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if ((error as Error).name === 'AbortError') return 130
  const known = isPaviorError(error) ? error.toObject() : fail('INTERNAL', { message: `The command failed: ${(error as Error).message}`, fix: 'Run it again with PAVIOR_DEBUG=1 for the details, and report them.' }).toObject()
  context().out.error(known)
  if (process.env.PAVIOR_DEBUG) process.stderr.write(`${(error as Error).stack}\n`)
  return errorCatalogue[known.code as ErrorCode].exit
}
