/** The frame around every page: navigation, palette, who is signed in. */
import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link, Outlet } from '@tanstack/react-router'
import { rooms } from '../rooms/index.ts'
import { useLiveState } from './live.ts'
import { useSession } from './session.ts'

export function Shell() {
  const [open, { toggle, close }] = useDisclosure(false)
  const session = useSession()
  const live = useLiveState()
  const places = rooms
    .flatMap(({ pages = [] }) => pages)
    .flatMap(({ path, navigation }) => (navigation && (navigation.visible?.(session) ?? true) ? [{ path, ...navigation, Icon: navigation.icon }] : []))
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !open } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm">
          <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
          <Text fw={600}>Pavior</Text>
          <Text size="sm" c="dimmed" ml="auto" role="status">
            {live === 'lost' ? 'Reconnecting' : session.user}
          </Text>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        {places.map(({ path, label, Icon }) => (
          <NavLink key={path} label={label} leftSection={<Icon size={16} />} renderRoot={(props) => <Link to={path} onClick={close} {...props} />} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}
