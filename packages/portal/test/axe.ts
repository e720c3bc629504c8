/** What axe-core finds wrong for people with disabilities; only what it calls serious or critical. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

interface Violation {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

/** One line a violation: the rule, and the first element that breaks it. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // The content policy keeps scripts out of the page, so it goes in as the debugger's own.
  await page.evaluate(axe.source)
  const violations = await page.evaluate<Violation[]>('axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)')
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)} ${nodes[0]!.failureSummary.replaceAll('\n', ' ').slice(0, 200)}`)
}
