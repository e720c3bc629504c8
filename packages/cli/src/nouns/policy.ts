/** `policy`: rules as code: what they are, what they find, what a new one would find. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fail, type PolicyFinding, type PolicySpec, type PolicyStatus, type Resource } from '@pavior/contract'
import type { Command } from 'commander'
import { parse } from 'yaml'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'

type Policy = Resource<PolicySpec, PolicyStatus>
const fixturesEnd = '.fixtures.yaml'

export function addPolicy(program: Command, context: () => Context): void {
  const policy = program.command('policy').description('Rules as code: what is asked for, what is found, and what a new rule would find.').addHelpText('before', 'Example:\n  pavior policy list\n')
  policy.command('list').description('List the policies, with what they find.').action(async () => list(context()))
  policy
    .command('show <name>')
    .description('Show a policy: what it asks for, and what it could not judge.')
    .addHelpText('before', 'Example:\n  pavior policy show no-plain-secrets\n')
    .action(async (name: string) => show(context(), name))
  policy
    .command('findings [app]')
    .description('Show which rules an app, or everything of the team, does not keep.')
    .option('-A, --all-teams', 'of every team that you may read')
    .addHelpText('before', 'Example:\n  pavior policy findings checkout-api\n')
    .action(async (app: string | undefined, flags: { allTeams?: boolean }) => findings(context(), app, flags))
  policy
    .command('test <path>')
    .description('Try a policy, or every policy of a directory, on the fixtures beside it.')
    .addHelpText('before', 'Example:\n  pavior policy test policies/\n')
    .action(async (path: string) => test(context(), path))
  policy
    .command('impact <file>')
    .description('Show which live things a policy would refuse, by team, before it is applied.')
    .addHelpText('before', 'Example:\n  pavior policy impact policies/owner-set.yaml\n')
    .action(async (file: string) => impact(context(), file))
}

interface Findings {
  items: PolicyFinding[]
  counts: { policy: string; outcome: string; count: number }[]
}

async function list({ api, out }: Context): Promise<void> {
  const policies = await api.list<Policy>('policies', undefined)
  const { counts } = await api.json<Findings>({ path: '/v1/policy/findings' })
  const count = (policy: string, outcome: string): string => String(counts.find((one) => one.policy === policy && one.outcome === outcome)?.count ?? 0)
  const rows = policies.map(({ metadata: { name }, spec, status }) => [name, spec.mode, spec.severity, count(name, 'broken'), count(name, 'exempt'), count(name, 'unknown'), String(status?.denied ?? 0), spec.title])
  out.result({ items: policies, counts }, () => (rows.length === 0 ? 'There is no policy.' : table(['POLICY', 'MODE', 'SEVERITY', 'BROKEN', 'EXEMPT', 'UNKNOWN', 'DENIED', 'WHAT IT ASKS FOR'], rows)))
}

async function show({ api, out }: Context, name: string): Promise<void> {
  const policy = await api.get<Policy>('policies', undefined, name)
  const { spec, status = {}, metadata } = policy
  out.result(policy, () =>
    [
      `${name}   ${spec.mode}   ${spec.severity}   version ${metadata.generation}`,
      spec.title,
      ...(spec.description ? [spec.description] : []),
      `judges ${spec.match.kinds.join(', ')} at ${spec.points.join(', ')}${spec.match.tiers ? ` in ${spec.match.tiers.join(', ')}` : ''}; a rule that fails counts as ${spec.failure === 'closed' ? 'broken' : 'kept'}`,
      `denied ${status.denied ?? 0} changes${status.lastEvaluated ? `, asked last at ${shownTime(status.lastEvaluated)}` : ''}`,
      ...spec.rules.flatMap(({ name: rule, expression, needs, fix }) => ['', rule, `  ${expression}`, ...(needs ? [`  needs ${needs.join(', ')}`] : []), ...(fix ? [`  fix   ${fix}`] : [])]),
      ...(status.errors?.length ? ['', 'could not be judged', ...status.errors.map(({ rule, message, at }) => `  ${rule}  ${message} (${shownTime(at)})`)] : []),
    ].join('\n'),
  )
}

async function findings({ api, out, team }: Context, app: string | undefined, { allTeams }: { allTeams?: boolean }): Promise<void> {
  const search = new URLSearchParams({ ...(allTeams ? {} : { team }), ...(app === undefined ? {} : { app }) })
  const { items } = await api.json<Findings>({ path: `/v1/policy/findings?${search}` })
  const rows = items.map((one) => [one.outcome, one.severity, `${one.policy}/${one.rule}`, ...(allTeams ? [one.team] : []), one.app || one.name, one.environment, [one.message, one.outcome === 'broken' ? one.fix : one.exception].filter(Boolean).join(' ')])
  out.result({ items }, () => (rows.length === 0 ? 'Nothing is found.' : table(['OUTCOME', 'SEVERITY', 'RULE', ...(allTeams ? ['TEAM'] : []), 'APP', 'ENVIRONMENT', 'WHAT AND HOW TO FIX'], rows)))
}

interface FixtureResult {
  fixture: string
  expect: string
  got: string
  passed: boolean
  message: string
}

async function test({ api, out }: Context, path: string): Promise<void> {
  const files = policyFiles(path)
  if (files.length === 0) throw fail('NOT_FOUND', { message: `${path} holds no policy with fixtures.`, fix: `Write <policy>.yaml and <policy>${fixturesEnd} beside it.` })
  const results: (FixtureResult & { policy: string })[] = []
  for (const file of files) {
    const { metadata, spec } = readPolicy(file)
    const { items } = await api.json<{ items: FixtureResult[] }>({ method: 'POST', path: '/v1/policy/test', body: { name: metadata.name, spec, fixtures: readYaml(fixturesOf(file)) } })
    results.push(...items.map((item) => ({ policy: metadata.name, ...item })))
  }
  const failures = results.filter(({ passed }) => !passed)
  out.result({ items: results, failed: failures.length }, () =>
    [
      table(['', 'POLICY', 'FIXTURE', 'EXPECTED', 'GOT', 'MESSAGE'], results.map(({ passed, policy, fixture, expect, got, message }) => [passed ? '✔' : '✖', policy, fixture, expect, got, passed ? '' : message])),
      '',
      `${results.length - failures.length} of ${results.length} fixtures pass, of ${files.length} ${files.length === 1 ? 'policy' : 'policies'}.`,
    ].join('\n'),
  )
  if (failures.length > 0) process.exitCode = 1
}

interface Impact {
  judged: number
  teams: { team: string; broken: number; unknown: number; errors: number; items: PolicyFinding[] }[]
}

async function impact({ api, out }: Context, file: string): Promise<void> {
  const { metadata, spec } = readPolicy(file)
  const found = await api.json<Impact>({ method: 'POST', path: '/v1/policy/impact', body: { name: metadata.name, spec } })
  const broken = found.teams.flatMap(({ items }) => items.filter(({ outcome }) => outcome !== 'unknown'))
  out.result(found, () =>
    [
      table(['TEAM', 'BROKEN', 'UNKNOWN', 'ERRORS'], found.teams.map((row) => [row.team, String(row.broken), String(row.unknown), String(row.errors)])),
      '',
      ...(broken.length === 0 ? [] : [table(['TEAM', 'KIND', 'NAME', 'ENVIRONMENT', 'RULE', 'WHAT'], broken.map((one) => [one.team, one.kind, one.name, one.environment, one.rule, one.message])), '']),
      `${metadata.name} judges ${found.judged} live things; it would find ${broken.length} broken.`,
    ].join('\n'),
  )
}

/** The policy itself, or those of a directory that have fixtures. */
function policyFiles(path: string): string[] {
  if (!existsSync(path)) throw fail('NOT_FOUND', { message: `There is no ${path}.` })
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => name.endsWith('.yaml') && !name.endsWith(fixturesEnd))
    .toSorted()
    .map((name) => join(path, name))
    .filter((file) => existsSync(fixturesOf(file)))
}

function fixturesOf(file: string): string {
  return file.replace(/\.ya?ml$/, fixturesEnd)
}

function readPolicy(file: string): Policy {
  const policy = readYaml(file) as Policy | undefined
  if (policy?.kind !== 'Policy' || !policy.metadata?.name || !policy.spec) throw fail('BAD_REQUEST', { message: `${file} holds no Policy with a name and a spec.` })
  return policy
}

function readYaml(file: string): unknown {
  if (!existsSync(file)) throw fail('NOT_FOUND', { message: `There is no ${file}.` })
  try {
    return parse(readFileSync(file, 'utf8'), { maxAliasCount: 10 })
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `${file} is not valid YAML: ${(error as Error).message}` })
  }
}
