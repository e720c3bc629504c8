/** All builders, in the order in which they are asked. */
import { join } from 'node:path'
import type { Builder } from '../../rooms/delivery/ports.ts'
import { createNodeBuilder } from './node.ts'
import { procfileBuilder } from './procfile.ts'
import { createStaticBuilder } from './static.ts'

export function createBuilders(root: string): readonly Builder[] {
  const staticServer = join(root, 'dist/static-server.mjs')
  return [createNodeBuilder(staticServer), createStaticBuilder(staticServer), procfileBuilder]
}
