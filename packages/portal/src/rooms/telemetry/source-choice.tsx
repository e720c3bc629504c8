/** Of whom metrics are asked: of Pavior, or of a Prometheus elsewhere. In the address, so that a link shows others the same. */
import type { MetricSourceSpec, MetricSourceStatus, Resource } from '@pavior/contract'
import { NativeSelect } from '@mantine/core'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { useTeam } from '../../frame/team.ts'
import type { AskedOf } from './reads.ts'

export type MetricSource = Resource<MetricSourceSpec, MetricSourceStatus>

/** `team/name` in the address, because several teams may have one of the name. */
export function useAskedOf(): AskedOf {
  const team = useTeam()
  const [chosen] = useSearchParam('source')
  return useMemo(() => {
    const [owner, source] = chosen?.split('/') ?? []
    return source === undefined ? { team } : { team: owner, source }
  }, [team, chosen])
}

/** Not shown where there is nothing to choose. */
export function SourceChoice() {
  const team = useTeam()
  const { items } = useCollection<MetricSource>('metricsources', { team })
  const [chosen = '', choose] = useSearchParam('source')
  if (items.length === 0 && chosen === '') return undefined
  const known = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort()
  const data = [{ value: '', label: 'Pavior' }, ...[...new Set([...known, ...(chosen === '' ? [] : [chosen])])].map((value) => ({ value, label: team === undefined ? value : value.split('/')[1]! }))]
  return <NativeSelect label="Asked of" data={data} value={chosen} onChange={({ currentTarget }) => choose(currentTarget.value)} w={150} />
}
