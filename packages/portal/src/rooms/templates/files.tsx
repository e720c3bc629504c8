/** The files that a template would write. */
import { Skeleton, Text, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import type { Preview } from './queries.ts'
import classes from './templates.module.css'

export function Files({ preview, loading }: { preview: Preview | undefined; loading: boolean }) {
  const [chosen, setChosen] = useState<string>()
  if (loading) return <Skeleton height={320} aria-label="Rendering the files" />
  if (!preview) return null
  const shown = preview.files.find(({ path }) => path === chosen) ?? preview.files.find(({ path }) => path === 'README.md') ?? preview.files[0]
  return (
    <section aria-label="Files">
      <Text size="sm" c="dimmed" mb="xs">
        {preview.files.length} files, from {preview.template} {preview.version}. Nothing is made until you say so.
      </Text>
      <div className={classes.files}>
        <ul className={classes.tree}>
          {preview.files.map(({ path }) => (
            <li key={path}>
              <UnstyledButton className={classes.file} aria-current={path === shown?.path} onClick={() => setChosen(path)}>
                {path}
              </UnstyledButton>
            </li>
          ))}
        </ul>
        {shown && (
          // It scrolls, so the keyboard has to reach it.
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          <pre className={classes.content} tabIndex={0} aria-label={shown.path}>
            {shown.content ?? `${shown.size.toLocaleString()} bytes, not shown`}
          </pre>
        )}
      </div>
    </section>
  )
}
