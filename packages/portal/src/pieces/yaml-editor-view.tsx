import { yaml } from '@codemirror/lang-yaml'
import { basicSetup, EditorView } from 'codemirror'
import { useEffect, useRef } from 'react'
import { nonce } from '../frame/nonce.ts'
import type { YamlEditorProps } from './yaml-editor.tsx'
import './yaml-editor.css'

/** Colours come from the variables of the portal, so the editor follows the appearance by itself. */
const look = EditorView.theme({
  '&': { fontSize: '13px', border: '1px solid var(--line)', borderRadius: 'var(--mantine-radius-sm)', backgroundColor: 'var(--mantine-color-body)', color: 'var(--mantine-color-text)' },
  '&.cm-focused': { outline: '2px solid var(--focus)' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '20px', maxHeight: '70vh' },
  '.cm-gutters': { backgroundColor: 'var(--surface-sunken)', color: 'var(--mantine-color-dimmed)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--mantine-primary-color-filled) 8%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
})

/** Left to the browser, text that replaces a selection arrives with inline styles, which the content policy refuses. */
const replaceSelected = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { inputType, data } = event
    if (inputType !== 'insertText' || data === null || view.state.selection.main.empty) return false
    // Brackets and quotes go round the selection instead; the editor sees to that.
    if (/^[()[\]{}'"]$/.test(data)) return false
    view.dispatch({ ...view.state.replaceSelection(data), userEvent: 'input.type', scrollIntoView: true })
    event.preventDefault()
    return true
  },
})

export default function YamlEditorView({ value, onChange, label }: YamlEditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const changed = useRef(onChange)
  useEffect(() => {
    changed.current = onChange
  })
  const readOnly = onChange === undefined
  useEffect(() => {
    const editor = new EditorView({
      doc: value,
      parent: place.current!,
      extensions: [
        basicSetup,
        yaml(),
        look,
        replaceSelected,
        EditorView.cspNonce.of(nonce),
        EditorView.editable.of(!readOnly),
        EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', ...(readOnly ? { 'aria-readonly': 'true' } : {}) }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((transaction) => transaction.isUserEvent('outside'))) changed.current?.(update.state.doc.toString())
        }),
      ],
    })
    view.current = editor
    return () => editor.destroy()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the text goes in below, without losing the cursor
  }, [readOnly, label])
  useEffect(() => {
    const editor = view.current
    if (!editor || editor.state.doc.toString() === value) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, userEvent: 'outside' })
  }, [value])
  return <div ref={place} />
}
