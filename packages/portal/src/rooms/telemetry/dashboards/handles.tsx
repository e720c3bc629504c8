/** What moves, sizes, opens and removes a panel while its dashboard is changed. */
import { ActionIcon } from '@mantine/core'
import { IconGripVertical, IconPencil, IconX } from '@tabler/icons-react'
import { useRef, type KeyboardEvent, type PointerEvent } from 'react'
import classes from './dashboards.module.css'

interface HandlesProps {
  title: string
  shift: (by: -1 | 1) => void
  resize: (by: { width?: number; height?: number }) => void
  remove: () => void
  open: () => void
}

const rowPixels = 48

export function Handles({ title, shift, resize, remove, open }: HandlesProps) {
  const press = (event: KeyboardEvent): void => {
    const acts: Record<string, () => void> = event.shiftKey
      ? { ArrowRight: () => resize({ width: 1 }), ArrowLeft: () => resize({ width: -1 }), ArrowDown: () => resize({ height: 1 }), ArrowUp: () => resize({ height: -1 }) }
      : { ArrowRight: () => shift(1), ArrowDown: () => shift(1), ArrowLeft: () => shift(-1), ArrowUp: () => shift(-1), Enter: open, Delete: remove }
    const found = acts[event.key]
    if (!found) return
    event.preventDefault()
    found()
  }
  return (
    <>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        className={classes.grip!}
        draggable
        onDragStart={(event) => event.dataTransfer.setData('text/plain', title)}
        onKeyDown={press}
        aria-label={`Move ${title}`}
        title="Drag it. Arrows move it, Shift with arrows sizes it, Enter changes it, Delete takes it away."
      >
        <IconGripVertical size={14} />
      </ActionIcon>
      <ActionIcon variant="subtle" color="gray" size="sm" onClick={open} aria-label={`Change ${title}`}>
        <IconPencil size={14} />
      </ActionIcon>
      <ActionIcon variant="subtle" color="gray" size="sm" onClick={remove} aria-label={`Take ${title} away`}>
        <IconX size={14} />
      </ActionIcon>
      <Corner resize={resize} />
    </>
  )
}

/** Drawn by the pointer; whole columns and rows at a time. */
function Corner({ resize }: Pick<HandlesProps, 'resize'>) {
  const last = useRef<{ x: number; y: number }>(undefined)
  const begin = (event: PointerEvent<HTMLSpanElement>): void => {
    event.preventDefault()
    event.currentTarget.setPointerCapture(event.pointerId)
    last.current = { x: event.clientX, y: event.clientY }
  }
  const move = (event: PointerEvent<HTMLSpanElement>): void => {
    const from = last.current
    const grid = event.currentTarget.closest(`.${classes.grid}`)
    if (!from || !grid) return
    const column = grid.clientWidth / 12
    const [width, height] = [Math.round((event.clientX - from.x) / column), Math.round((event.clientY - from.y) / rowPixels)]
    if (width === 0 && height === 0) return
    last.current = { x: from.x + width * column, y: from.y + height * rowPixels }
    resize({ width, height })
  }
  const end = (): void => {
    last.current = undefined
  }
  return <span className={classes.resize} onPointerDown={begin} onPointerMove={move} onPointerUp={end} onPointerCancel={end} aria-hidden />
}
