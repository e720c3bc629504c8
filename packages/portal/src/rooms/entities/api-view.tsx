/** An API drawn from its neutral form: operations in groups, found by typing, each with an address of its own; then its schemas. */
import { Badge, Code, Text, TextInput, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ApiGroup, ApiOperation, ApiView } from '@pavior/contract'
import { useEffect, useRef } from 'react'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { NamedSchemas, Parameters, SchemaView } from '../../pieces/schema-view.tsx'
import { Section } from '../../pieces/section.tsx'
import { apiViewQuery } from './reads.ts'
import classes from './api-view.module.css'

interface Place {
  team: string
  app: string
  path: string
  release: number
}

export function ApiDrawn({ team, app, path, release }: Place) {
  const { data, error } = useQuery(apiViewQuery(team, app, path, release))
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  return (
    <NamedSchemas schemas={data.schemas}>
      <Head view={data} />
      <Operations view={data} />
      {data.schemas.length > 0 && <Schemas view={data} />}
    </NamedSchemas>
  )
}

function Head({ view: { title, version, format, formatVersion, description, servers, truncated } }: { view: ApiView }) {
  const names = { openapi: 'OpenAPI', asyncapi: 'AsyncAPI', graphql: 'GraphQL' }
  return (
    <>
      <Text fw={600} mt="md">
        {title}{' '}
        <Text span size="sm" c="dimmed">
          {[version, `${names[format]} ${formatVersion}`.trim()].filter(Boolean).join(' · ')}
        </Text>
      </Text>
      {truncated && <Text size="sm">The definition is too large to be shown whole; the text below has all of it.</Text>}
      {description && <Markdown text={description} />}
      {servers.length > 0 && (
        <ul className={classes.servers} aria-label="Servers">
          {servers.map(({ url, description: words }) => (
            <li key={`${url} ${words}`}>
              <Code>{url}</Code> {words}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Operations({ view: { groups } }: { view: ApiView }) {
  const { find = '', operation } = useSearchParams()
  const set = useSetSearchParams()
  const shown = matching(groups, find)
  const count = groups.reduce((sum, { operations }) => sum + operations.length, 0)
  return (
    <Section
      title="Operations"
      actions={count > 5 && <TextInput size="xs" w={260} leftSection={<IconSearch size={14} />} aria-label="Search operations" placeholder={`Search ${count} operations`} value={find} onChange={({ currentTarget }) => set({ find: currentTarget.value })} />}
    >
      {count === 0 && <Text size="sm">The definition has no operations.</Text>}
      {count > 0 && shown.length === 0 && <EmptyState title={`No operation is like "${find}".`} text="Paths, names, verbs and titles are searched." />}
      {shown.map(({ name, description, operations }) => (
        <section key={name} aria-label={name} className={classes.group}>
          <h3 className={classes.groupName}>{name}</h3>
          {description && (
            <Text size="sm" c="dimmed">
              {description}
            </Text>
          )}
          {operations.map((one) => (
            <Operation key={one.id} operation={one} open={one.id === operation} />
          ))}
        </section>
      ))}
    </Section>
  )
}

/** Operations whose verb, name, title or group hold every word. */
function matching(groups: readonly ApiGroup[], find: string): ApiGroup[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...groups]
  const fits = (text: string): boolean => words.every((word) => text.includes(word))
  return groups.flatMap((group) => {
    const operations = group.operations.filter(({ verb, name, title = '' }) => fits(`${group.name} ${verb} ${name} ${title}`.toLowerCase()))
    return operations.length === 0 ? [] : [{ ...group, operations }]
  })
}

function Operation({ operation, open }: { operation: ApiOperation; open: boolean }) {
  const { id, verb, name, title, deprecated } = operation
  const set = useSetSearchParams()
  const place = useRef<HTMLDivElement>(null)
  // Whoever came with a link sees what it is about.
  useEffect(() => {
    if (open && place.current && place.current.getBoundingClientRect().top > window.innerHeight) place.current.scrollIntoView({ block: 'start' })
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when the page opens
  }, [])
  const Chevron = open ? IconChevronDown : IconChevronRight
  return (
    <div ref={place} className={classes.operation}>
      <UnstyledButton className={classes.row} aria-expanded={open} onClick={() => set({ operation: open ? undefined : id })}>
        <Chevron size={14} aria-hidden />
        <span className={classes.verb}>{verb}</span>
        <span className={classes.name} data-deprecated={deprecated || undefined}>
          {name}
        </span>
        <span className={classes.title}>{title}</span>
        {deprecated && (
          <Badge className={classes.badge} size="xs" variant="outline" color="gray">
            deprecated
          </Badge>
        )}
      </UnstyledButton>
      {open && <Details operation={operation} />}
    </div>
  )
}

function Details({ operation: { description, parameters, contents } }: { operation: ApiOperation }) {
  return (
    <div className={classes.details}>
      <Text size="xs" c="dimmed">
        Link to this operation <CopyButton text={window.location.href} label="Copy the link to this operation" />
      </Text>
      {description && <Markdown text={description} />}
      {parameters.length > 0 && (
        <>
          <h4 className={classes.part}>Parameters</h4>
          <Parameters parameters={parameters} />
        </>
      )}
      {contents.map(({ label, description: words, forms }) => (
        <div key={label}>
          <h4 className={classes.part}>
            {label}
            {words && <span className={classes.words}>{words}</span>}
          </h4>
          {forms.map(({ media, schema }) => (
            <div key={media} className={classes.form}>
              <Text size="xs" c="dimmed">
                {media}
              </Text>
              <SchemaView schema={schema} />
            </div>
          ))}
        </div>
      ))}
    </div>
  )
}

function Schemas({ view: { schemas } }: { view: ApiView }) {
  const { schema: open } = useSearchParams()
  const set = useSetSearchParams()
  return (
    <Section title="Schemas">
      {schemas.map(({ name, schema }) => {
        const here = name === open
        const Chevron = here ? IconChevronDown : IconChevronRight
        return (
          <div key={name} className={classes.operation}>
            <UnstyledButton className={classes.row} aria-expanded={here} onClick={() => set({ schema: here ? undefined : name })}>
              <Chevron size={14} aria-hidden />
              <span className={classes.name}>{name}</span>
              <span className={classes.title}>{schema.type}</span>
            </UnstyledButton>
            {here && (
              <div className={classes.details}>
                <SchemaView schema={schema} />
              </div>
            )}
          </div>
        )
      })}
    </Section>
  )
}
