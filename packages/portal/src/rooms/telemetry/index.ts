import { IconChartLine, IconListSearch, IconZoomQuestion } from '@tabler/icons-react'
import type { PortalRoom } from '../../frame/room.ts'

/** Of a request or a trace, as far as a form can tell: long, without blanks, and with a digit. */
const idForm = /^(?=.*[0-9])[A-Za-z0-9._~:+=@-]{12,128}$/

export const telemetry: PortalRoom = {
  name: 'telemetry',
  pages: [
    { path: '/explore/metrics', title: 'Metrics', load: () => import('./explorer.tsx'), navigation: { label: 'Metrics', icon: IconChartLine, section: 'work', key: 'm' } },
    { path: '/explore/logs', title: 'Logs', load: () => import('./logs/page.tsx'), navigation: { label: 'Logs', icon: IconListSearch, section: 'work' } },
    { path: '/explore/exports', title: 'Exports and sources', load: () => import('./exports.tsx') },
    { path: '/explore/exports/$team/$name', title: ({ name }) => name ?? 'Export', load: () => import('./export.tsx') },
    { path: '/why', title: 'Why', load: () => import('./why.tsx'), navigation: { label: 'Why', icon: IconZoomQuestion, section: 'work', key: 'q' } },
    { path: '/why/$request', title: 'Why', load: () => import('./why.tsx') },
    { path: '/traces/$request', title: 'Trace', load: () => import('./trace.tsx') },
  ],
  appTabs: [{ tab: 'logs', order: 20, label: 'Logs', load: () => import('./logs/tab.tsx') }, { tab: 'traces', order: 22, label: 'Traces', load: () => import('./traces.tsx') }],
  resources: { telemetryexports: ({ metadata }) => `/explore/exports/${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name)}` },
  typed: (text) => (idForm.test(text) ? { label: `What happened to request ${text}`, cli: `pavior why ${text}`, run: (go) => go(`/why/${encodeURIComponent(text)}`) } : undefined),
  commands: [
    { label: 'Explore metrics', keywords: 'promql query chart prometheus', cli: 'pavior metrics list', run: (go) => go('/explore/metrics') },
    { label: 'Say what happened to a request', keywords: 'why trace request id slow error x-request-id', cli: 'pavior why <request>', run: (go) => go('/why') },
    { label: 'See where telemetry goes', keywords: 'export otlp loki prometheus remote write source grafana', cli: 'pavior export list', run: (go) => go('/explore/exports') },
    { label: 'Explore logs', keywords: 'search lines errors grep', cli: 'pavior logs --level error', run: (go) => go('/explore/logs') },
  ],
}
