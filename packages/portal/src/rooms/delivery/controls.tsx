/** What can be done about a deployment that has not ended: pause, resume, take all traffic now, cancel or abort. */
import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import type { Deployment } from '../../frame/apps.ts'
import { stopOf } from '../../frame/phases.ts'
import { useShortcuts, type Shortcut } from '../../frame/shortcuts.ts'
import { Confirm } from '../../pieces/confirm.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Keys } from '../../pieces/keys.tsx'
import { isHeldByPerson } from './trial-plan.ts'

const group = 'Deployment'

interface ControlsProps {
  deployment: Deployment
  /** Release that serves in its environment. */
  serving: number | undefined
}

export function Controls({ deployment, serving }: ControlsProps) {
  const { metadata, spec, status } = deployment
  const [asking, setAsking] = useState<'finish' | 'stop'>()
  const write = (change: object): Promise<unknown> => patch(resourcePath('deployments', metadata.namespace, metadata.name), { spec: change })
  const shifting = status?.phase === 'Shifting' && spec.canceled !== true
  const finish = shifting && spec.promoted !== true
  const stop = spec.canceled ? undefined : stopOf(status?.phase)
  const verb = stop === 'abort' ? 'Abort' : 'Cancel'
  const keys: Shortcut[] = [
    ...(finish ? [{ keys: 't', label: 'Take all traffic now', group, run: () => setAsking('finish') }] : []),
    ...(stop ? [{ keys: 'x', label: verb, group, run: () => setAsking('stop') }] : []),
  ]
  useShortcuts(keys)
  return (
    <>
      {shifting && <PauseOrResume deployment={deployment} write={write} />}
      {finish && (
        <Button size="xs" variant="default" onClick={() => setAsking('finish')} aria-keyshortcuts="t" rightSection={<Keys keys="t" hint />}>
          Take all traffic now
        </Button>
      )}
      {spec.canceled && stopOf(status?.phase) && (
        <Button size="xs" variant="default" disabled>
          {stopOf(status?.phase) === 'abort' ? 'Aborting' : 'Canceling'}
        </Button>
      )}
      {stop && (
        <Button size="xs" variant="default" onClick={() => setAsking('stop')} aria-keyshortcuts="x" rightSection={<Keys keys="x" hint />}>
          {verb}
        </Button>
      )}
      <Confirm
        opened={asking === 'finish'}
        close={() => setAsking(undefined)}
        title={`Give v${spec.release} all traffic now?`}
        losses={['The steps and times that remain are left out.', 'The judge still has its say: when it finds v' + spec.release + ' failing, it is taken back.']}
        action="Take all traffic"
        harmless
        confirm={() => write({ promoted: true })}
      />
      <Confirm opened={asking === 'stop'} close={() => setAsking(undefined)} title={`${verb} this deployment?`} losses={lossesOf(stop, spec.release, serving)} action={stop === 'abort' ? 'Abort it' : 'Cancel it'} harmless confirm={() => write({ canceled: true })} />
    </>
  )
}

function lossesOf(stop: 'cancel' | 'abort' | undefined, release: number, serving: number | undefined): string[] {
  if (stop !== 'abort') return [serving === undefined ? 'Nothing serves yet, and nothing will.' : `v${serving} goes on serving.`]
  return [serving === undefined || serving === release ? 'What served before has all traffic again.' : `v${serving} has all traffic again at once.`, `The instances of v${release} finish their requests and stop.`]
}

/** Said at once, taken back when the server refuses: either is undone by the other. */
function PauseOrResume({ deployment, write }: { deployment: Deployment; write: (change: object) => Promise<unknown> }) {
  const { spec, status } = deployment
  const held = isHeldByPerson(status ?? {}, spec)
  const [wanted, setWanted] = useState<boolean>()
  const [error, setError] = useState<Error>()
  const shown = wanted ?? held
  useEffect(() => {
    if (wanted === held) setWanted(undefined)
  }, [wanted, held])
  const toggle = (): void => {
    setWanted(!shown)
    setError(undefined)
    write(shown ? { paused: false, ...(status?.trial ? { resumedStep: status.trial.step } : {}) } : { paused: true }).catch((caught: Error) => {
      setWanted(undefined)
      setError(caught)
    })
  }
  const label = shown ? 'Resume' : 'Pause'
  useShortcuts([{ keys: 'p', label, group, run: toggle }])
  return (
    <>
      {error && <ErrorState error={error} />}
      <Button size="xs" variant={shown ? 'filled' : 'default'} onClick={toggle} aria-keyshortcuts="p" rightSection={<Keys keys="p" hint />}>
        {label}
      </Button>
    </>
  )
}
