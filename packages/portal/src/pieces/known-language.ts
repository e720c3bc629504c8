/**
 * Some systems name a language that the browser's own formatters refuse, for example en-US@posix. uPlot hands it to them as it
 * loads, so this module is imported before it.
 */
function isKnown(language: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(language).length > 0
  } catch {
    return false
  }
}

if (!isKnown(navigator.language)) {
  const known = [navigator.language.split('@', 1)[0]!, ...navigator.languages].find(isKnown) ?? 'en-US'
  Object.defineProperty(navigator, 'language', { value: known, configurable: true })
}
