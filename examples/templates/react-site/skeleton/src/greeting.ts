/** What is pure stands beside the components, where tests need no browser. */
export function greeting(name: string): string {
  return `Hello, ${name.trim() || 'world'}.`
}
