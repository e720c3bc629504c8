/** Findings of one app, each with all that is to be done about it. */
import type { PolicyFinding } from '@pavior/contract'
import { Group, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Ago } from '../../pieces/ago.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { rankOf, Word } from './words.tsx'

const order: PolicyFinding['outcome'][] = ['error', 'broken', 'exempt', 'unknown', 'kept']

export function FindingList({ items, action }: { items: PolicyFinding[]; action: (finding: PolicyFinding) => ReactNode }) {
  const sorted = items.toSorted((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome) || rankOf(other.severity) - rankOf(one.severity))
  return (
    <Stack component="ul" gap="md" p={0} m={0} aria-label="Findings">
      {sorted.map((finding) => (
        <Finding key={[finding.kind, finding.name, finding.environment, finding.policy, finding.rule].join('/')} finding={finding} action={action(finding)} />
      ))}
    </Stack>
  )
}

function Finding({ finding, action }: { finding: PolicyFinding; action: ReactNode }) {
  const { outcome, policy, rule, severity, environment, message, fix, exception, since } = finding
  return (
    <li style={{ listStyle: 'none' }}>
      <Group gap="xs">
        <Word word={outcome} />
        <GoLink to={`/policies/${policy}`} size="sm">
          {policy}/{rule}
        </GoLink>
        <Text size="xs" c="dimmed" span>
          {[severity, environment].filter(Boolean).join(' · ')} · <Ago at={since} />
        </Text>
      </Group>
      <Text size="sm">{outcome === 'exempt' ? `Covered by the exception ${exception}.` : message}</Text>
      {(outcome === 'broken' || outcome === 'error') && fix && (
        <Text size="sm" c="dimmed">
          {fix}
        </Text>
      )}
      {action}
    </li>
  )
}
