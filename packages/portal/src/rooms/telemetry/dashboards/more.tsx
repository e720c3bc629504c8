/** What else can be done with a dashboard: Grafana's form of it, its resource, taking it away. */
import { ActionIcon, Menu } from '@mantine/core'
import { IconDots, IconDownload, IconFileCode, IconTrash } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { get, remove, resourcePath } from '../../../frame/api.ts'
import { useGo } from '../../../frame/navigation.ts'
import { Confirm } from '../../../pieces/confirm.tsx'
import { download } from '../../../pieces/download.ts'
import type { Dashboard } from './reads.ts'

interface MoreProps {
  team: string
  name: string
  resource: Dashboard | undefined
  may: boolean
}

export function More({ team, name, resource, may }: MoreProps) {
  const go = useGo()
  const [removing, setRemoving] = useState(false)
  const saveForGrafana = async (): Promise<void> => {
    const { dashboard, leftOut } = await get<{ dashboard: object; leftOut: { name: string }[] }>(`/v1/teams/${encodeURIComponent(team)}/dashboards/export?name=${encodeURIComponent(name)}`)
    download(`${name}.json`, JSON.stringify(dashboard, null, 2), 'application/json')
    if (leftOut.length > 0) notifications.show({ closeButtonProps: { 'aria-label': 'Close' }, title: 'Not all of it is known to Grafana', message: `These say where Pavior shows them: ${leftOut.map((left) => left.name).join(', ')}.` })
  }
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label="More">
            <IconDots size={14} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDownload size={14} />} onClick={() => void saveForGrafana()}>Save as JSON for Grafana</Menu.Item>
          {resource && (
            <Menu.Item leftSection={<IconFileCode size={14} />} renderRoot={(props) => <Link to={`/kinds/dashboards/${encodeURIComponent(team)}/${encodeURIComponent(name)}`} {...props} />}>
              Its resource and history
            </Menu.Item>
          )}
          {resource && may && <Menu.Item leftSection={<IconTrash size={14} />} onClick={() => setRemoving(true)}>Delete it</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {resource && (
        <Confirm
          opened={removing}
          close={() => setRemoving(false)}
          title={`Delete the dashboard ${name}?`}
          losses={[`${resource.spec.panels.length} panels, for everybody of team ${team}. What they show is not touched.`]}
          action="Delete"
          confirm={async () => {
            await remove(resourcePath('dashboards', team, name))
            go('/dashboards')
          }}
        />
      )}
    </>
  )
}
