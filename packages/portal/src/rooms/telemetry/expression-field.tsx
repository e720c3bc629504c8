/** Where an expression is written: completes names of metrics, labels and values; Enter asks, Shift with Enter begins a line. */
import { Combobox, Text, Textarea, useCombobox } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState, type KeyboardEvent } from 'react'
import { completed, spotAt, suggestionsFor, type Spot } from './completion.ts'
import { labelsQuery, namesQuery, type AskedOf } from './reads.ts'
import classes from './explorer.module.css'

interface ExpressionFieldProps {
  value: string
  onChange: (value: string) => void
  onSubmit: () => void
  of: AskedOf
  /** Where there are several. */
  label?: string
}

export function ExpressionField({ value, onChange, onSubmit, of, label = 'Expression' }: ExpressionFieldProps) {
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() })
  const field = useRef<HTMLTextAreaElement>(null)
  const [spot, setSpot] = useState<Spot>()
  const suggestions = useSuggestions(spot, of)
  const look = (): void => {
    const { current } = field
    const next = current ? spotAt(current.value, current.selectionStart) : undefined
    setSpot(next)
    if (next) combobox.openDropdown()
    else combobox.closeDropdown()
  }
  const choose = (chosen: string): void => {
    if (!spot) return
    const { text, cursor } = completed(value, spot, chosen)
    onChange(text)
    // Behind the name of a label its values may follow.
    const next = spotAt(text, cursor)
    setSpot(next)
    if (!next) combobox.closeDropdown()
    combobox.resetSelectedOption()
    // The text is in its place after this turn; then the cursor goes behind what was put in.
    requestAnimationFrame(() => {
      field.current?.focus()
      field.current?.setSelectionRange(cursor, cursor)
    })
  }
  const press = (event: KeyboardEvent): void => {
    const chosen = combobox.dropdownOpened && suggestions.length > 0 && combobox.getSelectedOptionIndex() >= 0
    if (event.key !== 'Enter' || event.shiftKey || chosen) return
    event.preventDefault()
    combobox.closeDropdown()
    onSubmit()
  }
  return (
    <Combobox store={combobox} onOptionSubmit={choose} position="bottom-start" withinPortal>
      <Combobox.Target withExpandedAttribute>
        <Textarea
          ref={field}
          label={label}
          description="PromQL. Enter asks, Shift with Enter begins a new line."
          classNames={{ input: classes.expression! }}
          autosize
          minRows={1}
          maxRows={8}
          spellCheck={false}
          autoComplete="off"
          value={value}
          onChange={({ currentTarget }) => {
            onChange(currentTarget.value)
            look()
          }}
          onKeyDown={press}
          onBlur={() => combobox.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={suggestions.length === 0}>
        <Combobox.Options aria-label="Suggestions">
          {suggestions.map(({ text, hint }) => (
            <Combobox.Option key={text} value={text}>
              <span className={classes.suggestion}>{text}</span>
              {hint && (
                <Text component="span" size="xs" c="dimmed" ml="xs">
                  {hint}
                </Text>
              )}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}

function useSuggestions(spot: Spot | undefined, of: AskedOf) {
  const names = useQuery({ ...namesQuery(of), enabled: spot !== undefined })
  const labels = useQuery({ ...labelsQuery(of, spot?.metric, spot?.label), enabled: spot !== undefined && spot.kind !== 'name' })
  return spot ? suggestionsFor(spot.word, (spot.kind === 'name' ? names.data : labels.data) ?? []) : []
}
