import { Badge, Group, Stack, Text, TextInput } from '@mantine/core'
import { IconSearch, IconTemplate } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useSearchParam } from '../../frame/search-params.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { templatesQuery, type TemplateRow } from './queries.ts'
import classes from './templates.module.css'

export default function CreatePage() {
  const { data, error, isPending } = useQuery(templatesQuery)
  const [words = '', setWords] = useSearchParam('q')
  const found = (data?.items ?? []).filter((row) => fits(row, words))
  return (
    <>
      <PageHeader title="Create" text="A template gives a repository, code with tests, and a first deployment that answers within a minute." />
      <Stack gap="md" maw={880}>
        <TextInput aria-label="Search templates" placeholder="Search by language, kind or word" leftSection={<IconSearch size={16} />} value={words} onChange={({ currentTarget }) => setWords(currentTarget.value)} autoFocus />
        {error && <ErrorState error={error} />}
        {isPending && <RowsSkeleton />}
        {data && found.length === 0 && <None words={words} />}
        {found.length > 0 && (
          <ul className={classes.list} aria-label="Templates">
            {found.map((row) => (
              <Row key={`${row.team}/${row.name}`} row={row} />
            ))}
          </ul>
        )}
      </Stack>
    </>
  )
}

function Row({ row: { team, name, title, description, tags = [], version, deprecated } }: { row: TemplateRow }) {
  return (
    <li className={classes.item}>
      <Link to={`/create/${team}/${name}`} className={classes.link}>
        <Text fw={600}>{title}</Text>
        <Text size="xs" c="dimmed" ta="right">
          {version}
        </Text>
        <Text size="sm" c="dimmed">
          {deprecated ? `Deprecated${deprecated.deadline ? ` until ${deprecated.deadline}` : ''}: ${deprecated.message}` : description}
        </Text>
        <Group gap={4} justify="flex-end" visibleFrom="sm">
          {tags.slice(0, 3).map((tag) => (
            <Badge key={tag} variant="default" size="xs" tt="none">
              {tag}
            </Badge>
          ))}
        </Group>
      </Link>
    </li>
  )
}

function None({ words }: { words: string }) {
  if (words !== '') return <EmptyState icon={IconTemplate} title={`No template has to do with "${words}"`} text="Another word may find one." />
  return <EmptyState icon={IconTemplate} title="There is no template yet" text="A template is a directory with a template.yaml, as Backstage has them." commands={['pavior template publish ./my-template']} />
}

function fits({ name, title, description = '', tags = [], type = '' }: TemplateRow, words: string): boolean {
  const text = [name, title, description, type, ...tags].join(' ').toLowerCase()
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word))
}
