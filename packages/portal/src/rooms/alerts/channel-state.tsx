import type { NotificationChannelStatus } from '@pavior/contract'
import { Status } from '../../pieces/status.tsx'

/** How the last delivery ended. */
export function ChannelState({ status: { state } }: { status: NotificationChannelStatus }) {
  return state === 'Failing' ? <Status word="Failing" tone="bad" /> : <Status word="Working" tone="good" />
}
