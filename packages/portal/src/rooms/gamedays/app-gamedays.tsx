/** What was put to the test of one app. */
import { useAppPlace } from '../../frame/apps.ts'
import { useCollection } from '../../frame/collections.ts'
import type { GameDay } from './reads.ts'
import { GameDayTable } from './table.tsx'

export default function AppGameDays() {
  const { team, app } = useAppPlace()
  const { items, loading } = useCollection<GameDay>('gamedays', { team, fieldSelector: `spec.app=${app}` })
  return <GameDayTable items={items} loading={loading} commands={[`pavior gameday add slow-dependency --app ${app} --environment <environment> --team ${team}`]} />
}
