import { errorCatalogue, type ErrorEntry } from '@pavior/contract'
import { useParams } from '@tanstack/react-router'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { ValueView } from '../../pieces/value-view.tsx'

/** What the exit codes of the command line say about whose turn it is. */
const turns: Record<ErrorEntry['exit'], string> = { 1: 'The app: its code, its build or its configuration.', 2: 'The request: something about it can be corrected.', 3: 'A refusal: somebody may have to allow it.', 4: 'The platform: the app is not at fault.' }

export default function ErrorPage() {
  const { code = '' } = useParams({ strict: false }) as { code?: string }
  const entry = (errorCatalogue as Record<string, ErrorEntry>)[code]
  const crumbs = [{ label: 'Error codes', to: '/docs/errors' }]
  if (!entry) {
    return (
      <>
        <PageHeader title={code} crumbs={crumbs} />
        <EmptyState title="This version knows no such code" text="It may be of a newer or an older one, or of the portal itself." />
      </>
    )
  }
  return (
    <>
      <PageHeader title={code} crumbs={crumbs} text={entry.meaning} />
      <ValueView value={{ whatToDo: entry.fix, whoseTurnItIs: turns[entry.exit], answerOfTheApi: `HTTP ${entry.http}, reason ${entry.reason}`, exitCodeOfTheCommandLine: entry.exit }} />
    </>
  )
}
