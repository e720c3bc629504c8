/** What a Node.js source serves: an app by its start script, a framework's server, or the site that its build leaves. Pure. */
import type { SourceFacts } from '../../rooms/delivery/ports.ts'
import { siteDirectory } from './static.ts'

export interface PackageJson {
  name?: string
  main?: string
  scripts?: Record<string, string>
  engines?: { node?: string }
  packageManager?: string
  workspaces?: unknown
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** Where front-end tools put a finished site. */
const siteOutputs: [tool: string, output: string][] = [
  ['vitepress', '.vitepress/dist'],
  ['@docusaurus/core', 'build'],
  ['@11ty/eleventy', '_site'],
  ['gatsby', 'public'],
  ['hexo', 'public'],
  ['react-scripts', 'build'],
  ['@angular/cli', 'dist'],
  ['@vue/cli-service', 'dist'],
  ['astro', 'dist'],
  ['parcel', 'dist'],
  ['vite', 'dist'],
  ['webpack', 'dist'],
]

/** Servers that a framework's build leaves, for sources whose scripts do not start them. */
const frameworkServers: [tool: string, command: string][] = [
  ['nuxt', 'node .output/server/index.mjs'],
  ['@analogjs/platform', 'node dist/analog/server/index.mjs'],
  ['@sveltejs/adapter-node', 'node build'],
  ['@astrojs/node', 'node dist/server/entry.mjs'],
  ['next', 'npx next start'],
]

/** Scripts named start that serve sources to their author, not a built site to the world. */
const developmentServer = /(^|&&\s*|\s)(react-scripts(-ts)? start|ng serve|vue-cli-service serve|vite(\s+(dev|serve))?(\s+-|\s*$)|parcel(\s+serve)?\s+\S*\.html|webpack(-dev-server|\s+serve)|gatsby develop|astro dev|eleventy\s.*--serve|vitepress dev|docusaurus start|hexo server)/

const mains = ['server.js', 'index.js', 'app.js', 'main.js', 'server.mjs', 'index.mjs', 'app.mjs', 'main.mjs', 'server.cjs', 'index.cjs', 'src/index.js', 'src/server.js', 'src/main.js', 'src/app.js']

function all({ dependencies, devDependencies }: PackageJson): Record<string, string> {
  return { ...dependencies, ...devDependencies }
}

/** What the package starts by itself; undefined when it is a site or nothing. */
export function webCommand(content: PackageJson, { paths }: Pick<SourceFacts, 'paths'>): string | undefined {
  const script = content.scripts?.start
  if (script !== undefined && !developmentServer.test(script)) return directStart(script) ?? 'npm start'
  const framework = frameworkServers.find(([tool]) => all(content)[tool] !== undefined)
  if (framework && content.scripts?.build !== undefined) return framework[1]
  if (script !== undefined) return undefined
  const { main } = content
  if (main !== undefined) {
    const file = [main, `${main}.js`, `${main}/index.js`].map((path) => path.replace(/^\.\//, '')).find((path) => paths.includes(path))
    if (file !== undefined) return `node ${file}`
  }
  const file = mains.find((name) => paths.includes(name))
  return file === undefined ? undefined : `node ${file}`
}

/** `node server.js` is run as it is: no npm process stands between signals and the app. */
function directStart(script: string): string | undefined {
  return /^node\s+[\w@./:=-]+(\s+[\w@./:=-]+)*$/.test(script) ? script : undefined
}

/** Directory of the site that the build leaves: as its tool has it, else where an index.html lies already. */
export function siteOutput(content: PackageJson, { paths }: Pick<SourceFacts, 'paths'>): string | undefined {
  return siteOutputs.find(([tool]) => all(content)[tool] !== undefined)?.[1] ?? siteDirectory(paths.filter((path) => path.includes('/'))) ?? siteDirectory(paths)
}
