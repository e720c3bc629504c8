/** `pavior:deploy`: builds and deploys what was published, and waits until it answers. */
import { PaviorError } from '@pavior/contract'
import { optionalText, textOf } from './input.ts'
import { firstMessage, remembering } from './publish-pavior.ts'
import type { Action } from './types.ts'

const name = 'pavior:deploy'

export const paviorDeploy: Action = {
  name,
  description: 'Builds and deploys the app and waits until it is live: app, commit, environment.',
  pure: false,
  check: async () => ({ url: '', build: '', release: '' }),
  run: async (context, input) => {
    const { deps, actor, team, run, signal, log } = context
    const app = textOf(name, input, 'app')
    const environment = optionalText(name, input, 'environment')
    const build = await deps.deploys.begin(actor, { team, app, ...(environment ? { environment } : {}), files: remembering(context), commit: textOf(name, input, 'commit'), message: firstMessage(context), author: run.requestedBy })
    for await (const record of deps.deploys.follow(actor, team, build, signal)) {
      if (record.type === 'log') await log(record.line)
      if (record.type === 'step') await log(`${record.within ? `${record.within}: ` : ''}${record.name} ${record.state}${record.message ? ` · ${record.message}` : ''}`)
      if (record.type === 'error') {
        const { code, ...details } = record.error
        throw new PaviorError(code, details)
      }
      if (record.type === 'result') return { output: { build, app, url: record.result.url ?? '', release: record.result.release ?? '', environment: record.result.environment ?? '' }, message: record.result.url ?? 'deployed, no web process' }
    }
    signal.throwIfAborted()
    throw new Error(`the deploy of ${app} ended without a result`)
  },
}
