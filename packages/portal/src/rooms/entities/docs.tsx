/** Documentation that lies beside the source of an app, as of what serves. */
import { Anchor, Button, Group, NavLink, Popover, Stack, Text } from '@mantine/core'
import { IconBook, IconExternalLink } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useSearchParam } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { docQuery, docsQuery, type DocPage } from './reads.ts'
import classes from './entities.module.css'

export default function Docs() {
  const { team = '', app = '' } = useParams({ strict: false })
  const { data, error } = useQuery(docsQuery(team, app))
  const [asked] = useSearchParam('page')
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  if (data.items.length === 0) {
    return <EmptyState icon={IconBook} title="No documentation yet" text="Markdown below docs/ and the README come with the next deploy, searchable and with their age." commands={['mkdir -p docs && $EDITOR docs/runbook.md', 'git add docs && git commit -m "A runbook" && git push pavior main']} />
  }
  const shown = data.items.find(({ path }) => path === asked) ?? data.items[0]!
  return (
    <div className={classes.docs}>
      <nav aria-label="Pages">
        {data.items.map(({ path, title }) => (
          <NavLink key={path} label={title} active={path === shown.path} renderRoot={(props) => <Link to="." search={((before: object) => ({ ...before, page: path })) as never} {...props} />} />
        ))}
      </nav>
      <Page team={team} app={app} path={shown.path} />
    </div>
  )
}

function Page({ team, app, path }: { team: string; app: string; path: string }) {
  const { data, error } = useQuery(docQuery(team, app, path))
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  return (
    <article>
      <Group justify="space-between" gap="xs" mb="sm" align="flex-start">
        <Text size="sm" c="dimmed">
          {path}, changed <Ago at={data.changedAt} /> {data.commit ? `by ${data.author ?? 'somebody'} in ${data.commit.slice(0, 10)}` : `with v${data.release}, which brought it`}
        </Text>
        {data.edit && <Edit edit={data.edit} />}
      </Group>
      <Markdown text={data.markdown} />
    </article>
  )
}

/** On the host of the repository, or how to do it in a clone of the one that is kept here. */
function Edit({ edit }: { edit: NonNullable<DocPage['edit']> }) {
  if ('url' in edit) {
    return (
      <Anchor size="sm" href={edit.url} target="_blank" rel="noopener noreferrer">
        Edit this page <IconExternalLink size={12} aria-hidden />
      </Anchor>
    )
  }
  return (
    <Popover position="bottom-end" withArrow shadow="sm">
      <Popover.Target>
        <Button size="compact-sm" variant="default">
          Edit this page
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm" mb="xs">
          Its repository is kept here; in a clone of it:
        </Text>
        <Stack gap={6}>
          {edit.commands.map((command) => (
            <CopyCommand key={command} command={command} />
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
