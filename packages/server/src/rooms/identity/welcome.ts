/** The page behind a login link: exchanges the key for a token, once, when the person asks for it (a link preview must not use it up). */
import { createHash } from 'node:crypto'

const script = `
const form = document.querySelector('form')
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  form.querySelector('button').disabled = true
  const key = new URLSearchParams(location.search).get('key') ?? ''
  const response = await fetch('/v1/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key }) })
  const body = await response.json()
  history.replaceState(null, '', '/welcome')
  const out = document.querySelector('output')
  form.hidden = true
  if (!response.ok) { out.textContent = body.message; return }
  out.innerHTML = '<p></p><pre></pre><p>The token is shown this once and is valid until <time></time>.</p>'
  out.querySelector('p').textContent = 'You are ' + body.user + '. Sign the command line in with:'
  out.querySelector('pre').textContent = 'pavior login ' + location.origin + ' --token ' + body.token
  out.querySelector('time').textContent = new Date(body.expiresAt).toLocaleString()
})`

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:12vh auto;padding:0 1rem;color:#1c2024;background:#fff}
pre{padding:1rem;background:#f2f3f5;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere}
button{font:inherit;padding:.5rem 1rem;border-radius:6px;border:1px solid #1c2024;background:#1c2024;color:#fff;cursor:pointer}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#16181a}pre{background:#24272a}button{border-color:#e6e8eb;background:#e6e8eb;color:#16181a}}`

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

export const welcomePage = {
  policy: `default-src 'none'; connect-src 'self'; script-src ${hash(script)}; style-src ${hash(style)}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
  html: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Welcome to Pavior</title>
<style>${style}</style><main><h1>Welcome to Pavior</h1>
<form><p>This link signs you in once.</p><button>Sign in</button></form><output aria-live="polite"></output></main>
<script type="module">${script}</script></html>`,
}
