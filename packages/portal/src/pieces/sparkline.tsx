/** The shape of the last values, in a line of text. */
import classes from './sparkline.module.css'

const width = 80
const height = 20

export interface SparklineProps {
  values: (number | null)[]
  /** Said to those who do not see it. */
  label: string
}

export function Sparkline({ values, label }: SparklineProps) {
  const most = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(height - 1 - ((value ?? 0) / most) * (height - 2)).toFixed(1)}`)
  return (
    <svg className={classes.sparkline} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polyline points={points.join(' ')} />
    </svg>
  )
}
