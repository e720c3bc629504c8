/** Rules of a scorecard with how an app does: what is missing first, with what to do. */
import type { RuleResult } from '@pavior/contract'
import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import classes from './entities.module.css'

const tones: Record<RuleResult['outcome'], Tone> = { kept: 'good', broken: 'bad', unknown: 'warn', exempt: 'idle' }
const order = { broken: 0, unknown: 1, exempt: 2, kept: 3 }

/** `fix`: what stands beside a rule that the platform can fix. */
export function Rules({ rules, fix: fixOf }: { rules: RuleResult[]; fix?: (rule: RuleResult) => ReactNode }) {
  const sorted = rules.toSorted((one, other) => order[one.outcome] - order[other.outcome])
  return (
    <div role="list" aria-label="Rules">
      {sorted.map((result) => <Rule key={result.rule} result={result} button={result.fixable ? fixOf?.(result) : undefined} />)}
    </div>
  )
}

function Rule({ result: { title, level, outcome, reason, fix }, button }: { result: RuleResult; button: ReactNode }) {
  const open = outcome === 'broken' || outcome === 'unknown'
  return (
    <div role="listitem" className={classes.rule}>
      <Status word={outcome} tone={tones[outcome]} />
      <div>
        <Group justify="space-between" wrap="nowrap" align="start">
          <Text size="sm" fw={outcome === 'kept' ? 400 : 600}>
            {title}{' '}
            <Text span size="xs" c="dimmed">
              {level}
            </Text>
          </Text>
          {button}
        </Group>
        {reason && outcome !== 'kept' && (
          <Text size="sm" c="dimmed">
            {reason}
          </Text>
        )}
        {fix && open && (isCommand(fix) ? <CopyCommand command={fix} /> : <Text size="sm">{fix}</Text>)}
      </div>
    </div>
  )
}

/** A fix that is a command line alone can be copied. */
function isCommand(text: string): boolean {
  return /^(pavior|git) [^,.]*$/.test(text)
}
