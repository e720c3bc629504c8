/**
 * A Mermaid diagram. It is drawn apart and shown as an image, which runs nothing and reaches nothing of the page; one that cannot
 * be drawn shows its text and the reason.
 */
import { Code, Skeleton, Text, useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import classes from './diagram.module.css'

export default function Diagram({ text }: { text: string }) {
  const scheme = useComputedColorScheme('light')
  const { data, error } = useQuery({
    queryKey: ['diagram', scheme, text],
    // The program that draws is large: only pages with a diagram load it.
    queryFn: async () => (await import('./diagram-draw.ts')).drawDiagram(text, scheme),
    staleTime: Infinity,
    retry: false,
  })
  const [broken, setBroken] = useState(false)
  if (error || broken) return <Undrawn text={text} reason={error?.message ?? 'the picture cannot be shown.'} />
  if (!data) return <Skeleton height={160} mb="md" />
  return (
    <figure className={classes.figure}>
      <img src={data.url} width={data.width} height={data.height} alt={altOf(text)} onError={() => setBroken(true)} />
      <details className={classes.source}>
        <summary>Text of the diagram</summary>
        <Code block>{text}</Code>
      </details>
    </figure>
  )
}

function Undrawn({ text, reason }: { text: string; reason: string }) {
  return (
    <>
      <Text size="sm" role="note">
        This diagram cannot be drawn: {reason}
      </Text>
      <Code block tabIndex={0}>
        {text}
      </Code>
    </>
  )
}

/** What the author says of it (accDescr, accTitle, title); else its kind, and its text is beside it. */
function altOf(text: string): string {
  const said = (word: string): string | undefined => new RegExp(`^\\s*${word}\\s*:?\\s*\\{?\\s*([^}\\n]+)`, 'm').exec(text)?.[1]?.trim()
  const kind = /^\s*(?:---[\s\S]*?---\s*)?(?:%%.*\n\s*)*([A-Za-z]+)/.exec(text)?.[1] ?? 'diagram'
  return said('accDescr') ?? said('accTitle') ?? said('title') ?? `Diagram (${kind}); its text follows.`
}
