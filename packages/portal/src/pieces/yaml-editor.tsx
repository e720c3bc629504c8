/** YAML to write or to read, with line numbers and folding. The editor itself is a chunk of its own. */
import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'

const View = lazy(() => import('./yaml-editor-view.tsx'))
const lineHeightPx = 20

export interface YamlEditorProps {
  value: string
  /** Without it the text is only read. */
  onChange?: (value: string) => void
  /** For screen readers. */
  label: string
}

export function YamlEditor(props: YamlEditorProps) {
  const lines = Math.min(24, props.value.split('\n').length)
  return (
    <Suspense fallback={<Skeleton height={lines * lineHeightPx + 8} />}>
      <View {...props} />
    </Suspense>
  )
}
