import { MantineProvider, Title, useComputedColorScheme } from '@mantine/core'
import { useEffect, useId, useState } from 'react'
import { nonce } from '../../frame/nonce.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { theme, variables } from '../../theme.ts'
import { specimens } from './specimens.tsx'
import classes from './gallery.module.css'

type Scheme = 'light' | 'dark'

export default function GalleryPage() {
  useLightRoot()
  return (
    <>
      <PageHeader title="Gallery of pieces" text="Every shared piece of the portal in its states, light and dark. The values are examples." />
      {specimens.map(({ name, Show }) => (
        <section key={name} className={classes.specimen}>
          <Title order={2} size="h3" mb="xs">
            {name}
          </Title>
          <div className={classes.sides}>
            <Side scheme="light">
              <Show scheme="light" />
            </Side>
            <Side scheme="dark">
              <Show scheme="dark" />
            </Side>
          </div>
        </section>
      ))}
    </>
  )
}

/** What is dark within light can be styled, not the other way round; so the page around is light while it is open. */
function useLightRoot(): void {
  const scheme = useComputedColorScheme('light')
  useEffect(() => {
    const { dataset } = document.documentElement
    // Again whenever the appearance changes: the provider around writes its own then.
    dataset.mantineColorScheme = 'light'
    return () => {
      dataset.mantineColorScheme = scheme
    }
  }, [scheme])
}

function Side({ scheme, children }: { scheme: Scheme; children: React.ReactNode }) {
  const id = `side${useId().replaceAll(/\W/g, '')}`
  const [element, setElement] = useState<HTMLDivElement | null>(null)
  return (
    <div id={id} ref={setElement} data-mantine-color-scheme={scheme} className={classes.side}>
      {element && (
        <MantineProvider theme={theme} cssVariablesResolver={variables} forceColorScheme={scheme} deduplicateCssVariables={false} cssVariablesSelector={`#${id}`} getRootElement={() => element} getStyleNonce={() => nonce}>
          {children}
        </MantineProvider>
      )}
    </div>
  )
}
