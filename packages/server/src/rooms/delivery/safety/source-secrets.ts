/** Pure: lines of the source that look as if they held a secret. Values are never kept. */
import type { SecretFinding } from '@pavior/contract'
import { bitsPerCharacter, secretForms } from '../../../kernel/secret-forms.ts'

/** A user and a password in an address, but for those that every example has. */
const inAddress = { rule: 'password in an address', form: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/'"<>${}]{1,100}:(?!(?:password|pass|secret|postgres|root|admin|user|example|changeme|test|xxx+|\*+)@)[^\s:@/'"<>${}]{8,200}@[a-z0-9.-]+/i }
const forms = [...secretForms, inAddress]
/** `api_key = "…"`: a name that says so and long random text. */
const assignment = /(?:secret|password|passwd|token|api_?key|private_?key|access_?key|credential)s?["']?\s*(?::|=|=>|:=)\s*["']([A-Za-z0-9+/=_.-]{20,200})["']/i
/** Bits a character from which on text counts as random. */
const randomBits = 3.7
/** A line that says so is left out, as gitleaks and others do. */
const allowed = /gitleaks:allow|pragma: allowlist secret|nosec(?:ret)?\b/i
const longestLine = 4000

export function secretsIn(path: string, content: string): SecretFinding[] {
  return content.split('\n').flatMap((full, index) => {
    const line = full.slice(0, longestLine)
    if (allowed.test(line)) return []
    const rule = forms.find(({ form }) => form.test(line))?.rule ?? (isRandomAssignment(line) ? 'random text under the name of a secret' : undefined)
    return rule === undefined ? [] : [{ path, line: index + 1, rule }]
  })
}

function isRandomAssignment(line: string): boolean {
  const value = assignment.exec(line)?.[1]
  return value !== undefined && /[0-9]/.test(value) && /[A-Za-z]/.test(value) && bitsPerCharacter(value) >= randomBits
}

/** Files that hold no source of somebody's own, or random text by nature. */
export function mayHoldSecrets(path: string): boolean {
  return !/(^|\/)(node_modules|vendor|\.git|dist|build|target|\.venv|venv)\/|\.(lock|sum|svg|map|min\.js|min\.css|png|jpe?g|gif|webp|ico|woff2?|ttf|pdf|zip|gz|jar|wasm)$|(^|\/)(package-lock\.json|pnpm-lock\.yaml|npm-shrinkwrap\.json)$/i.test(path)
}
