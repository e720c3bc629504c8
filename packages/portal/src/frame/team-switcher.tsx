/** Chooses the team that the pages show; with a search, because there may be hundreds. */
import { Combobox, Text, UnstyledButton, useCombobox } from '@mantine/core'
import { IconCheck, IconSelector } from '@tabler/icons-react'
import { useState } from 'react'
import { useChooseTeam, useTeam, useTeams } from './team.ts'
import classes from './shell.module.css'

const all = ''
const searchFrom = 8

export function TeamSwitcher() {
  const team = useTeam()
  const { teams } = useTeams()
  const choose = useChooseTeam()
  const [filter, setFilter] = useState('')
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption()
      combobox.focusTarget()
      setFilter('')
    },
    onDropdownOpen: () => (teams.length > searchFrom ? combobox.focusSearchInput() : combobox.selectActiveOption()),
  })
  const shown = [all, ...teams].filter((name) => (name === all ? filter === '' : name.includes(filter.toLowerCase())))
  const pick = (value: string): void => {
    choose(value === all ? undefined : value)
    combobox.closeDropdown()
  }
  return (
    <Combobox store={combobox} onOptionSubmit={pick} width={240} position="bottom-start" shadow="md" withinPortal>
      <Combobox.Target targetType="button">
        <UnstyledButton className={classes.team} aria-label={`Team: ${team ?? 'all teams'}`} onClick={() => combobox.toggleDropdown()}>
          <span className={classes.teamName}>{team ?? 'All teams'}</span>
          <IconSelector size={14} aria-hidden />
        </UnstyledButton>
      </Combobox.Target>
      <Combobox.Dropdown>
        {teams.length > searchFrom && <Combobox.Search value={filter} onChange={({ currentTarget }) => setFilter(currentTarget.value)} placeholder="Find a team" aria-label="Find a team" />}
        <Combobox.Options mah={320} className={classes.teamOptions} aria-label="Teams">
          {shown.map((name) => (
            <Combobox.Option key={name} value={name} active={name === (team ?? all)} aria-selected={name === (team ?? all)}>
              <span className={classes.teamOption}>
                {name === all ? 'All teams' : name}
                {name === (team ?? all) && <IconCheck size={14} aria-hidden />}
              </span>
            </Combobox.Option>
          ))}
          {shown.length === 0 && <Text size="sm" c="dimmed" p="xs">No team is called like this.</Text>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}
