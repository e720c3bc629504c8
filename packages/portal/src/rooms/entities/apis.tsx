/** Definitions of an app's APIs, and what each release changed of them: first what breaks callers. */
import { Badge, Button, Code, Group, ScrollArea, Select, Table, Text } from '@mantine/core'
import { IconApi } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useSearchParam, useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { ApiDrawn } from './api-view.tsx'
import { apiDiffQuery, apisQuery, apiViewQuery, definitionQuery, type ApiVersion } from './reads.ts'

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
        <Select aria-label="Definition" data={paths} value={path} allowDeselect={false} onChange={(value) => set({ api: value ?? undefined, release: undefined, operation: undefined, schema: undefined, find: undefined })} />
        <Select aria-label="Release" w={120} data={versions.map((one) => ({ value: String(one.release), label: `v${one.release}` }))} value={String(shown.release)} allowDeselect={false} onChange={(value) => set({ release: value ?? undefined })} />
        <Badge variant="light" color="gray">{shown.format}</Badge>
        <Text size="sm" c="dimmed">
          {shown.title}, as it is since <Ago at={shown.at} />
        </Text>
      </Group>
      {before && <Changes team={team} app={app} path={path} from={before} to={shown} />}
      <ApiDrawn team={team} app={app} path={path} release={shown.release} />
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
            {data.changes.map(({ breaking, risky, where, what }) => (
              <Table.Tr key={`${where} ${what}`}>
                <Table.Td w={120}>
                  <Status word={breaking ? 'breaks callers' : risky ? 'may surprise' : 'grows'} tone={breaking ? 'bad' : risky ? 'warn' : 'good'} />
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

/** The text as it is in the source: one click away, and shown by itself when the page cannot draw it. */
function Definition({ team, app, path, release }: Place & { release: number }) {
  const [asked, setAsked] = useSearchParam('text')
  const { isError: undrawable } = useQuery(apiViewQuery(team, app, path, release))
  const open = asked === 'yes' || undrawable
  return (
    <Section title="Text of the definition" actions={!undrawable && <Button size="compact-sm" variant="default" aria-expanded={open} onClick={() => setAsked(open ? undefined : 'yes')}>{open ? 'Hide the text' : 'Show the text'}</Button>}>
      {open && <DefinitionText team={team} app={app} path={path} release={release} />}
    </Section>
  )
}

function DefinitionText({ team, app, path, release }: Place & { release: number }) {
  const { data, error } = useQuery(definitionQuery(team, app, path, release))
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  return (
    <>
      <CopyButton text={data.definition} label="Copy the definition" />
      <ScrollArea.Autosize mah={560} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Definition' }}>
        <Code block>{data.definition}</Code>
      </ScrollArea.Autosize>
    </>
  )
}
