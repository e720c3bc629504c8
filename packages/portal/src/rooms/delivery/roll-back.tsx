/** Asks before an earlier release serves again, and says what that changes. */
import type { Resource } from '@pavior/contract'
import { post } from '../../frame/api.ts'
import { useGo } from '../../frame/navigation.ts'
import { Confirm } from '../../pieces/confirm.tsx'
import { appApi, appPath, type AppPlace } from '../../frame/apps.ts'
import { summaryOf, useChanges } from './changes.ts'

interface RollBackProps {
  place: AppPlace
  environment: string
  serving: number
  /** Undefined: nobody asked. */
  to: number | undefined
  close: () => void
}

export function RollBack({ place, environment, serving, to, close }: RollBackProps) {
  const go = useGo()
  const { data, error } = useChanges(place, serving, to)
  const changes = data ? summaryOf(data) : [error ? 'What changes cannot be told: one of the releases is gone.' : 'Looking at what changes …']
  const rollBack = async (): Promise<void> => {
    const { metadata } = await post<Resource>(appApi(place, 'rollback'), { environment, to })
    go(appPath(place, 'deployments', metadata.name))
  }
  return (
    <Confirm
      opened={to !== undefined}
      close={close}
      title={`Roll ${place.app} back to v${to}?`}
      losses={[`v${serving} serves in ${environment} now; v${to} takes its place without a gap.`, ...changes, `Going on to v${serving} again is the same button.`]}
      action={`Roll back to v${to}`}
      harmless
      confirm={rollBack}
    />
  )
}
