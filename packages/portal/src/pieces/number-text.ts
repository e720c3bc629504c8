/** Numbers with their units, short enough for a table. Pure. */

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `512 B`, `1.4 MiB`. */
export function bytesText(bytes: number): string {
  const step = Math.min(binary.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 1024 ** step
  return `${step > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${binary[step]}`
}

/** Three figures: `0`, `0.25`, `3.1`, `42`, `12.3k`. */
export function shortNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${trim((value / 1e6).toFixed(1))}M`
  if (size >= 1e4) return `${trim((value / 1e3).toFixed(1))}k`
  if (size >= 10 || Number.isInteger(value)) return String(Math.round(value))
  return trim(value.toFixed(size >= 1 ? 1 : size >= 0.1 ? 2 : 3))
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** A value as it stands at an axis or in a legend. `ms` becomes seconds where it is long. */
export function scaleText(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–'
  if (unit === 'ms') return value >= 1000 ? `${shortNumber(value / 1000)} s` : `${shortNumber(value)} ms`
  if (unit === 'bytes') return bytesText(value)
  if (unit === 'bytes/s') return `${bytesText(value)}/s`
  return unit === '' ? shortNumber(value) : `${shortNumber(value)}${unit === '%' ? ' %' : unit}`
}

/** A share of something: `0 %`, `0.04 %`, `12 %`. */
export function percentText(part: number, whole: number): string {
  if (whole === 0) return '–'
  const percent = (part / whole) * 100
  return `${percent > 0 && percent < 0.01 ? '< 0.01' : shortNumber(percent)} %`
}
