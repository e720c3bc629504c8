/** What axe-core finds wrong for people with disabilities; only what it calls serious or critical. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Violation {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

/** What depends on colours, and so on the appearance; everything else is the same in light and dark. */
const colourRules = ['color-contrast', 'link-in-text-block']

/** One line a violation: the rule, and the first element that breaks it. */
export function seriousViolations(page: Page): Promise<string[]> {
  return violationsOf(page, { resultTypes: ['violations'] })
}

/** Those of colours alone: for the other appearance of a page that was looked at whole. */
export function contrastViolations(page: Page): Promise<string[]> {
  return violationsOf(page, { resultTypes: ['violations'], runOnly: colourRules })
}

async function violationsOf(page: Page, options: axe.RunOptions): Promise<string[]> {
  // The content policy keeps scripts out of the page, so it goes in as the debugger's own; once a document.
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source)
  const violations = await page.evaluate<Violation[]>(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`)
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)} ${nodes[0]!.failureSummary.replaceAll('\n', ' ').slice(0, 200)}`)
}
