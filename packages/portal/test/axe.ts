/** What axe-core finds wrong for people with disabilities; only what it calls serious or critical. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

/** One line a violation: the rule, and the first element that breaks it. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // The content policy keeps scripts out of the page, so it goes in as the debugger's own.
  await page.evaluate(source)
  const violations = await page.evaluate<Violation[]>('axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations)')
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)} ${nodes[0]!.failureSummary.replaceAll('\n', ' ').slice(0, 200)}`)
}
