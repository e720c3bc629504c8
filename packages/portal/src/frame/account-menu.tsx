/** Who is signed in, how the portal looks to them, and the way out. */
import { Avatar, Menu, SegmentedControl, Text, UnstyledButton, useMantineColorScheme, VisuallyHidden, type MantineColorScheme } from '@mantine/core'
import { IconKeyboard, IconKeyboardOff, IconLock, IconLogout } from '@tabler/icons-react'
import { useRouter } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useSession, useSignIn } from './session.ts'
import { useSingleKeys } from './shortcuts.ts'

const PasswordChange = lazy(() => import('./password-change.tsx'))

const schemes: { value: MantineColorScheme; label: string }[] = [
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
  { value: 'auto', label: 'System' },
]

export function AccountMenu({ showShortcuts }: { showShortcuts: () => void }) {
  const { user, admin, roles } = useSession()
  const { signOut } = useSignIn()
  const router = useRouter()
  const [changing, setChanging] = useState(false)
  const teams = Object.keys(roles).length
  const leave = async (): Promise<void> => {
    await signOut()
    router.history.push('/sign-in')
  }
  return (
    <>
      <Menu position="bottom-end" width={260} shadow="md" withinPortal>
        <Menu.Target>
          <UnstyledButton>
            <Avatar size={28} name={user} color="initials" variant="light" aria-hidden />
            <VisuallyHidden>Account of {user}</VisuallyHidden>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Text size="sm" fw={600} px="sm" pt={6}>
            {user}
          </Text>
          <Text size="xs" c="dimmed" px="sm" pb={6}>
            {admin ? 'Administrator of the platform' : `Member of ${teams} ${teams === 1 ? 'team' : 'teams'}`}
          </Text>
          <Menu.Divider />
          <Menu.Label>Appearance</Menu.Label>
          <Scheme />
          <Menu.Divider />
          <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={showShortcuts}>
            Keyboard shortcuts
          </Menu.Item>
          <SingleKeys />
          <Menu.Item leftSection={<IconLock size={16} />} onClick={() => setChanging(true)}>
            Change password
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Suspense>{changing && <PasswordChange close={() => setChanging(false)} />}</Suspense>
    </>
  )
}

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return <SegmentedControl mx="sm" mb="xs" size="xs" aria-label="Appearance" data={schemes} value={colorScheme} onChange={(value) => setColorScheme(value as MantineColorScheme)} />
}

function SingleKeys() {
  const [on, setOn] = useSingleKeys()
  return (
    <Menu.Item closeMenuOnClick={false} role="menuitemcheckbox" aria-checked={on} leftSection={<IconKeyboardOff size={16} />} onClick={() => setOn(!on)}>
      Single-key shortcuts: {on ? 'on' : 'off'}
    </Menu.Item>
  )
}
