/** The part of an address that leads to a heading: lower case, hyphens, and a beginning that no element of the portal has. */
export function slug(text: string): string {
  const words = text.toLowerCase().normalize('NFKD').replaceAll(/[^\p{Letter}\p{Number}\s-]/gu, '').trim().replaceAll(/\s+/g, '-')
  return `text-${words}`
}
