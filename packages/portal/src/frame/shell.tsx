/** The frame around every page: navigation, team, search, notifications, who is signed in. */
import { ActionIcon, AppShell, Burger, Group, Text, UnstyledButton } from '@mantine/core'
import { useDisclosure, useMediaQuery } from '@mantine/hooks'
import { IconBell, IconSearch } from '@tabler/icons-react'
import { Link, Outlet } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Keys } from '../pieces/keys.tsx'
import { AccountMenu } from './account-menu.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { useFocusOnArrival } from './focus.ts'
import { useGo } from './navigation.ts'
import { openPalette, usePaletteOpen } from './palette-state.ts'
import { places } from './registry.ts'
import { useSession } from './session.ts'
import { listenForShortcuts, useShortcuts } from './shortcuts.ts'
import { Sidebar } from './sidebar.tsx'
import { TeamSwitcher } from './team-switcher.tsx'
import { useTitle } from './title.ts'
import classes from './shell.module.css'

const Palette = lazy(() => import('./palette.tsx'))
const ShortcutsDialog = lazy(() => import('./shortcuts-dialog.tsx'))
const Bell = lazy(() => import('./bell.tsx'))

export function Shell() {
  const [open, { toggle, close }] = useDisclosure(false)
  const [helping, help] = useDisclosure(false)
  const narrow = useMediaQuery('(max-width: 47.99em)', window.matchMedia('(max-width: 47.99em)').matches)
  useTitle()
  useFocusOnArrival()
  useFrameShortcuts(help.open)
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !open } }} padding="md" transitionDuration={120}>
      <a href="#main" className={classes.skip}>
        Skip to the page
      </a>
      <AppShell.Header className={classes.header}>
        <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" aria-expanded={open} />
        <UnstyledButton className={classes.brand} renderRoot={(props) => <Link to="/" {...props} />}>
          Pavior
        </UnstyledButton>
        <TeamSwitcher />
        <SearchButton />
        <Suspense fallback={<BellPlace />}>
          <Bell />
        </Suspense>
        <AccountMenu showShortcuts={help.open} />
      </AppShell.Header>
      <ConnectionBanner />
      <AppShell.Navbar className={classes.navbar} inert={narrow && !open} aria-label="Places">
        <Sidebar left={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} className={classes.main}>
        <Outlet />
      </AppShell.Main>
      <LazyPalette />
      <Suspense>{helping && <ShortcutsDialog close={help.close} />}</Suspense>
    </AppShell>
  )
}

function useFrameShortcuts(showHelp: () => void): void {
  const go = useGo()
  const session = useSession()
  useEffect(listenForShortcuts, [])
  useShortcuts([
    { keys: 'mod+k', label: 'Search and do', group: 'Everywhere', run: openPalette },
    { keys: '/', label: 'Search and do', group: 'Everywhere', run: openPalette },
    { keys: '?', label: 'Show all shortcuts', group: 'Everywhere', run: showHelp },
    ...places(session).flatMap(({ path, navigation: { key, label } }) => (key === undefined ? [] : [{ keys: `g ${key}`, label: `Go to ${label}`, group: 'Go', run: () => go(path) }])),
  ])
}

function SearchButton() {
  return (
    <>
      <UnstyledButton className={classes.search} onClick={openPalette} visibleFrom="sm" aria-keyshortcuts="Control+K Meta+K /">
        <IconSearch size={14} aria-hidden />
        <Text span size="sm" className={classes.searchWords}>
          Search or do
        </Text>
        <Keys keys="mod+k" />
      </UnstyledButton>
      <Group hiddenFrom="sm" ml="auto">
        <ActionIcon variant="subtle" color="gray" onClick={openPalette} aria-label="Search or do">
          <IconSearch size={18} />
        </ActionIcon>
      </Group>
    </>
  )
}

/** Holds the place of the bell until its code is here. */
function BellPlace() {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label="Notifications" disabled>
      <IconBell size={18} />
    </ActionIcon>
  )
}

/** Loaded when it is opened first, or when the browser has nothing else to do. */
function LazyPalette() {
  const open = usePaletteOpen()
  const [wanted, setWanted] = useState(false)
  useEffect(() => {
    if (open) setWanted(true)
  }, [open])
  return <Suspense>{(wanted || open) && <Palette />}</Suspense>
}
