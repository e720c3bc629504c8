/** What went wrong: code, what, why, what to do, what state things are in now, where to read on. */
import { Alert, Anchor, List, Stack, Text } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { ApiError, type Details } from '../frame/api.ts'
import classes from './error-state.module.css'

export function ErrorState({ error }: { error: Error }) {
  return <ProblemState problem={error instanceof ApiError ? error.details : { message: error.message }} />
}

/** The same for a coded problem that stands in the status of a resource. */
export function ProblemState({ problem }: { problem: Partial<Details> & { message: string } }) {
  const { code, message, why, fix, state, more, causes = [] } = problem
  return (
    <Alert classNames={classes} icon={<IconAlertTriangle size={18} />} title={code} role="alert">
      <Stack gap={4}>
        <Text size="sm">{message}</Text>
        {causes.length > 0 && (
          <List size="sm">
            {causes.map(({ field, message: cause }) => (
              <List.Item key={`${field} ${cause}`}>
                <b>{field}</b> {cause}
              </List.Item>
            ))}
          </List>
        )}
        {why && <Line name="Why" text={why} />}
        {fix && <Line name="Fix" text={fix} />}
        {state && <Line name="Now" text={state} />}
        {more && <Line name="More" text={more} />}
        {code && /^[A-Z_]+$/.test(code) && (
          <Anchor size="sm" renderRoot={(props) => <Link to={`/docs/errors/${code}`} {...props} />}>
            About {code}
          </Anchor>
        )}
      </Stack>
    </Alert>
  )
}

function Line({ name, text }: { name: string; text: string }) {
  return (
    <Text size="sm">
      <Text span inherit fw={600}>
        {name}
      </Text>{' '}
      {text}
    </Text>
  )
}
