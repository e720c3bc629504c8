/** What looks like a secret: forms that services give their keys, and how random a text is. Pure; shared by whoever looks for them. */

export const secretForms: readonly { rule: string; form: RegExp }[] = [
  { rule: 'private key', form: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/ },
  { rule: 'AWS access key', form: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { rule: 'GitHub token', form: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})\b/ },
  { rule: 'GitLab token', form: /\bglpat-[A-Za-z0-9_-]{20,64}\b/ },
  { rule: 'Slack token', form: /\bxox[abprs]-[A-Za-z0-9-]{20,255}\b/ },
  { rule: 'Slack webhook', form: /https:\/\/hooks\.slack\.com\/services\/T[A-Z0-9]{8,}\/B[A-Z0-9]{8,}\/[A-Za-z0-9]{20,}/ },
  { rule: 'Stripe key', form: /\b[sr]k_live_[A-Za-z0-9]{16,255}\b/ },
  { rule: 'Google API key', form: /\bAIza[0-9A-Za-z_-]{35}\b/ },
  { rule: 'Google service account', form: /"private_key_id"\s*:\s*"[0-9a-f]{40}"/ },
  { rule: 'npm token', form: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { rule: 'PyPI token', form: /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}/ },
  { rule: 'SendGrid key', form: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b/ },
  { rule: 'Anthropic key', form: /\bsk-ant-(?:api|admin)\d{2}-[A-Za-z0-9_-]{80,}/ },
  { rule: 'JSON web token', form: /\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}/ },
]

/** Bits of a character on average, from 0 for one letter over and over to 6 for random base64. */
export function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((bits, count) => bits - (count / text.length) * Math.log2(count / text.length), 0)
}
