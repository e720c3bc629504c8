/**
 * The pre-receive hook: deploys what was pushed to the main branch and relays the progress; other branches get previews where
 * the app asks for them. Run by git, so what it prints
 * reaches the pusher as `remote:` lines, and its exit code decides whether the push is accepted.
 */
import { execFileSync, spawn } from 'node:child_process'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { ErrorObject } from '@pavior/contract'

const { PAVIOR_HOOK_URL: url = '', PAVIOR_HOOK_TEAM: team = '', PAVIOR_HOOK_APP: app = '', PAVIOR_HOOK_AUTHORIZATION: authorization = '', PAVIOR_HOOK_REQUEST: requestId = '', PAVIOR_HOOK_DECLARES: declares = '' } = process.env
const when = process.argv[2] ?? 'pre-receive'
const deployedBranch = 'refs/heads/main'
const otherName = 'refs/heads/master'
const branches = 'refs/heads/'
const noCommit = /^0+$/

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function readPushed(): Promise<{ commit: string; ref: string }[]> {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
    .map(([, commit, ref]) => ({ commit: commit!, ref: ref! }))
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim()
}

function send(method: string, path: string, body?: NodeJS.ReadableStream | object): Promise<IncomingMessage> {
  const stream = body && 'pipe' in body ? body : undefined
  const type = body && { 'content-type': stream ? 'application/x-tar' : 'application/json' }
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, url), { method, headers: { authorization, 'x-request-id': requestId, ...type } }, resolve)
    outgoing.on('error', reject)
    if (stream) stream.pipe(outgoing)
    else outgoing.end(body && JSON.stringify(body))
  })
}

async function* lines(response: IncomingMessage): AsyncGenerator<any> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    for (const part of parts) if (part) yield JSON.parse(part)
  }
}

async function readJson(response: IncomingMessage): Promise<any> {
  let text = ''
  for await (const chunk of response) text += chunk
  return text ? JSON.parse(text) : {}
}

const shownLines = 8

function showError({ code, message, why, fix, state, more, causes = [], facts }: ErrorObject): void {
  say(`✖ ${code}   ${message}`)
  if (code === 'CONFIG_REPO_INVALID') for (const { field, message: cause } of causes.slice(0, 20)) say(`  ${field}: ${cause}`)
  for (const { field, message: cause, reason } of code === 'POLICY_DENIED' ? causes : []) say(`  rule     ${reason}${field ? ` at ${field}` : ''}: ${cause}`)
  if (why) say(`  why      ${why}`)
  say(`  fix      ${fix}`)
  if (state) say(`  state    ${state}`)
  if (code === 'POLICY_DENIED' && more) say(`  more     ${more}`)
  const lines = Array.isArray(facts?.lastLines) ? facts.lastLines : []
  for (const line of lines.slice(-shownLines)) say(`  log      ${String(line)}`)
}

function showRefusal(body: any, message: string): void {
  showError(body.details?.pavior ?? { code: 'INTERNAL', message: body.message ?? message, fix: 'Try again.' })
}

/** `environment`: of a preview; the default of the team when absent. */
async function deploy(commit: string, branch: string, environment?: string): Promise<boolean> {
  say(`${app} → ${environment ?? team}`)
  // Not walked: a push from a shallow clone comes without the parents.
  const [subject = '', author = ''] = git('log', '--no-walk', '--format=%s%n%an <%ae>', commit).split('\n')
  const search = new URLSearchParams({ commit, branch, message: subject, author, ...(environment === undefined ? {} : { environment }) })
  const archive = spawn('git', ['archive', '--format=tar', commit], { stdio: ['ignore', 'pipe', 'inherit'] })
  const created = await send('POST', `/v1/teams/${team}/apps/${app}/source?${search}`, archive.stdout)
  const build = await readJson(created)
  if ((created.statusCode ?? 500) >= 300) {
    showRefusal(build, 'The source was not accepted.')
    return false
  }
  for await (const record of lines(await send('GET', `/v1/teams/${team}/builds/${build.metadata.name}/progress`))) {
    if (record.type === 'log') say(`       ${record.line}`)
    if (record.type === 'step' && record.within !== undefined && record.state !== 'failed') {
      if (record.state === 'running') say(`  ${record.within}: ${record.name}`)
      if (record.name === 'policy') for (const line of String(record.message ?? '').split('\n')) say(`  policy: ${line}`)
    } else if (record.type === 'step') say(`${record.state === 'failed' ? '✖' : record.state === 'running' ? '⠿' : '✔'} ${record.name.padEnd(10)} ${record.message ?? ''}${record.ms === undefined ? '' : `  ${(record.ms / 1000).toFixed(1)} s`}`.trimEnd())
    if (record.type === 'state') say(`… ${record.about.padEnd(10)} ${record.text}`)
    if (record.type === 'state' && record.about === 'waits') {
      // People may take hours; a push does not.
      say('accepted   It goes on by itself when nothing holds it any more.')
      return true
    }
    if (record.type === 'error') {
      showError(record.error)
      return false
    }
    if (record.type === 'result') {
      say(`${environment === undefined ? 'live' : 'preview'}   ${record.result.url ?? 'deployed (no web process)'}   ${record.result.release ?? ''}`)
      return true
    }
  }
  say('✖ The server stopped telling; the deploy goes on. See `pavior describe app`.')
  return false
}

