/** Definitions of an app's APIs, and what each release changed of them: first what breaks callers. */
import { Badge, Code, Group, ScrollArea, Select, Table, Text } from '@mantine/core'
import { IconApi } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { apiDiffQuery, apisQuery, definitionQuery, type ApiVersion } from './reads.ts'

export default function Apis() {
  const { team = '', app = '' } = useParams({ strict: false })
  const { data, error } = useQuery(apisQuery(team, app))
  const { api, release } = useSearchParams()
  const set = useSetSearchParams()
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  if (data.items.length === 0) return <EmptyState icon={IconApi} title="No API is described yet" text="A file openapi.yaml, asyncapi.yaml or schema.graphql in the source is taken with the next deploy; from the second on, this page says what breaks callers." />
  const paths = [...new Set(data.items.map(({ path }) => path))]
  const path = paths.includes(api ?? '') ? api! : paths[0]!
  const versions = data.items.filter((one) => one.path === path)
  const shown = versions.find((one) => String(one.release) === release) ?? versions[0]!
  const before = versions.find((one) => one.release < shown.release)
  return (
    <>
      <Group gap="xs" mb="sm">
        <Select aria-label="Definition" data={paths} value={path} allowDeselect={false} onChange={(value) => set({ api: value ?? undefined, release: undefined })} />
        <Select aria-label="Release" w={120} data={versions.map((one) => ({ value: String(one.release), label: `v${one.release}` }))} value={String(shown.release)} allowDeselect={false} onChange={(value) => set({ release: value ?? undefined })} />
        <Badge variant="light" color="gray">{shown.format}</Badge>
        <Text size="sm" c="dimmed">
          {shown.title}, as it is since <Ago at={shown.at} />
        </Text>
      </Group>
      {before && shown.format === 'openapi' && <Changes team={team} app={app} path={path} from={before} to={shown} />}
      <Definition team={team} app={app} path={path} release={shown.release} />
    </>
  )
}

interface Place {
  team: string
  app: string
  path: string
}

function Changes({ team, app, path, from, to }: Place & { from: ApiVersion; to: ApiVersion }) {
  const { data, error } = useQuery(apiDiffQuery(team, app, path, from.release, to.release))
  return (
    <Section title={`What v${to.release} changed since v${from.release}`}>
      {error && <ErrorState error={error} />}
      {data?.changes.length === 0 && <Text size="sm">Nothing that callers could notice.</Text>}
      {data && data.changes.length > 0 && (
        <Table aria-label="Changes of the API">
          <Table.Tbody>
            {data.changes.map(({ breaking, where, what }) => (
              <Table.Tr key={`${where} ${what}`}>
                <Table.Td w={120}>
                  <Status word={breaking ? 'breaks callers' : 'grows'} tone={breaking ? 'bad' : 'good'} />
                </Table.Td>
                <Table.Td>
                  <Code>{where}</Code> {what}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  )
}

function Definition({ team, app, path, release }: Place & { release: number }) {
  const { data, error } = useQuery(definitionQuery(team, app, path, release))
  return (
    <Section title="Definition">
      {error && <ErrorState error={error} />}
      {data && (
        <>
          <CopyButton text={data.definition} label="Copy the definition" />
          <ScrollArea.Autosize mah={560} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Definition' }}>
            <Code block>{data.definition}</Code>
          </ScrollArea.Autosize>
        </>
      )}
    </Section>
  )
}
