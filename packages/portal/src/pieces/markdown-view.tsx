import { Skeleton } from '@mantine/core'
import { lazy, Suspense, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'
import { slug } from './slug.ts'

const Diagram = lazy(() => import('./diagram.tsx'))

type HeadingTag = 'h2' | 'h3' | 'h4' | 'h5' | 'h6'

/** The page has its heading of the first rank already, so every one here is a rank lower. */
function heading(Tag: HeadingTag) {
  return function Heading({ children }: { children?: ReactNode }) {
    const id = slug(textOf(children))
    return (
      <Tag id={id}>
        <a href={`#${id}`} className="quiet">
          {children}
        </a>
      </Tag>
    )
  }
}

function textOf(children: ReactNode): string {
  if (typeof children === 'string' || typeof children === 'number') return String(children)
  if (Array.isArray(children)) return (children as ReactNode[]).map(textOf).join('')
  if (children && typeof children === 'object' && 'props' in children) return textOf((children.props as { children?: ReactNode }).children)
  return ''
}

/** The text of a block in the language `mermaid`; undefined for every other block. */
function diagramIn(children: ReactNode): string | undefined {
  if (typeof children !== 'object' || children === null || !('props' in children)) return undefined
  const { className, children: text } = children.props as { className?: string; children?: ReactNode }
  return className?.split(' ').includes('language-mermaid') ? textOf(text) : undefined
}

const components: Components = {
  pre: ({ children }) => {
    const diagram = diagramIn(children)
    if (diagram === undefined) return <pre>{children}</pre>
    return (
      <Suspense fallback={<Skeleton height={160} mb="md" />}>
        <Diagram text={diagram} />
      </Suspense>
    )
  },
  h1: heading('h2'),
  h2: heading('h3'),
  h3: heading('h4'),
  h4: heading('h5'),
  h5: heading('h6'),
  h6: heading('h6'),
  a: ({ href, children }) => (
    <a href={href} rel="noopener noreferrer" target={href?.startsWith('#') ? undefined : '_blank'}>
      {children}
    </a>
  ),
  input: ({ checked }) => <input type="checkbox" checked={checked} disabled readOnly aria-label={checked ? 'done' : 'to do'} />,
  // A picture from elsewhere would tell its server who reads here; the content policy refuses it, so its words stand in.
  img: ({ src, alt }) => (typeof src === 'string' && src.startsWith('/') && !src.startsWith('//') ? <img src={src} alt={alt ?? ''} /> : <span>[{alt || 'picture'}]</span>),
}

export default function MarkdownView({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={[remarkGfm]} rehypePlugins={[rehypeSanitize]} components={components}>
      {text}
    </ReactMarkdown>
  )
}