async function preview(branch: string, commit: string): Promise<void> {
  const opened = await send('POST', `/v1/teams/${team}/apps/${app}/previews`, { branch })
  const answer = await readJson(opened)
  if ((opened.statusCode ?? 500) >= 300) {
    showRefusal(answer, 'The preview was not made.')
    say(`${branch} is kept, without a preview.`)
  } else if (!answer.enabled) say(`${branch} is kept, but only main is deployed.`)
  else if (!(await deploy(commit, branch, answer.environment))) say(`${branch} is kept; its preview is as it was.`)
}

async function endPreview(branch: string): Promise<void> {
  const { statusCode = 500 } = await send('DELETE', `/v1/teams/${team}/apps/${app}/previews?${new URLSearchParams({ branch })}`)
  if (statusCode < 300) say(`The preview of ${branch} goes with it.`)
}

function ended(error: Error): boolean {
  // A program that ran has a status; what the network says has none.
  say(`✖ ${'status' in error ? 'INTERNAL' : 'SERVER_UNREACHABLE'}   ${error.message}`)
  return false
}

/** A repository that declares resources: looked at before the push is let in, applied after it. */
async function declare(pushed: { commit: string; ref: string }[]): Promise<boolean> {
  const own = pushed.find(({ ref }) => ref === `${branches}${declares}`)
  for (const { ref } of pushed) if (ref !== own?.ref && when === 'pre-receive') say(`${ref.replace(branches, '')} is kept; only ${declares} is applied. See what it would change: pavior gitops diff ${app} --branch ${ref.replace(branches, '')}`)
  if (!own) return true
  if (noCommit.test(own.commit)) {
    say(`✖ ${declares} says what is declared, so it cannot be deleted.`)
    return false
  }
  const path = `/v1/teams/${team}/configrepos/${app}`
  const response = await (when === 'pre-receive' ? send('POST', `${path}/check`, { commit: own.commit }) : send('POST', `${path}/sync`, {}))
  const answer = await readJson(response)
  if ((response.statusCode ?? 500) >= 300) {
    showRefusal(answer, 'The commit could not be looked at.')
    return false
  }
  if (when === 'pre-receive') for (const { action, kind, name, file, fields } of answer.actions) {
    if (action !== 'unchanged') say(`  ${action.padEnd(7)} ${kind}/${name}${fields.length > 0 ? `  ${fields.join(', ')}` : ''}  (${file})`)
  }
  else if (answer.failed > 0) for (const { file, message } of answer.errors) say(`✖ ${file}: ${message}`)
  else say(`✔ ${answer.commit.slice(0, 10)} is in force: ${answer.applied} applied, ${answer.unchanged} unchanged, ${answer.pruned} deleted`)
  return true
}

const pushed = await readPushed()
if (declares !== '') process.exit((await declare(pushed).catch(ended)) ? 0 : 1)
const main = pushed.find(({ ref, commit }) => ref === deployedBranch && !noCommit.test(commit)) ?? pushed.find(({ ref, commit }) => ref === otherName && !noCommit.test(commit))
if (pushed.some(({ ref, commit }) => ref === deployedBranch && noCommit.test(commit))) {
  say('✖ main holds what is deployed, so it cannot be deleted.')
  say(`  fix      Delete the app with \`pavior destroy ${app}\`, or push another commit with --force.`)
  process.exit(1)
}
const deployed = main === undefined || (await deploy(main.commit, 'main').catch(ended))
// Work in progress is kept whether its preview stands or not; with a main that is refused nothing is kept.
for (const { ref, commit } of deployed ? pushed : []) {
  const branch = ref.startsWith(branches) && ref !== main?.ref ? ref.slice(branches.length) : undefined
  if (branch !== undefined) await (noCommit.test(commit) ? endPreview(branch) : preview(branch, commit)).catch(ended)
}
process.exit(deployed ? 0 : 1)
