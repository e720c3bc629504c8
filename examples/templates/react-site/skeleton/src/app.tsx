import { useState } from 'react'
import { greeting } from './greeting.ts'

export function App() {
  const [name, setName] = useState('')
  return (
    <main>
      <h1>${{ values.name }}</h1>
      <label>
        Your name
        <input value={name} onChange={(event) => setName(event.target.value)} autoComplete="given-name" />
      </label>
      <p role="status">{greeting(name)}</p>
    </main>
  )
}
