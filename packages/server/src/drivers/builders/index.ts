/**
 * All builders, in the order in which they are asked. As with Heroku, languages come before a Dockerfile: what a builder of
 * Pavior makes is patched, cached and supervised alike for everybody. Ruby and PHP come before Node.js, whose package.json is in
 * their apps often only a toolbox for assets. A Procfile beside a Dockerfile says what runs in the image. `build.builder` in the
 * manifest asks for one by name.
 */
import { join } from 'node:path'
import type { Builder } from '../../rooms/delivery/ports.ts'
import { createDockerfileBuilder, type ImageSettings } from './dockerfile.ts'
import { goBuilder } from './go.ts'
import { javaBuilder } from './java.ts'
import { createNodeBuilder } from './node.ts'
import { phpBuilder } from './php.ts'
import { procfileBuilder } from './procfile.ts'
import { pythonBuilder } from './python.ts'
import { rubyBuilder } from './ruby.ts'
import { rustBuilder } from './rust.ts'
import { createStaticBuilder } from './static.ts'

export function createBuilders(root: string, images: ImageSettings): readonly Builder[] {
  const staticServer = join(root, 'dist/static-server.mjs')
  return [
    rubyBuilder,
    phpBuilder,
    createNodeBuilder(staticServer),
    pythonBuilder,
    javaBuilder,
    goBuilder,
    rustBuilder,
    createStaticBuilder(staticServer),
    createDockerfileBuilder(images),
    procfileBuilder,
  ]
}
