import type { FleetRow } from '@pavior/contract'
import { Button, List, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState, ProblemState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { resourceHref } from '../../frame/registry.ts'
import { UpgradeCell, UpgradeResult, useUpgrade } from './upgrade.tsx'
import { fleetQuery, templateQuery } from './queries.ts'

const fleetColumns: Column<FleetRow>[] = [
  { key: 'app', label: 'App', value: ({ app }) => app },
  { key: 'team', label: 'Team', value: ({ team }) => team, hideBelow: 'sm' },
  { key: 'version', label: 'Version', value: ({ version }) => version },
  { key: 'offered', label: 'Offered', value: ({ offered, canary }) => `${offered}${canary ? ' (tried here)' : ''}`, hideBelow: 'sm' },
]

export default function TemplatePage() {
  const { team = '', template: name = '' }: { team?: string; template?: string } = useParams({ strict: false })
  const { data: template, error, isPending } = useQuery(templateQuery(team, name))
  if (error) return <ErrorState error={error} />
  if (isPending) return <PageSkeleton />
  const { deprecated, canary, versions = [], steps } = template
  return (
    <>
      <PageHeader
        title={template.title}
        crumbs={[{ label: 'Create', to: '/create' }]}
        beside={<Text size="sm">{template.version}</Text>}
        text={template.description}
        actions={<Button renderRoot={(props) => <Link to={`/create/${team}/${name}`} {...props} />}>Create from it</Button>}
      />
      <Stack gap="xl" maw={960}>
        {deprecated && <ProblemState problem={{ message: `Deprecated${deprecated.deadline ? ` until ${deprecated.deadline}` : ''}: ${deprecated.message}`, fix: deprecated.replacement ? `Use ${deprecated.replacement}.` : '' }} />}
        {canary && (
          <Text size="sm">
            Version {canary.version} is tried on {canary.apps.join(', ')}.
          </Text>
        )}
        <section>
          <Title order={2} size="h4" mb="sm">
            Apps from it
          </Title>
          <Fleet team={team} name={name} />
        </section>
        <section>
          <Title order={2} size="h4" mb="sm">
            Versions
          </Title>
          <List size="sm" spacing={4}>
            {versions.map(({ version, registeredAt, notes }) => (
              <List.Item key={version}>
                <b>{version}</b> <Ago at={registeredAt} /> {notes}
              </List.Item>
            ))}
          </List>
        </section>
        <section>
          <Title order={2} size="h4" mb="sm">
            What it does
          </Title>
          <List size="sm" type="ordered">
            {steps.map(({ id, name: title, action }) => (
              <List.Item key={id}>
                {title}{' '}
                <Text span size="xs" c="dimmed" ff="monospace">
                  {action}
                </Text>
              </List.Item>
            ))}
          </List>
        </section>
      </Stack>
    </>
  )
}

function Fleet({ team, name }: { team: string; name: string }) {
  const { data, isPending } = useQuery(fleetQuery(team, name))
  const { mutate, isPending: busy, variables, data: result, error } = useUpgrade()
  const state: Column<FleetRow> = {
    key: 'state',
    label: 'State',
    value: ({ behind }) => (behind ? 'Behind' : 'Up to date'),
    show: (row) => <UpgradeCell row={row} busy={busy && variables.app === row.app} propose={() => mutate(row)} />,
  }
  return (
    <Stack gap="md">
      <DataTable
        label="apps"
        name="fleet"
        rows={data?.items ?? []}
        columns={[...fleetColumns, state]}
        rowKey={({ team: of, app }) => `${of}/${app}`}
        href={({ team: of, app }) => resourceHref('apps', { metadata: { name: app, namespace: of } })}
        loading={isPending}
        empty={<EmptyState title="No app came from it yet" commands={[`pavior new ${name}`]} />}
      />
      <UpgradeResult result={result} error={error} />
    </Stack>
  )
}
