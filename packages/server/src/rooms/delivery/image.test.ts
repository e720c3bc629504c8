import { describe, expect, it } from 'vitest'
import { imageResults, type ImageConfig } from './image.ts'

const passwd = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n'

describe('the configuration of an image', () => {
  const commands: [string, ImageConfig, string | undefined][] = [
    ['exec form', { Cmd: ['node', 'server.js'] }, 'node server.js'],
    ['entrypoint and command', { Entrypoint: ['/entry.sh'], Cmd: ['serve', '--all'] }, '/entry.sh serve --all'],
    ['shell form', { Cmd: ['/bin/sh', '-c', 'exec "$APP" --port $PORT'] }, `/bin/sh -c 'exec "$APP" --port $PORT'`],
    ['quotes', { Cmd: ['echo', "it's", ''] }, `echo 'it'"'"'s' ''`],
    ['an assignment that is an argument', { Cmd: ['A=b'] }, `'A=b'`],
    ['nothing', {}, undefined],
  ]
  it.each(commands)('web runs it: %s', (_title, config, expected) => {
    expect(imageResults(config, passwd).processes.web?.command).toBe(expected)
  })

  const users: [string | undefined, string, string][] = [
    [undefined, 'root', '/root'],
    ['node', 'node', '/home/node'],
    ['1000:0', 'node', '/home/node'],
    ['4711', '4711', '/'],
    ['ghost:ghost', 'ghost', '/'],
  ]
  it.each(users)('the user %s is %s at home in %s', (User, user, home) => {
    expect(imageResults({ User }, passwd).image).toMatchObject({ user, home })
  })

  it('keeps directory, ports, variables and the signal', () => {
    const { image, env } = imageResults({ WorkingDir: '/srv', ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '80': {} }, Env: ['A=b=c', 'PATH=/x', 'odd.name=1'], StopSignal: '3' }, '')
    expect(image).toEqual({ directory: '/srv', user: 'root', home: '/', ports: [80, 8080], stopSignal: 'SIGQUIT' })
    expect(env).toEqual({ A: 'b=c', PATH: '/x' })
    expect(imageResults({ StopSignal: 'INT' }, '').image.stopSignal).toBe('SIGINT')
    expect(imageResults({ StopSignal: 'nonsense' }, '').image.stopSignal).toBeUndefined()
  })
})
