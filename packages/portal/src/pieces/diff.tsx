/** What differs: files of a patch, and values by name. */
import type { ValueChange } from '@pavior/contract'
import { Badge, Code, Group, Table, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { parsePatch, type PatchFile, type PatchLine } from './patch.ts'
import { SecretValue } from './secret-value.tsx'
import classes from './diff.module.css'

/** Longer files are shown when they are asked for. */
const openLines = 200
const openFiles = 10

export function PatchView({ patch }: { patch: string }) {
  const files = useMemo(() => parsePatch(patch), [patch])
  return files.map((file, index) => <FileDiff key={file.path} file={file} open={index < openFiles && file.lines.length <= openLines} />)
}

const words = { added: 'new', removed: 'deleted', changed: '' }
const signs: Record<PatchLine['type'], string> = { added: '+', removed: '−', same: ' ', hunk: '' }

function FileDiff({ file, open }: { file: PatchFile; open: boolean }) {
  const [shown, setShown] = useState(open)
  const count = (type: PatchLine['type']): number => file.lines.filter((line) => line.type === type).length
  return (
    <details className={classes.file} open={open} onToggle={({ currentTarget }) => setShown(currentTarget.open)}>
      <summary className={classes.name}>
        <code>{file.path}</code>
        {words[file.state] && (
          <Badge size="xs" variant="default">
            {words[file.state]}
          </Badge>
        )}
        <span className={classes.counts}>
          <span className={classes.plus}>+{count('added')}</span> <span className={classes.minus}>−{count('removed')}</span>
        </span>
      </summary>
      {file.binary ? (
        <Text size="sm" c="dimmed" p="xs">
          A binary file; there is nothing to read.
        </Text>
      ) : (
        shown && <FileLines lines={file.lines} label={file.path} />
      )}
    </details>
  )
}

function FileLines({ lines, label }: { lines: PatchLine[]; label: string }) {
  return (
    <div className={classes.scroller} tabIndex={0} role="region" aria-label={`Changes of ${label}`}>
      <table className={classes.lines}>
        <tbody>
          {lines.map((line, index) => (
            <tr key={index} data-type={line.type}>
              <td className={classes.number}>{line.before ?? ''}</td>
              <td className={classes.number}>{line.after ?? ''}</td>
              <td className={classes.sign}>{signs[line.type]}</td>
              <td className={classes.text}>{line.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Values of names that look secret stay hidden until one asks. */
export function ValueChanges({ changes, label }: { changes: ValueChange[]; label: string }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={320}>
      <Table aria-label={label} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Before</Table.Th>
            <Table.Th>After</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map(({ name, before, after }) => (
            <Table.Tr key={name}>
              <Table.Td>
                <Code>{name}</Code>
              </Table.Td>
              <Table.Td>{before === undefined ? <Absent word="not set" /> : <SecretValue name={name} value={before} />}</Table.Td>
              <Table.Td>{after === undefined ? <Absent word="removed" /> : <SecretValue name={name} value={after} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Absent({ word }: { word: string }) {
  return (
    <Group gap={4}>
      <Text size="sm" c="dimmed">
        {word}
      </Text>
    </Group>
  )
}
