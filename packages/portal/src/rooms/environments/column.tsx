/** One environment on the board: what serves, whether it is fine, how far it is behind, what protects it, and the next step. */
import { Anchor, Button } from '@mantine/core'
import { appPath, useInstanceSets, type App, type AppPlace, type Deployment, type Release } from '../../frame/apps.ts'
import { genericHref } from '../../frame/registry.ts'
import { Ago } from '../../pieces/ago.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Status } from '../../pieces/status.tsx'
import { lagText, protectionOf, strategyText, type Declared, type Lag } from './board-plan.ts'
import classes from './board.module.css'

interface ColumnProps {
  place: AppPlace
  environment: Declared
  app: App
  /** Of this environment, newest first. */
  deployments: Deployment[]
  releases: ReadonlyMap<number, Release>
  lag: Lag | undefined
  /** Why nothing may be deployed here now. */
  frozen: string[]
  promote: (() => void) | undefined
}

export function Column({ place, environment: { name, spec }, app, deployments, releases, lag, frozen, promote }: ColumnProps) {
  const { url, release } = app.status?.environments?.[name] ?? {}
  const newest = deployments[0]
  const served = deployments.find((each) => each.spec.release === release && (each.status?.phase === 'Succeeded' || each.status?.phase === 'Watching'))
  const revision = release === undefined ? undefined : releases.get(release)?.spec.revision
  const variables = Object.keys(app.spec.config?.[name] ?? {}).length
  return (
    <li className={classes.column}>
      <div className={classes.head}>
        <h2 className={classes.name} style={{ margin: 0 }}>
          <GoLink to={appPath(place)} search={{ environment: name }} c="inherit">
            {name}
          </GoLink>
        </h2>
        <span className={classes.tier}>{spec ? spec.tier : 'not declared'}</span>
      </div>
      {release === undefined ? <span className={classes.quiet}>Nothing serves here.</span> : <Serves place={place} name={name} release={release} since={served?.status?.finishedAt} about={[revision?.message, revision?.commit?.slice(0, 7), revision?.branch].filter(Boolean).join(' · ')} />}
      {newest && newest.metadata.name !== served?.metadata.name && (
        <span className={classes.newest}>
          <Status word={newest.status?.phase ?? 'Pending'} />
          <GoLink to={appPath(place, 'deployments', newest.metadata.name)}>v{newest.spec.release}</GoLink>
          <Ago at={newest.metadata.creationTimestamp} />
        </span>
      )}
      {lag && spec?.after && <Status word={lagText(lag, spec.after)} tone={lag.same ? 'good' : 'warn'} />}
      {frozen.map((reason) => (
        <Status key={reason} word={reason} tone="warn" />
      ))}
      {spec && <Rules name={name} spec={spec} />}
      <div className={classes.foot}>
        {promote && (
          <Button size="compact-sm" variant={lag?.same ? 'default' : 'filled'} onClick={promote}>
            Promote from {spec?.after}
          </Button>
        )}
        {url && (
          <Anchor size="sm" href={url} target="_blank" rel="noopener" className={classes.line}>
            {url.replace(/^https?:\/\//, '')}
          </Anchor>
        )}
        <GoLink size="sm" to={appPath(place, 'configuration')} search={{ environment: name }}>
          {variables} {variables === 1 ? 'variable' : 'variables'}
        </GoLink>
        {spec && (
          <GoLink size="sm" to={genericHref('environments', place.team, name)}>
            Settings of {name}
          </GoLink>
        )}
      </div>
    </li>
  )
}

function Serves({ place, name, release, since, about }: { place: AppPlace; name: string; release: number; since: string | undefined; about: string }) {
  const { items: sets } = useInstanceSets(place, name)
  const own = sets.filter(({ spec }) => spec.release === release)
  const [ready, wanted] = [own.reduce((sum, { status }) => sum + (status?.ready ?? 0), 0), own.reduce((sum, { spec }) => sum + spec.replicas, 0)]
  return (
    <>
      <div className={classes.head}>
        <span className={classes.release}>v{release}</span>
        <Status word={`${ready} of ${wanted} healthy`} tone={ready >= wanted ? 'good' : 'bad'} />
      </div>
      <span className={classes.quiet}>
        {about} {about && '·'} {since ? <>deployed <Ago at={since} /></> : 'serves'}
      </span>
    </>
  )
}

function Rules({ name, spec }: { name: string; spec: NonNullable<Declared['spec']> }) {
  const rules = protectionOf(spec)
  return (
    <ul className={classes.rules} aria-label={`What protects ${name}`}>
      <li>{spec.strategy || spec.rollout?.steps ? strategyText(spec.strategy ?? 'canary', spec.rollout?.steps ?? []) : `strategy: the default of the tier ${spec.tier}`}</li>
      {rules.length === 0 ? <li>nothing holds a deployment back</li> : rules.map((rule) => <li key={rule}>{rule}</li>)}
    </ul>
  )
}
