/**
 * Dockerfile: recognised, and refused with the reason. A container build needs rights that build steps are not given
 * (user namespaces of its own, mounts), and base images from a registry; the sandbox keeps both away on purpose.
 */
import { fail } from '@pavior/contract'
import type { Builder } from '../../rooms/delivery/ports.ts'
import { need } from './toolchain.ts'

const files = ['Dockerfile', 'Containerfile']

export const dockerfileBuilder: Builder = {
  name: 'dockerfile',
  reads: files,
  tools: ['podman'],
  detect: ({ paths }) => files.find((file) => paths.includes(file)),
  plan: ({ texts }, tools) => {
    need(tools, 'podman')
    const file = files.find((name) => texts[name] !== undefined)
    const command = /^\s*(?:CMD|ENTRYPOINT)\s+(.+)$/im.exec(texts[file ?? ''] ?? '')?.[1]?.slice(0, 200)
    throw fail('BUILDER_UNSUPPORTED', {
      message: `The source is only known by its ${file ?? 'Dockerfile'}, and container images are not built on this machine.`,
      why: 'Build steps run without the rights that a container build needs.',
      fix: `Add a Procfile with a line "web: <command>" beside package.json, requirements.txt, go.mod or the like; the builder of that language does the rest.${command === undefined ? '' : ` The ${file} starts: ${command}`}`,
    })
  },
}
