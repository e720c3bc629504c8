import { Stack, Title } from '@mantine/core'
import type { Condition, Resource } from '@pavior/contract'
import type { ReactNode } from 'react'
import type { Details } from '../../frame/api.ts'
import { Ago } from '../../pieces/ago.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { Status } from '../../pieces/status.tsx'
import { ValueView } from '../../pieces/value-view.tsx'
import classes from './kinds.module.css'

/** Is it fine, what is it, what was asked for. */
export function Overview({ resource: { spec, status, metadata } }: { resource: Resource }) {
  const { conditions, problem, observedGeneration: _, ...observed } = (status ?? {}) as { conditions?: Condition[]; problem?: Details; observedGeneration?: number }
  return (
    <Stack gap="lg">
      {problem && <ProblemState problem={problem} />}
      {conditions && conditions.length > 0 && (
        <Part title="Conditions">
          {conditions.map((condition) => (
            <div key={condition.type} className={classes.event}>
              <Status word={condition.type} tone={{ True: 'good' as const, False: 'bad' as const, Unknown: 'warn' as const }[condition.status]} />
              <div className={classes.words}>
                {condition.message} <Ago at={condition.lastTransitionTime} />
              </div>
            </div>
          ))}
        </Part>
      )}
      {Object.keys(observed).length > 0 && (
        <Part title="What is">
          <ValueView value={observed} />
        </Part>
      )}
      <Part title="What was asked for">
        <ValueView value={spec} />
      </Part>
      {(metadata.labels ?? metadata.annotations) && (
        <Part title="Labels and notes">
          <ValueView value={{ labels: metadata.labels, annotations: metadata.annotations }} />
        </Part>
      )}
    </Stack>
  )
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <Title order={2} size="h3" mb={4}>
        {title}
      </Title>
      {children}
    </section>
  )
}
