/** The few pages around subscriptions: without script, their forms lead back to this server only. Pure. */
import { contentPolicy, document, escaped } from '../html.ts'

/** As on every status page, with forms. */
export const formPolicy = contentPolicy.replace("form-action 'none'", "form-action 'self'")

export function saidHtml(title: string, text: string): string {
  return document(title, `<main><h1>${escaped(title)}</h1><p>${escaped(text)}</p></main>`)
}

/** Posts to its own address. */
export function buttonHtml(title: string, button: string): string {
  return document(title, `<main><h1>${escaped(title)}</h1><form method="post"><button>${escaped(button)}</button></form></main>`)
}

/** `action`: path that the address is posted to. */
export function subscribeHtml(action: string): string {
  return `<section aria-label="Subscribe"><h2>Be told of updates</h2><form method="post" action="${escaped(action)}"><label>Mail address <input type="email" name="address" required maxlength="254" autocomplete="email"></label> <button>Subscribe</button></form><p class="quiet">You are asked by mail first. Each mail has a link that ends it, and deletes the address here.</p></section>`
}
