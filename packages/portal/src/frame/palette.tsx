/** Goes anywhere and does anything by typing. A chunk of its own, loaded when it is opened first. */
import { Code, Text } from '@mantine/core'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import '@mantine/spotlight/styles.css'
import { IconArrowRight, IconBolt, IconSearch } from '@tabler/icons-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { Keys } from '../pieces/keys.tsx'
import { useEntries, type Entry } from './palette-entries.ts'
import { rank } from './palette-rank.ts'
import { closePalette, usePaletteOpen } from './palette-state.ts'
import { recentIds, rememberChoice } from './recent.ts'
import classes from './palette.module.css'

/** No letter typed while it opens is lost, and none of the last time is there. */
const immediately = { duration: 0 }

const [store, spotlight] = createSpotlight()

export default function Palette() {
  const open = usePaletteOpen()
  const [query, setQuery] = useState('')
  const list = useRef<HTMLDivElement>(null)
  const recent = useMemo(() => (open ? recentIds() : []), [open])
  // Recent ones may be resources, so their names are asked for at once when there are some.
  const entries = useEntries(open && (query !== '' || recent.length > 0), open ? query : '')
  const shown = useMemo(() => (open ? rank(query, entries, recent) : []), [open, query, entries, recent])
  useEffect(() => {
    if (open) spotlight.open()
    else spotlight.close()
  }, [open])
  // Results come after the letters that ask for them; the first one is what Enter does.
  useLayoutEffect(() => selectFirst(list.current), [shown])
  return (
    <Spotlight.Root store={store} query={query} onQueryChange={setQuery} shortcut={null} onSpotlightClose={closePalette} scrollable maxHeight="min(60vh, 480px)" transitionProps={immediately} overlayProps={{ blur: 0, backgroundOpacity: 0.35 }}>
      <Spotlight.Search autoFocus placeholder="Go to, find or do" aria-label="Go to, find or do" leftSection={<IconSearch size={18} />} />
      <Spotlight.ActionsList ref={list} aria-label="Results">
        {shown.length === 0 && <Spotlight.Empty>{query === '' ? 'Type a name.' : `Nothing is called like “${query}”.`}</Spotlight.Empty>}
        {shown.map((entry) => (
          <Row key={entry.id} entry={entry} />
        ))}
      </Spotlight.ActionsList>
      <Spotlight.Footer className={classes.footer}>
        <Keys keys="↑" /> <Keys keys="↓" /> choose <Keys keys="↵" /> do <Keys keys="Esc" /> close
      </Spotlight.Footer>
    </Spotlight.Root>
  )
}

/** As the spotlight itself does when a letter is typed; it does not know of results that come later. */
function selectFirst(list: HTMLElement | null): void {
  list?.querySelector('[data-selected]')?.removeAttribute('data-selected')
  list?.querySelector('[data-action]')?.setAttribute('data-selected', 'true')
  store.updateState((state) => ({ ...state, selected: 0 }))
}

function Row({ entry: { id, label, group, note, cli, keys, icon, run } }: { entry: Entry }) {
  const Shown = icon ?? (group === 'Do' ? IconBolt : IconArrowRight)
  const choose = (): void => {
    rememberChoice(id)
    run()
  }
  return (
    <Spotlight.Action onClick={choose} className={classes.row}>
      <Shown size={16} stroke={1.7} />
      <span className={classes.label}>{label}</span>
      {note && (
        <Text span size="xs" c="dimmed" className={classes.note}>
          {note}
        </Text>
      )}
      {cli && <Code className={classes.cli}>{cli}</Code>}
      {keys && <Keys keys={keys} />}
    </Spotlight.Action>
  )
}
