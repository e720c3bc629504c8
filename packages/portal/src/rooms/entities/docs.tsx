/** Documentation that lies beside the source of an app, as of what serves. */
import { NavLink, Text } from '@mantine/core'
import { IconBook } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useSearchParam } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { docQuery, docsQuery } from './reads.ts'
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
      <Text size="sm" c="dimmed" mb="sm">
        {path}, changed <Ago at={data.changedAt} /> with v{data.release}
      </Text>
      <Markdown text={data.markdown} />
    </article>
  )
}
