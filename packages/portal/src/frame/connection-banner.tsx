/** Says that what is shown may be old, once the connection has been away for longer than a blink. Lies over the page, so nothing jumps. */
import { Button, Text } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Ago } from '../pieces/ago.tsx'
import { live, useLiveState } from './live.ts'
import classes from './shell.module.css'

const blinkMs = 1500

export function ConnectionBanner() {
  const state = useLiveState()
  const [lostAt, setLostAt] = useState<string>()
  useEffect(() => {
    if (state !== 'lost') return
    const at = new Date().toISOString()
    const timer = window.setTimeout(() => setLostAt(at), blinkMs)
    return () => {
      window.clearTimeout(timer)
      setLostAt(undefined)
    }
  }, [state])
  return (
    <div role="status" className={classes.bannerPlace}>
      {lostAt !== undefined && (
        <div className={classes.banner}>
          <IconPlugConnectedX size={16} aria-hidden />
          <Text size="sm">
            The connection was lost <Ago at={lostAt} />. What you see is from then; it goes on by itself.
          </Text>
          <Button size="compact-xs" variant="default" onClick={() => live.retry()}>
            Try now
          </Button>
        </div>
      )}
    </div>
  )
}
