/** Status pages as HTML without script, and as an Atom feed. Pure. */
import { createHash } from 'node:crypto'
import type { ComponentState, DayShare, ShownIncident, StatusView } from './plan.ts'

const style = `
:root{color-scheme:light dark;--text:#1b1f24;--quiet:#5f6770;--back:#fff;--line:#dde1e6;--good:#00785a;--warn:#9a5b00;--bad:#b83b00;--none:#cfd4da}
@media(prefers-color-scheme:dark){:root{--text:#e6e9ec;--quiet:#a3abb4;--back:#16191d;--line:#30363d;--good:#2ec4a0;--warn:#f0b429;--bad:#ff8a5c;--none:#3a4149}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:760px;padding:24px 16px 64px;font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
h1{font-size:24px;margin:0 0 8px}h2{font-size:18px;margin:32px 0 8px}h3{font-size:16px;margin:16px 0 4px}
p{margin:4px 0}a{color:inherit}.quiet{color:var(--quiet);font-size:14px}
.overall{font-size:20px;font-weight:600;margin:16px 0}
ul{list-style:none;margin:0;padding:0}li{border-top:1px solid var(--line);padding:12px 0}
.row{display:flex;justify-content:space-between;gap:16px}.row b{font-weight:600}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
input,button{font:inherit;color:inherit;background:var(--back);border:1px solid var(--quiet);border-radius:4px;padding:6px 10px}
svg{display:block;width:100%;height:28px;margin:6px 0 2px}
.f-good{fill:var(--good)}.f-warn{fill:var(--warn)}.f-bad{fill:var(--bad)}.f-none{fill:var(--none)}
`
/** The only style that a browser takes on these pages. */
export const contentPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const shapes: Record<ComponentState, { sign: string; tone: string }> = {
  Operational: { sign: '●', tone: 'good' },
  Degraded: { sign: '▲', tone: 'warn' },
  'Partial outage': { sign: '◆', tone: 'bad' },
  'Major outage': { sign: '■', tone: 'bad' },
}
const overallWords: Record<ComponentState, string> = {
  Operational: 'Everything works.',
  Degraded: 'Something is slower or worse than usual.',
  'Partial outage': 'Something does not work for many.',
  'Major outage': 'Something does not work.',
}

/** Text of people, as text: what is no letter of XML is left out. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

export function document(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title>${head}<style>${style}</style></head>
<body>${body}</body></html>
`
}

export interface PageLinks {
  /** Path of the feed. */
  feed: string
  /** What leads to a subscription; empty where there is none. */
  subscribe: string
}

export function pageHtml(view: StatusView, { feed, subscribe }: PageLinks): string {
  const open = view.incidents.filter(({ over }) => !over)
  const past = view.incidents.filter(({ over }) => over)
  const body = `
<main>
<h1>${escaped(view.title)}</h1>
${overallHtml(view.overall)}
${open.length === 0 ? '' : `<section aria-label="Now"><h2>Now</h2>${open.map(incidentHtml).join('')}</section>`}
<h2>Parts</h2>
<ul>${view.components.map(componentHtml).join('')}</ul>
<section aria-label="Past"><h2>Past two weeks</h2>${past.length === 0 ? '<p class="quiet">Nothing was reported.</p>' : past.map(incidentHtml).join('')}</section>
${subscribe}
<p class="quiet">As of ${timeHtml(view.at)}. <a href="${escaped(feed)}">Follow by feed</a></p>
</main>`
  return document(view.title, body, `<link rel="alternate" type="application/atom+xml" title="${escaped(view.title)}" href="${escaped(feed)}">`)
}

function overallHtml(state: ComponentState): string {
  const { sign, tone } = shapes[state]
  return `<p class="overall"><span class="${tone}" aria-hidden="true">${sign}</span> ${overallWords[state]}</p>`
}

function stateHtml(state: ComponentState | undefined): string {
  if (state === undefined) return '<span class="quiet">Not known</span>'
  const { sign, tone } = shapes[state]
  return `<span class="${tone}"><span aria-hidden="true">${sign}</span> ${state}</span>`
}

function componentHtml({ name, state, days, good }: StatusView['components'][number]): string {
  return `<li><div class="row"><b>${escaped(name)}</b>${stateHtml(state)}</div>${good === undefined ? '' : `${barsSvg(days)}<div class="row quiet"><span>${days.length} days ago</span><span>${percent(good)} good</span><span>today</span></div>`}</li>`
}

function barsSvg(days: readonly DayShare[]): string {
  const bars = days.map(({ day, good }, index) => `<rect class="f-${good === undefined ? 'none' : good >= 0.999 ? 'good' : good >= 0.95 ? 'warn' : 'bad'}" x="${index * 8}" width="6" height="28" rx="1"><title>${day}: ${good === undefined ? 'nothing counted' : `${percent(good)} good`}</title></rect>`)
  return `<svg viewBox="0 0 ${days.length * 8} 28" preserveAspectRatio="none" role="img" aria-label="Share of good answers, day by day">${bars.join('')}</svg>`
}

/** Rounded down: it never says more than was so. */
function percent(share: number): string {
  return `${Math.floor(share * 1e4) / 100} %`
}

function incidentHtml({ title, state, updates }: ShownIncident): string {
  return `<article><h3>${escaped(title)} <span class="quiet">${state}</span></h3>${updates.map((update) => `<p><span class="quiet">${timeHtml(update.at)}${update.state === '' ? '' : `, ${update.state}`}</span><br>${escaped(update.text).replaceAll('\n', '<br>')}</p>`).join('')}</article>`
}

function timeHtml(iso: string): string {
  return `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

export interface Overview {
  parts: { name: string; works: boolean }[]
  pages: { path: string; title: string; overall: ComponentState }[]
  at: string
}

export function overviewHtml({ parts, pages, at }: Overview): string {
  const works = parts.every((part) => part.works)
  const body = `
<main>
<h1>Platform</h1>
${overallHtml(works ? 'Operational' : 'Partial outage')}
<ul>${parts.map((part) => `<li class="row"><b>${escaped(part.name)}</b>${stateHtml(part.works ? 'Operational' : 'Major outage')}</li>`).join('')}</ul>
${pages.length === 0 ? '' : `<h2>Pages of teams</h2><ul>${pages.map((page) => `<li class="row"><a href="${escaped(page.path)}">${escaped(page.title)}</a>${stateHtml(page.overall)}</li>`).join('')}</ul>`}
<p class="quiet">As of ${timeHtml(at)}.</p>
</main>`
  return document('Platform status', body)
}

export function nothingHtml(): string {
  return document('No status page', '<main><h1>There is no status page here.</h1><p>The address may be wrong, or the page is for people who are signed in.</p></main>')
}

/** RFC 4287: an entry for each update. `base` is the address of the page. */
export function feedXml({ title, incidents, at }: StatusView, base: string): string {
  const entries = incidents.flatMap((incident) => incident.updates.map((update) => ({ ...update, incident }))).toSorted((one, other) => other.at.localeCompare(one.at))
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>${escaped(title)}</title><id>${escaped(base)}</id><link href="${escaped(base)}"/><link rel="self" href="${escaped(base)}/feed.atom"/><updated>${entries[0]?.at ?? at}</updated><author><name>${escaped(title)}</name></author>
${entries.map(({ at: said, text, state, incident }) => `<entry><id>${escaped(base)}#${incident.id}-${Date.parse(said)}</id><title>${escaped(incident.title)}${state === '' ? '' : `: ${state}`}</title><updated>${said}</updated><link href="${escaped(base)}"/><content type="text">${escaped(text)}</content></entry>`).join('\n')}
</feed>
`
}
