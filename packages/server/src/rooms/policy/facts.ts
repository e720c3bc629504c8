/** What is known of a deploy, in the form in which rules speak of it. Pure. */
import type { AppSpec, BuildStatus, ProcessSpec, ReleaseSpec, Resource } from '@pavior/contract'

export type App = Resource<AppSpec>

/** What was built, as a Build or a Release knows it. */
export type Made = Pick<BuildStatus, 'toolchain' | 'image' | 'builder'> & { revision?: ReleaseSpec['revision']; processes?: Record<string, ProcessSpec>; artifactFacts?: object | undefined }

export interface DeployFacts {
  app: Record<string, unknown>
  /** Variables as the instances get them, of manifest and configuration. */
  env: Record<string, string>
  processes: Record<string, Record<string, unknown>>
  build?: Record<string, unknown>
}

export function deployFacts({ metadata, spec }: App, environment: string, made: Made | undefined): DeployFacts {
  return {
    app: {
      name: metadata.name,
      labels: metadata.labels ?? {},
      annotations: metadata.annotations ?? {},
      description: spec.description ?? '',
      hosts: (spec.routes ?? []).flatMap(({ host }) => host ?? []),
    },
    env: { ...spec.env, ...spec.config?.[environment] },
    processes: processFacts(spec, environment, made?.processes),
    ...(made === undefined ? {} : { build: buildFacts(made) }),
  }
}

/** Whether objectives are declared, and what is left of their budgets; one of which nothing is known is left out. */
export function budgetFacts(budgets: readonly { name: string; remaining: number | undefined }[]): { slo: { declared: boolean }; errorBudget: Record<string, number> } {
  return { slo: { declared: budgets.length > 0 }, errorBudget: Object.fromEntries(budgets.flatMap(({ name, remaining }) => (remaining === undefined ? [] : [[name, remaining]]))) }
}

function processFacts(spec: AppSpec, environment: string, found: Record<string, ProcessSpec> = {}): DeployFacts['processes'] {
  const names = new Set([...Object.keys(found), ...Object.keys(spec.processes ?? {})])
  return Object.fromEntries(
    [...names].map((name) => {
      const process = { ...found[name], ...spec.processes?.[name] }
      return [
        name,
        {
          command: process.command ?? '',
          replicas: spec.scale?.[environment]?.[name] ?? process.replicas ?? 1,
          healthPath: process.health?.path ?? '',
          // Empty or 0 where the platform's own default holds.
          memory: process.memory ?? '',
          cpu: process.cpu ?? 0,
        },
      ]
    }),
  )
}

export function buildFacts({ toolchain, image, builder, revision, artifactFacts }: Made): Record<string, unknown> {
  const { name = '', version = '', asked = '' } = toolchain ?? {}
  return {
    builder: builder?.split(' ', 1)[0] ?? '',
    image: image !== undefined,
    imageUser: image?.user ?? '',
    toolchain: { name, version, asked, pinned: asked !== '' && !/^(\*|latest|x|>=?\s*\d)/.test(asked) },
    git: revision?.type === 'git',
    ...(revision?.branch === undefined ? {} : { branch: revision.branch }),
    ...artifactFacts,
  }
}

/** The App as it will be once what the build declares is deployed: what people set beside the manifest stays. */
export function declaredApp(app: App, declared: Partial<AppSpec> | undefined): App {
  const { description, config, scale, restart } = app.spec
  const settings = { ...(description && { description }), ...(config && { config }), ...(scale && { scale }), ...(restart && { restart }) }
  return { ...app, spec: { ...settings, ...declared } }
}
