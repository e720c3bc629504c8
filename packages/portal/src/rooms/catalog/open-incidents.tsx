/** Says on the page of an app that something is wrong with it. */
import { Text } from '@mantine/core'
import type { AppPlace } from '../../frame/apps.ts'
import { Ago } from '../../pieces/ago.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Status } from '../../pieces/status.tsx'
import { incidentPath, severityOf, sinceOf, stateOf, useOpenIncidents } from '../incidents/reads.ts'

export function OpenIncidents({ place, environment }: { place: AppPlace; environment: string }) {
  const open = useOpenIncidents(place, environment)
  return open.map((incident) => (
    <Text key={incident.metadata.uid} size="sm" mb="sm" component="div" role="status">
      <Status {...severityOf(incident)} />{' '}
      <GoLink size="sm" underline="always" to={incidentPath(incident)}>
        {incident.metadata.name}
      </GoLink>{' '}
      is {stateOf(incident).word} since <Ago at={sinceOf(incident)} />: {incident.spec.title}
    </Text>
  ))
}
