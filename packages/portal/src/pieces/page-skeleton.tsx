/** The shape of a page while its code is on the way. Pages whose data is on the way show their own shape. */
import { Skeleton, Stack } from '@mantine/core'

const rows = 6

export function PageSkeleton() {
  return (
    <Stack gap="md" aria-busy="true" aria-label="Loading" role="status">
      <Skeleton height={28} width={220} />
      <RowsSkeleton />
    </Stack>
  )
}

export function RowsSkeleton({ count = rows }: { count?: number }) {
  return (
    <Stack gap={8} aria-hidden>
      {Array.from({ length: count }, (_, index) => (
        <Skeleton key={index} height={32} />
      ))}
    </Stack>
  )
}
