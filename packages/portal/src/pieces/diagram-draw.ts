/**
 * Draws Mermaid diagrams under a strict content policy.
 *
 * The library measures texts in the page, with a style element and style attributes of its own, which the policy refuses.
 * While it draws, its style elements carry the page's nonce and its style attributes go through the object model. What it draws
 * leaves the page as text and comes back as an image, which the browser keeps apart from the page.
 */
import source from '@mermaid-js/tiny/dist/mermaid.tiny.js?url'
import { nonce } from '../frame/nonce.ts'

interface Mermaid {
  initialize: (config: object) => void
  parse: (text: string) => Promise<unknown>
  render: (id: string, text: string) => Promise<{ svg: string }>
}

export interface Drawn {
  /** data: URL of an SVG. */
  url: string
  /** Pixels. */
  width: number
  height: number
}

/** Longer ones would hold the page for seconds. */
const mostCharacters = 20_000
const mostEdges = 300
const longestReason = 300
/** Attribute that stands for `style` while the sanitiser looks. */
const stylePassing = 'data-passing-style'
const config = {
  startOnLoad: false,
  securityLevel: 'strict',
  htmlLabels: false,
  flowchart: { htmlLabels: false },
  class: { htmlLabels: false },
  suppressErrorRendering: true,
  maxTextSize: mostCharacters,
  maxEdges: mostEdges,
  fontFamily: 'system-ui, sans-serif',
  // What the text of a diagram may not change.
  secure: ['secure', 'securityLevel', 'startOnLoad', 'maxTextSize', 'maxEdges', 'suppressErrorRendering', 'htmlLabels', 'flowchart', 'class', 'themeCSS', 'fontFamily', 'dompurifyConfig'],
}

let loading: Promise<Mermaid> | undefined
let drawing: Promise<unknown> = Promise.resolve()
let count = 0

/** Throws an error whose message says what is wrong with the text. */
export function drawDiagram(text: string, scheme: 'light' | 'dark'): Promise<Drawn> {
  // One after the other: the library has one configuration for all.
  const turn = drawing.then(() => draw(text, scheme))
  drawing = turn.catch(() => {})
  return turn
}

async function draw(text: string, scheme: 'light' | 'dark'): Promise<Drawn> {
  if (text.length > mostCharacters) throw new Error(`it has ${text.length.toLocaleString()} characters, and ${mostCharacters.toLocaleString()} are the most.`)
  const mermaid = await (loading ??= load())
  mermaid.initialize({ ...config, theme: scheme === 'dark' ? 'dark' : 'default' })
  const id = `diagram-${++count}`
  const stop = allowStyles()
  try {
    const { svg } = await mermaid.render(id, text)
    return asImage(svg)
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  } finally {
    stop()
    document.getElementById(`d${id}`)?.remove()
  }
}

function load(): Promise<Mermaid> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = source
    script.addEventListener('load', () => resolve((window as unknown as { mermaid: Mermaid }).mermaid))
    script.addEventListener('error', () => {
      loading = undefined
      reject(new Error('the program that draws could not be loaded.'))
    })
    document.head.append(script)
  })
}

/** Styles made meanwhile are ours; returns what ends it. */
function allowStyles(): () => void {
  const { createElement } = document
  const { setAttribute } = Element.prototype
  const { parseFromString } = DOMParser.prototype
  document.createElement = function (this: Document, name: string, options?: ElementCreationOptions) {
    const element = createElement.call(this, name, options)
    if (name === 'style') (element as HTMLStyleElement).nonce = nonce
    return element
  } as typeof document.createElement
  Element.prototype.setAttribute = function (name, value) {
    if (name === 'style' && 'style' in this) (this as SVGElement).style.cssText = String(value)
    else setAttribute.call(this, name, value)
  }
  // Its sanitiser parses apart from the page, where the policy holds too: style attributes pass under another name.
  DOMParser.prototype.parseFromString = function (text, type) {
    return parseFromString.call(this, String(text).replaceAll(' style="', ` ${stylePassing}="`).replaceAll('<style>', `<style nonce="${nonce}">`), type)
  }
  return () => {
    document.createElement = createElement
    Element.prototype.setAttribute = setAttribute
    DOMParser.prototype.parseFromString = parseFromString
  }
}

function asImage(svg: string): Drawn {
  const [, width = '600', height = '300'] = /viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/.exec(svg) ?? []
  // An image is XML, where HTML's names of characters are unknown.
  const xml = svg.replaceAll(` ${stylePassing}="`, ' style="').replaceAll(` nonce="${nonce}"`, '').replaceAll('&nbsp;', '\u00a0').replace(/<svg /, `<svg width="${width}" height="${height}" `).replace(/(<svg [^>]*?) width="100%"/, '$1')
  return { url: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(xml)}`, width: Math.ceil(Number(width)), height: Math.ceil(Number(height)) }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String((error as { str?: unknown } | undefined)?.str ?? error)
  return text.split('\n').filter((line) => line.trim() !== '').slice(0, 4).join(' ').slice(0, longestReason)
}
