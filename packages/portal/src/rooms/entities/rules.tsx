/** Rules of a scorecard with how an app does: what is missing first, with what to do. */
import type { RuleResult } from '@pavior/contract'
import { Text } from '@mantine/core'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import classes from './entities.module.css'

const tones: Record<RuleResult['outcome'], Tone> = { kept: 'good', broken: 'bad', unknown: 'warn', exempt: 'idle' }
const order = { broken: 0, unknown: 1, exempt: 2, kept: 3 }

export function Rules({ rules }: { rules: RuleResult[] }) {
  const sorted = rules.toSorted((one, other) => order[one.outcome] - order[other.outcome])
  return (
    <div role="list" aria-label="Rules">
      {sorted.map(({ rule, title, level, outcome, reason, fix }) => (
        <div key={rule} role="listitem" className={classes.rule}>
          <Status word={outcome} tone={tones[outcome]} />
          <div>
            <Text size="sm" fw={outcome === 'kept' ? 400 : 600}>
              {title}{' '}
              <Text span size="xs" c="dimmed">
                {level}
              </Text>
            </Text>
            {reason && outcome !== 'kept' && (
              <Text size="sm" c="dimmed">
                {reason}
              </Text>
            )}
            {fix && (outcome === 'broken' || outcome === 'unknown') && (isCommand(fix) ? <CopyCommand command={fix} /> : <Text size="sm">{fix}</Text>)}
          </div>
        </div>
      ))}
    </div>
  )
}

/** A fix that is a command line alone can be copied. */
function isCommand(text: string): boolean {
  return /^(pavior|git) [^,.]*$/.test(text)
}
