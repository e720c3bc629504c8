/** The log of the app whose page it is. */
import { useAppPlace } from '../../../frame/apps.ts'
import { LogExplorer } from './explorer.tsx'

export default function LogTab() {
  return <LogExplorer place={useAppPlace()} />
}
