/** The steps of a game day, with what was expected and what was seen. */
import { Group, Table, Text } from '@mantine/core'
import type { GameDayFigures, GameDaySpec, GameDayStepState } from '@pavior/contract'
import { Ago } from '../../pieces/ago.tsx'
import { Status } from '../../pieces/status.tsx'
import { stepStateOf } from './reads.ts'
import classes from './gamedays.module.css'

export function StepList({ spec, steps }: { spec: GameDaySpec; steps: GameDayStepState[] }) {
  return (
    <ol className={classes.steps} aria-label="Steps">
      {steps.map((state, index) => (
        <Step key={index} step={spec.steps[index]!} state={state} />
      ))}
    </ol>
  )
}

function Step({ step, state }: { step: GameDaySpec['steps'][number]; state: GameDayStepState }) {
  const { name, from, until, settledAt, outcome, before, during, after } = state
  const ends = state.state === 'Running' ? until : state.state === 'Settling' ? settledAt : undefined
  return (
    <li className={classes.step} data-active={ends !== undefined || undefined}>
      <Group gap="xs">
        <Status {...stepStateOf(state.state)} />
        <Text size="sm" fw={600} component="span">
          {name}
        </Text>
        <Text size="sm" c="dimmed" component="span">
          {step.seconds} s
          {from && (
            <>
              , from <Ago at={from} />
            </>
          )}
          {ends && (
            <>
              , ends <Ago at={ends} />
            </>
          )}
        </Text>
      </Group>
      {step.expect && (
        <Text size="sm" c="dimmed">
          Expected: {step.expect}
        </Text>
      )}
      {outcome && <Text size="sm">{outcome}</Text>}
      {during && <Figures name={name} rows={[['Before', before], ['During', during], ['After', after]]} />}
    </li>
  )
}

function Figures({ name, rows }: { name: string; rows: [string, GameDayFigures | undefined][] }) {
  return (
    <Table className={classes.figures} aria-label={`Figures of ${name}`} withRowBorders={false} verticalSpacing={2}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th aria-label="When" />
          <Table.Th>Requests</Table.Th>
          <Table.Th>Fail</Table.Th>
          <Table.Th>p95</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(([when, figures]) => (
          <Table.Tr key={when}>
            <Table.Th scope="row">{when}</Table.Th>
            <Table.Td>{figures?.requests || '–'}</Table.Td>
            <Table.Td>{figures?.requests ? `${Number(figures.errorPercent.toFixed(1))} %` : '–'}</Table.Td>
            <Table.Td>{figures?.p95Ms == null ? '–' : `${Math.round(figures.p95Ms)} ms`}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}
