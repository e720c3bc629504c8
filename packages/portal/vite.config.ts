import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  // Filled in by the server, anew for every answer.
  html: { cspNonce: '__CSP_NONCE__' },
  build: { target: 'es2023', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: { proxy: Object.fromEntries(['/v1', '/apis', '/api', '/openapi'].map((path) => [path, { target: process.env.PAVIOR_URL ?? 'http://localhost:7070', ws: true }])) },
})
