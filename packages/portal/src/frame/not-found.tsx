import { Button } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { Link, useLocation } from '@tanstack/react-router'
import { EmptyState } from '../pieces/empty-state.tsx'
import { PageHeader } from '../pieces/page-header.tsx'
import { openPalette } from './palette-state.ts'

export function NotFound() {
  const { pathname } = useLocation()
  return (
    <>
      <PageHeader title="There is no such page" />
      <EmptyState icon={IconMapOff} title={pathname} text="The link may be old, or a letter of it is missing. Search for what you wanted.">
        <Button variant="light" onClick={openPalette}>
          Search
        </Button>
        <Button variant="default" renderRoot={(props) => <Link to="/" {...props} />}>
          Home
        </Button>
      </EmptyState>
    </>
  )
}
