/** Any values, for reading: names in words, times as time since, addresses as links, what looks secret behind a button. */
import { Anchor, Text, UnstyledButton } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { Ago } from './ago.tsx'
import { Status } from './status.tsx'
import { wordsOf } from './schema-plan.ts'
import classes from './value-view.module.css'

const secretName = /secret|token|passw|passphrase|credential|private|api_?key|dsn|database_url/i
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

interface ValueViewProps {
  value: unknown
  /** Of the field that holds it: says whether it looks secret. */
  name?: string
  /** Names below are a person's own (environment variables, labels), not words of ours. */
  literal?: boolean
}

export function ValueView({ value, name = '', literal = false }: ValueViewProps): ReactNode {
  if (value === undefined || value === null || value === '') return <Quiet>not set</Quiet>
  if (Array.isArray(value)) return <Items items={value} name={name} />
  if (typeof value === 'object') return <Pairs values={value as Record<string, unknown>} literal={literal} />
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  if (typeof value === 'number') return value.toLocaleString()
  return <TextValue text={String(value)} name={name} />
}

function TextValue({ text, name }: { text: string; name: string }) {
  if (secretName.test(name)) return <Masked text={text} />
  if (timeForm.test(text)) return <Ago at={text} />
  if (/^https?:\/\/\S+$/.test(text)) {
    return (
      <Anchor size="sm" href={text} target="_blank" rel="noopener noreferrer">
        {text}
      </Anchor>
    )
  }
  if (name === 'phase' || name === 'state') return <Status word={text} />
  return <span className={classes.text}>{text}</span>
}

function Masked({ text }: { text: string }) {
  const [shown, setShown] = useState(false)
  return (
    <>
      <span className={classes.text}>{shown ? text : '••••••••'}</span>{' '}
      <UnstyledButton className={classes.show} onClick={() => setShown(!shown)}>
        {shown ? 'Hide' : 'Show'}
      </UnstyledButton>
    </>
  )
}

/** Maps whose names are written by people; below them nothing is turned into words. */
const literalMaps = new Set(['env', 'config', 'labels', 'annotations', 'facts', 'processes', 'environments', 'scale', 'restart'])

function Pairs({ values, literal }: { values: Record<string, unknown>; literal: boolean }) {
  const names = Object.keys(values).filter((name) => values[name] !== undefined)
  if (names.length === 0) return <Quiet>empty</Quiet>
  return (
    <dl className={classes.pairs}>
      {names.map((name) => (
        <div key={name} className={classes.pair} data-nested={isNested(values[name]) || undefined}>
          <dt className={classes.name} data-literal={literal || undefined}>
            {literal ? name : wordsOf(name)}
          </dt>
          <dd className={classes.value}>
            <ValueView value={values[name]} name={name} literal={literalMaps.has(name)} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Stands below its name instead of beside it. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (Array.isArray(value) ? value.some((item) => typeof item === 'object') : Object.keys(value).length > 0)
}

function Items({ items, name }: { items: unknown[]; name: string }) {
  if (items.length === 0) return <Quiet>none</Quiet>
  if (items.every((item) => typeof item !== 'object' || item === null)) return <span className={classes.text}>{items.join(', ')}</span>
  return (
    <ol className={classes.items}>
      {items.map((item, index) => (
        <li key={index}>
          <ValueView value={item} name={name} />
        </li>
      ))}
    </ol>
  )
}

function Quiet({ children }: { children: ReactNode }) {
  return (
    <Text span size="sm" c="dimmed">
      {children}
    </Text>
  )
}
