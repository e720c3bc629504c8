/** Markdown of people and repositories: sanitised, tables and task lists, headings one can link to. A chunk of its own. */
import { Skeleton, Stack, Typography } from '@mantine/core'
import { lazy, Suspense } from 'react'
import classes from './markdown.module.css'

const View = lazy(() => import('./markdown-view.tsx'))

export function Markdown({ text }: { text: string }) {
  return (
    <Typography className={classes.text}>
      <Suspense
        fallback={
          <Stack gap="xs">
            <Skeleton height={20} width="40%" />
            <Skeleton height={14} />
            <Skeleton height={14} width="80%" />
          </Stack>
        }
      >
        <View text={text} />
      </Suspense>
    </Typography>
  )
}
