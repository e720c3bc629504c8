import type { Builder } from '../../rooms/delivery/ports.ts'

/** Runs what is there with the tools of the machine: the last resort, when only a Procfile says anything. */
export const procfileBuilder: Builder = {
  name: 'procfile',
  reads: ['Procfile'],
  tools: [],
  detect: ({ texts, settings }) => (texts.Procfile !== undefined || settings.command !== undefined ? 'a Procfile and nothing else that is known' : undefined),
  toolchain: () => ({ name: '' }),
  plan: ({ settings }) => ({
    summary: settings.command === undefined ? 'procfile' : `procfile · ${settings.command}`,
    steps: settings.command === undefined ? [] : [{ name: 'build', command: ['sh', '-ec', settings.command] }],
    layers: [],
    env: {},
    runtimeEnv: {},
    processes: {},
    tools: [],
    runtimeTools: [],
  }),
}
