/** Gives the person a file that was made here. */
const keepMs = 10_000

export function download(name: string, content: Blob | string, type = 'text/plain'): void {
  const url = URL.createObjectURL(typeof content === 'string' ? new Blob([content], { type }) : content)
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  // The browser reads it after the click has returned.
  setTimeout(() => URL.revokeObjectURL(url), keepMs)
}
