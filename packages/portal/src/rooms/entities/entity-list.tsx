/** A list of entities as long as the catalogue: only what is on the screen is drawn, and more is fetched as one comes near its end. */
import type { CatalogRow } from '@pavior/contract'
import { Badge, Group, Text } from '@mantine/core'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { GoLink } from '../../pieces/go-link.tsx'
import { entityPath, partsOf } from './reads.ts'
import classes from './entities.module.css'

const rowHeight = 52
/** Rows drawn beyond the screen, and from which on more are fetched. */
const overscan = 12
const nearEnd = 40

interface EntityListProps {
  rows: CatalogRow[]
  /** Undefined at the end. */
  more: (() => void) | undefined
  loading: boolean
}

export function EntityList({ rows, more, loading }: EntityListProps) {
  const list = useRef<HTMLDivElement>(null)
  const virtualizer = useWindowVirtualizer({ count: rows.length, estimateSize: () => rowHeight, overscan, scrollMargin: list.current?.offsetTop ?? 0 })
  const shown = virtualizer.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (more && !loading && last >= rows.length - nearEnd) more()
  }, [last, rows.length, more, loading])
  return (
    <div ref={list} role="list" aria-label="Catalogue" className={classes.list} style={{ height: virtualizer.getTotalSize() }}>
      {shown.map(({ index, start, key }) => (
        <div key={key} role="listitem" aria-posinset={index + 1} aria-setsize={more ? -1 : rows.length} className={classes.row} style={{ transform: `translateY(${start - virtualizer.options.scrollMargin}px)` }}>
          <Row row={rows[index]!} />
        </div>
      ))}
    </div>
  )
}

function Row({ row: { ref, kind, namespace, name, title, description, type, owner, drift } }: { row: CatalogRow }) {
  const place = namespace === 'default' ? name : `${namespace}/${name}`
  return (
    <>
      <div className={classes.main}>
        <Group gap={6} wrap="nowrap">
          <GoLink to={entityPath(ref)} fw={600} truncate>
            {title ?? name}
          </GoLink>
          {place !== (title ?? name) && (
            <Text size="xs" c="dimmed" truncate>
              {place}
            </Text>
          )}
          {drift > 0 && (
            <Badge size="xs" variant="light" color="orange" title="What is declared and what is observed differ">
              drift
            </Badge>
          )}
        </Group>
        {description && (
          <Text size="sm" c="dimmed" truncate>
            {description}
          </Text>
        )}
      </div>
      <Text size="sm" className={classes.kind}>
        {kind}
        {type && ` · ${type}`}
      </Text>
      <div className={classes.owner}>{owner && <GoLink to={entityPath(owner)} size="sm" c="inherit">{partsOf(owner).name}</GoLink>}</div>
    </>
  )
}
