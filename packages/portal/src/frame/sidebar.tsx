/** The places of the portal, in three sections. */
import { NavLink, Text } from '@mantine/core'
import { Link, useLocation } from '@tanstack/react-router'
import { places } from './registry.ts'
import type { Section } from './room.ts'
import { useSession } from './session.ts'
import classes from './shell.module.css'

const sections: { section: Section; label: string }[] = [
  { section: 'work', label: 'Work' },
  { section: 'platform', label: 'Platform' },
  { section: 'you', label: 'You' },
]

export function Sidebar({ left }: { left: () => void }) {
  const all = places(useSession())
  const { pathname } = useLocation()
  return sections.map(({ section, label }) => {
    const own = all.filter(({ navigation }) => navigation.section === section)
    if (own.length === 0) return null
    return (
      <div key={section} className={classes.section} role="group" aria-label={label}>
        <Text className={classes.sectionLabel} aria-hidden>
          {label}
        </Text>
        {own.map(({ path, navigation: { label: name, icon: Shown } }) => {
          const active = path === '/' ? pathname === '/' : pathname === path || pathname.startsWith(`${path}/`)
          return (
            <NavLink
              key={path}
              label={name}
              leftSection={<Shown size={16} stroke={1.7} />}
              active={active}
              className={classes.place}
              renderRoot={(props) => <Link to={path} onClick={left} aria-current={active ? 'page' : undefined} {...props} />}
            />
          )
        })}
      </div>
    )
  })
}
