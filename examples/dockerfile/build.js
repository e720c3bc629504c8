// Stands for a bundler: puts what runs into dist/.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'

mkdirSync('dist')
copyFileSync('server.js', 'dist/server.js')
copyFileSync('package.json', 'dist/package.json')
writeFileSync('dist/built.txt', 'built in its own stage')
