/** One neutral palette, one accent, an 8-pixel grid; status colours are told apart without colour vision too (Okabe and Ito). */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

const pine: MantineColorsTuple = ['#eaf6f2', '#d7ebe4', '#b0d8c9', '#84c3ac', '#5fb193', '#48a683', '#39a07a', '#2b8c69', '#1f7c5c', '#086c4e']

export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: { light: 9, dark: 8 },
  colors: { pine },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  autoContrast: true,
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1.125rem' }, h3: { fontSize: '1rem' } } },
})

/** Quiet text that still has a contrast of 4.5 on every surface of ours. */
const quiet = { light: '#5a626b', dark: '#a9b0b8' }

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': quiet.light, '--mantine-color-placeholder': quiet.light, '--mantine-color-error': '#b83b00' },
  dark: { '--mantine-color-dimmed': quiet.dark, '--mantine-color-placeholder': quiet.dark, '--mantine-color-error': '#ff8a5c' },
})
