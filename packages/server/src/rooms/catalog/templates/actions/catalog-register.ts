/** `catalog:register`: takes the catalog-info.yaml of the workspace into the catalogue. */
import { fail } from '@pavior/contract'
import { spokenBy } from '../../entities/plan.ts'
import { replaceLocation } from '../../entities/store.ts'
import type { CatalogEntity as Entity } from '@pavior/contract'
import { readEntities } from '../../entities/validate.ts'
import { optionalText, wrongInput } from './input.ts'
import type { Action, ActionContext, Input } from './types.ts'

const name = 'catalog:register'

export const catalogRegister: Action = {
  name,
  description: 'Takes catalog-info.yaml of the workspace into the catalogue: catalogInfoPath, optional.',
  pure: false,
  check: async (context, input) => {
    await entitiesOf(context, input)
    return {}
  },
  run: async (context, input) => {
    const entities = await entitiesOf(context, input)
    const location = locationOf(context)
    if (location !== undefined) await replaceLocation(context.deps.database, 'repository', location, entities)
    const [first] = entities
    return { output: first ? { entityRef: `${first.kind}:${first.metadata.namespace}/${first.metadata.name}`.toLowerCase() } : {}, message: `${entities.length} entities` }
  },
  undo: async (context) => {
    const location = locationOf(context)
    if (location !== undefined) await replaceLocation(context.deps.database, 'repository', location, [])
    return undefined
  },
}

/** As the catalogue names what the source of an app says. */
function locationOf({ team, outputs }: ActionContext): string | undefined {
  const app = Object.values(outputs).map((output) => output.app).find((one) => typeof one === 'string')
  return app === undefined ? undefined : `app:${team}/${String(app)}`
}

async function entitiesOf({ workspace, team }: ActionContext, input: Input): Promise<Entity[]> {
  const path = (optionalText(name, input, 'catalogInfoPath') ?? 'catalog-info.yaml').replace(/^\/+/, '')
  const text = workspace.get(path)?.content.toString('utf8')
  if (text === undefined) {
    if (input.optional === true) return []
    throw wrongInput(name, `the workspace has no ${path}.`)
  }
  const { accepted, refused } = await readEntities(text)
  const [problem] = refused
  if (problem) throw fail('TEMPLATE_INVALID', { message: `The template renders a ${path} that the catalogue refuses: ${problem.reason}` })
  const { own, foreign } = spokenBy(team, accepted)
  if (foreign.length > 0) throw fail('TEMPLATE_INVALID', { message: `The template renders a ${path} that speaks of ${foreign[0]}, which belongs to another team.` })
  return own
}
