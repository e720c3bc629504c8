/** A schema for reading: fields with their types, what limits them, and what they name, opened in place. */
import { Badge, Code, Text, UnstyledButton } from '@mantine/core'
import type { ApiParameter, ApiProperty, ApiSchema } from '@pavior/contract'
import { createContext, useContext, useState, type ReactNode } from 'react'
import classes from './schema-view.module.css'

/** By name: what schemas name. */
const Named = createContext<ReadonlyMap<string, ApiSchema>>(new Map())

export function NamedSchemas({ schemas, children }: { schemas: readonly { name: string; schema: ApiSchema }[]; children: ReactNode }) {
  return <Named value={new Map(schemas.map(({ name, schema }) => [name, schema]))}>{children}</Named>
}

/** Deeper ones are opened by whoever wants to see them. */
const openDepth = 1

export function SchemaView({ schema, depth = 0 }: { schema: ApiSchema; depth?: number }) {
  return (
    <div className={classes.schema}>
      <Line schema={schema} />
      <Within schema={schema} depth={depth} />
    </div>
  )
}

/** Type, limits and words, in one line. */
function Line({ schema }: { schema: ApiSchema }) {
  const { description, deprecated, notes = [], values = [] } = schema
  return (
    <>
      <span className={classes.type}>{wordOf(schema)}</span>
      {deprecated && (
        <Badge size="xs" variant="outline" color="gray" ml={6}>
          deprecated
        </Badge>
      )}
      {notes.length > 0 && <span className={classes.notes}>{notes.join(' · ')}</span>}
      {values.length > 0 && (
        <span className={classes.values}>
          {values.map((value) => (
            <Code key={value}>{value}</Code>
          ))}
        </span>
      )}
      {description && (
        <Text size="sm" c="dimmed" className={classes.description}>
          {description}
        </Text>
      )}
    </>
  )
}

/** `array of Order`, `map of integer`. */
function wordOf({ type, ref, items, entries, values }: ApiSchema): string {
  if (ref !== undefined) return ref
  if (items) return `${type || 'array'} of ${wordOf(items)}`
  if (entries) return `map of ${wordOf(entries)}`
  return type || (values ? 'one value of' : 'anything')
}

function Within({ schema, depth }: { schema: ApiSchema; depth: number }) {
  const { ref, properties, items, entries, parts } = schema
  if (ref !== undefined) return <Reference name={ref} depth={depth} />
  return (
    <>
      {properties && <Properties properties={properties} depth={depth} />}
      {items && hasMore(items) && <Within schema={items} depth={depth} />}
      {entries && hasMore(entries) && <Within schema={entries} depth={depth} />}
      {parts && (
        <ul className={classes.parts}>
          {parts.map((part, index) => (
            <li key={index}>
              <SchemaView schema={part} depth={depth + 1} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function hasMore({ ref, properties, items, entries, parts }: ApiSchema): boolean {
  return ref !== undefined || properties !== undefined || parts !== undefined || (items !== undefined && hasMore(items)) || (entries !== undefined && hasMore(entries))
}

/** What another schema says, opened in place; it may name itself, so the depth is up to the reader. */
function Reference({ name, depth }: { name: string; depth: number }) {
  const named = useContext(Named).get(name)
  const [open, setOpen] = useState(depth < openDepth)
  if (!named) return null
  const plain = !hasMore(named)
  if (plain) return <Line schema={named} />
  return (
    <>
      {' '}
      <UnstyledButton className={classes.toggle} aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? `Close ${name}` : `Open ${name}`}
      </UnstyledButton>
      {open && (
        <>
          {named.description && (
            <Text size="sm" c="dimmed" className={classes.description}>
              {named.description}
            </Text>
          )}
          {named.parts && <span className={classes.type}> {named.type}</span>}
          <Within schema={named} depth={depth + 1} />
        </>
      )}
    </>
  )
}

function Properties({ properties, depth }: { properties: ApiProperty[]; depth: number }) {
  return (
    <dl className={classes.properties}>
      {properties.map(({ name, required, schema, parameters }) => (
        <div key={name} className={classes.property}>
          <dt className={classes.name}>
            {name}
            {required && <Required />}
          </dt>
          <dd className={classes.value}>
            <SchemaView schema={schema} depth={depth + 1} />
            {parameters && <Parameters parameters={parameters} />}
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Parameters of an operation, or arguments of a field. */
export function Parameters({ parameters }: { parameters: readonly ApiParameter[] }) {
  return (
    <dl className={classes.properties}>
      {parameters.map(({ name, place, required, description, schema }) => (
        <div key={`${place} ${name}`} className={classes.property}>
          <dt className={classes.name}>
            {name}
            {required && <Required />}
            <Text size="xs" c="dimmed" span ml={6}>
              {place}
            </Text>
          </dt>
          <dd className={classes.value}>
            <SchemaView schema={description === undefined ? schema : { ...schema, description }} depth={1} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Required() {
  return (
    <Text span size="xs" className={classes.required}>
      required
    </Text>
  )
}
