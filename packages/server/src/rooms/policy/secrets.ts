/** What looks like a secret: forms that services give their keys, and long random text under a name that says so. */
import { bitsPerCharacter, secretForms } from '../../kernel/secret-forms.ts'

const secretName = /(^|[_.-])(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?)([_.-]|$)/i
/** Bits a character from which on text counts as random; words of a language stay below 4. */
const randomBits = 3.5
const shortestRandom = 20
const longestLooked = 8192

export function looksSecret(name: string, value: string): boolean {
  const text = value.slice(0, longestLooked)
  if (secretForms.some(({ form }) => form.test(text))) return true
  return secretName.test(name) && text.length >= shortestRandom && !/[\s/]/.test(text) && bitsPerCharacter(text) >= randomBits
}

/** Names of the variables that hold one, in order. */
export function plainSecrets(variables: Record<string, unknown>): string[] {
  return Object.entries(variables)
    .filter(([name, value]) => typeof value === 'string' && looksSecret(name, value))
    .map(([name]) => name)
    .toSorted()
}

/** Whether a value may be shown in a message under this path. */
export function mayBeShown(path: string, value: unknown): boolean {
  const name = path.split('.').at(-1) ?? ''
  if (typeof value === 'string') return !secretName.test(name) && !looksSecret('', value) && !(value.length >= shortestRandom && !value.includes(' ') && bitsPerCharacter(value) >= randomBits + 0.5)
  if (typeof value === 'object' && value !== null) return Object.entries(value).every(([key, inner]) => mayBeShown(key, inner))
  return !secretName.test(name)
}
