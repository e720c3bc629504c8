import { fail } from '@pavior/contract'
import type { Builder } from '../../rooms/delivery/ports.ts'

/** Directories that hold a site as it is, in the order in which they are looked for. */
const siteDirectories = ['', 'public', 'dist', 'build', 'site', 'www', 'docs']
/** Where the file server is put in the artifact. */
export const serverFile = '.pavior/static-server.mjs'

export function siteDirectory(paths: readonly string[]): string | undefined {
  return siteDirectories.find((directory) => paths.includes(directory === '' ? 'index.html' : `${directory}/index.html`))
}

export function staticCommand(directory: string): string {
  return `node ${serverFile} ${directory === '' ? '.' : directory}`
}

/** A site without a build step; sites that a Node package builds are the node builder's. */
export function createStaticBuilder(serverPath: string): Builder {
  return {
    name: 'static',
    toolchain: () => ({ name: '' }),
    reads: [],
    tools: ['node'],
    detect: ({ paths }) => {
      const directory = siteDirectory(paths)
      return directory === undefined ? undefined : `${directory === '' ? '' : `${directory}/`}index.html`
    },
    plan: ({ paths, settings }, { node }) => {
      if (!node) throw fail('TOOLCHAIN_MISSING', { message: 'Serving a static site needs Node.js, and there is none on this machine.', fix: 'Install Node.js 20 or later.' })
      const directory = settings.output ?? siteDirectory(paths) ?? ''
      return {
        summary: `static ${directory === '' ? 'site' : `site in ${directory}`}`,
        steps: settings.command === undefined ? [] : [{ name: 'build', command: ['sh', '-ec', settings.command] }],
        layers: [],
        env: {},
        runtimeEnv: {},
        processes: { web: { command: staticCommand(directory) } },
        tools: [node],
        runtimeTools: [node],
        add: { [serverFile]: serverPath },
      }
    },
  }
}
