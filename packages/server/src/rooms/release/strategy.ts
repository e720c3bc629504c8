/** Which strategy a deployment goes by: what it asks for itself, else its environment, else what fits the tier. Pure. */
import type { DeploymentSpec, EnvironmentSpec, ResolvedStrategy, RolloutSettings, StrategyType } from '@pavior/contract'

const defaultSteps = [5, 25, 50].map((weight) => ({ weight }))
const defaultStepSeconds = 60
const defaultJudge = { errorRatio: 0.01, slowerThanStable: 3, restarts: 0, saturation: 0.95, minRequests: 50 }
const productionWatchSeconds = 300

export type StrategyWish = Pick<DeploymentSpec, 'strategy' | 'rollout' | 'rollbackTo'>

/** An environment that nobody declared is as careful as production. */
export function resolveStrategy(wish: StrategyWish, environment: EnvironmentSpec = { tier: 'production' }): ResolvedStrategy {
  const { type, from } = typeOf(wish, environment)
  const { judge, ...settings }: RolloutSettings = { ...environment.rollout, ...wish.rollout }
  return {
    type,
    steps: stepsOf(type, settings.steps),
    ...(settings.testers === undefined ? {} : { testers: settings.testers }),
    judge: { ...defaultJudge, ...judge },
    watchSeconds: settings.watchSeconds ?? (environment.tier === 'production' && type !== 'rolling' ? productionWatchSeconds : 0),
    from,
  }
}

function typeOf({ strategy, rollbackTo }: StrategyWish, environment: EnvironmentSpec): { type: StrategyType; from: string } {
  if (strategy !== undefined) return { type: strategy, from: 'asked for by this deployment' }
  // What served before is known to work, and whoever takes a release back is in a hurry.
  if (rollbackTo) return { type: 'rolling', from: 'a rollback does not wait' }
  if (environment.strategy !== undefined) return { type: environment.strategy, from: 'declared by the environment' }
  return { type: environment.tier === 'production' ? 'canary' : 'rolling', from: `default of the tier ${environment.tier}` }
}

/** Blue-green is a single step without traffic: everything stands beside what serves, and only testers get to it. */
function stepsOf(type: StrategyType, steps: RolloutSettings['steps'] = defaultSteps): ResolvedStrategy['steps'] {
  if (type === 'rolling') return []
  if (type === 'bluegreen') return [{ weight: 0, seconds: 0, pause: steps.at(-1)?.pause ?? false }]
  return steps.map(({ weight, seconds = defaultStepSeconds, pause = false }) => ({ weight, seconds, pause }))
}

/** Instances of a set on trial: its share of what the process is to have, and never none. */
export function trialReplicas(replicas: number, { type, steps }: ResolvedStrategy, step: number): number {
  const { weight } = steps[step]!
  return type === 'bluegreen' ? replicas : Math.min(replicas, Math.max(1, Math.ceil((replicas * weight) / 100)))
}
