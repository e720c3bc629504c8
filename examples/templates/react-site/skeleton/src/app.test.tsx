import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { App } from './app.tsx'
import { greeting } from './greeting.ts'

test('it greets by name, and the world without one', () => {
  expect(greeting(' Ada ')).toBe('Hello, Ada.')
  expect(greeting('')).toBe('Hello, world.')
})

test('the page has one heading and a labelled field', () => {
  const html = renderToStaticMarkup(<App />)
  expect(html).toContain('<h1>${{ values.name }}</h1>')
  expect(html).toMatch(/<label>Your name<input/)
})
