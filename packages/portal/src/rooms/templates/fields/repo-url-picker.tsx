/** Where a repository shall lie: host, owner and name, as the host calls them. */
import { Fieldset, NativeSelect, Stack, Text, TextInput } from '@mantine/core'
import type { FieldProps } from '../../../pieces/schema-field-context.ts'
import { frameOf } from '../../../pieces/schema-simple.tsx'
import { partsOfHost, readRepoUrl, repoUrlProblem, textsOf, writeRepoUrl, type RepoPart, type RepoUrl } from './plan.ts'

const labels: Record<RepoPart, string> = { organization: 'Organization', workspace: 'Workspace', project: 'Project', owner: 'Owner', repo: 'Repository' }
const allowed: Record<RepoPart, string> = { organization: 'allowedOrganizations', workspace: 'allowedOwners', project: 'allowedProjects', owner: 'allowedOwners', repo: 'allowedRepos' }

export function RepoUrlPicker(props: FieldProps) {
  const { schema, value, onChange } = props
  const { label, description, error, disabled, withAsterisk } = frameOf(props)
  const options = schema['ui:options'] ?? {}
  const hosts = textsOf(options.allowedHosts)
  const url: RepoUrl = { ...(hosts.length === 1 ? { host: hosts[0] } : {}), ...readRepoUrl(value) }
  const set = (part: keyof RepoUrl, text: string): void => onChange(writeRepoUrl({ ...url, [part]: text === '' ? undefined : text }))
  const problem = error ?? (value === undefined ? undefined : repoUrlProblem(url))
  return (
    <Fieldset legend={`${label}${withAsterisk ? ' *' : ''}`} disabled={disabled ?? false}>
      <Stack gap="sm">
        {description && (
          <Text size="xs" c="dimmed">
            {description}
          </Text>
        )}
        <Part label="Host" choices={hosts} value={url.host ?? ''} onChange={(text) => set('host', text)} placeholder="github.com" />
        {partsOfHost(url.host).map((part) => (
          <Part key={part} label={labels[part]} choices={textsOf(options[allowed[part]])} value={url[part] ?? ''} onChange={(text) => set(part, text)} />
        ))}
        {problem && (
          <Text size="xs" c="var(--mantine-color-error)" role="alert">
            {problem}
          </Text>
        )}
      </Stack>
    </Fieldset>
  )
}

interface PartProps {
  label: string
  /** Empty when anything may be written. */
  choices: string[]
  value: string
  onChange: (text: string) => void
  placeholder?: string
}

function Part({ label, choices, value, onChange, placeholder }: PartProps) {
  if (choices.length > 0) return <NativeSelect label={label} data={[...(choices.length === 1 && value !== '' ? [] : [{ value: '', label: '–' }]), ...choices]} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)} />
  return <TextInput label={label} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value.trim())} placeholder={placeholder} autoComplete="off" spellCheck={false} />
}
