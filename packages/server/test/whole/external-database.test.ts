/** Pavior on a PostgreSQL that somebody else runs: its whole life, its restarts, and everything that can be wrong with it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { appDirectory, newPlatformWith, Platform, root, until, webApp } from './platform.ts'
import { PostgresqlServer, postgresqlsHere } from './postgresql.ts'

const password = 'a s3cret/with@marks%'

for (const bin of await postgresqlsHere()) {
  describe(`on ${bin}`, { timeout: 120_000 }, () => {
    let database: PostgresqlServer

    beforeAll(async () => {
      database = await PostgresqlServer.create(bin, password)
      await database.start()
      for (const name of ['whole', 'before', 'after', 'replicas', 'latin']) await database.query('postgres', `create database ${name} ${name === 'latin' ? `encoding 'LATIN1' locale 'C' template template0` : ''}`)
      await database.query('postgres', `create role poor login password 'poor'`)
      await database.query('replicas', 'revoke create on schema public from public')
    })
    afterAll(() => database.remove())

    test('a deploy goes through its restart, its absence is told, and its password is nowhere', async () => {
      const platform = await newPlatformWith({ PAVIOR_DATABASE_URL: database.url('whole') })
      expect(platform.output).toContain('external PostgreSQL')
      const status = await platform.json<{ database: string; processes: { role: string }[] }>(['status'])
      expect(status.database).toMatch(/^PostgreSQL \d+\.\d+ at .*\/whole$/)
      expect(status.processes.map(({ role }) => role)).not.toContain('postgresql')
      const directory = await appDirectory('shop', webApp('one'))
      expect((await platform.cli(['deploy'], { directory })).code).toBe(0)

      await database.end()
      expect((await platform.get('shop.localhost')).body).toBe('one')
      await until('the absence to be told', async () => /"code": "DATABASE_UNAVAILABLE"/.test((await platform.cli(['ps', '--json'], { directory })).stdout))
      await database.start()
      await until('the server to be back', async () => (await platform.cli(['ps'], { directory })).code === 0)

      const late = await appDirectory('shop', webApp('two', `const began = Date.now(); while (Date.now() - began < 1500);`))
      const deploying = platform.cli(['deploy'], { directory: late })
      await until('the rollout', async () => (await database.query('whole', `select 1 from resources where kind = 'Release' and name like 'shop%2'`)).length > 0)
      await database.end()
      await database.start()
      const deployed = await deploying
      expect(deployed.stderr).toContain('✔ rollout')
      expect(deployed.code).toBe(0)
      expect((await platform.get('shop.localhost')).body).toBe('two')

      // Whatever went on meanwhile, nobody ran in circles.
      const log = await readFile(join(platform.home, 'logs', 'server.log'), 'utf8')
      expect(log.split('the queue cannot be read').length).toBeLessThan(60)
      for (const spelled of [password, encodeURIComponent(password)]) {
        expect(platform.output).not.toContain(spelled)
        expect(JSON.stringify(status)).not.toContain(spelled)
        expect((await platform.cli(['config'])).stdout).not.toContain(spelled)
        for (const name of await readdir(join(platform.home, 'logs'))) expect(await readFile(join(platform.home, 'logs', name), 'utf8')).not.toContain(spelled)
        expect(await readFile(`/proc/${await platform.pidOf('agent')}/environ`, 'utf8')).not.toContain(spelled)
      }
    })

    test('an agent that knows a later state than a database that was restored or replaced obeys it all the same', async () => {
      const platform = await newPlatformWith({ PAVIOR_DATABASE_URL: database.url('before') })
      await database.query('before', `update counters set value = 1000000 where name = 'runtime-generation'`)
      expect((await platform.cli(['deploy'], { directory: await appDirectory('shop', webApp('before')) })).code).toBe(0)
      await platform.stop()
      platform.environment.PAVIOR_DATABASE_URL = database.url('after')
      await platform.start()
      const directory = await appDirectory('shop', webApp('after'))
      expect((await platform.cli(['deploy'], { directory })).code).toBe(0)
      expect((await platform.get('shop.localhost')).body).toBe('after')
    })

    test('three servers that start at once on an empty database migrate it once and all serve', async () => {
      const homes = await Promise.all([1, 2, 3].map(() => mkdtemp(join(tmpdir(), 'pavior-replica-'))))
      const servers: ChildProcess[] = homes.map((home) =>
        spawn(process.execPath, [join(root, 'dist/server.mjs')], { env: { PATH: process.env.PATH, HOME: process.env.HOME, PAVIOR_HOME: home, PAVIOR_PORT: '0', PAVIOR_DATABASE_URL: database.url('replicas') }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
      )
      onTestFinished(async () => {
        for (const server of servers) {
          const gone = new Promise((resolve) => server.once('exit', resolve))
          if (server.exitCode === null && server.kill('SIGTERM')) await gone
        }
        for (const home of homes) await rm(home, { recursive: true, force: true })
      })
      const told = await Promise.all(servers.map((server) => new Promise<{ type: string; url: string }>((resolve) => server.once('message', (message) => resolve(message as { type: string; url: string })))))
      expect(told.map(({ type }) => type)).toEqual(['ready', 'ready', 'ready'])
      for (const [index, { url }] of told.entries()) {
        const { token } = JSON.parse(await readFile(join(homes[index]!, 'cli.json'), 'utf8')) as { token: string }
        expect((await fetch(new URL('/apis/pavior.dev/v1/teams/default', url), { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
      }
      const [row] = await database.query('replicas', 'select count(*)::int as rows, count(distinct name)::int as names from migrations')
      expect(row!.rows).toBe(row!.names)
    })

    test('what is wrong with it is said before anything is started', async () => {
      const home = await mkdtemp(join(tmpdir(), 'pavior-refused-'))
      onTestFinished(() => rm(home, { recursive: true, force: true }))
      const platform = new Platform(home)
      const start = async (url: string): Promise<string> => {
        platform.environment.PAVIOR_DATABASE_URL = url
        const { code, stderr } = await platform.cli(['up', '--port', '0', '--router-port', '0'])
        expect(stderr).not.toMatch(/s3cret|wr0ng/)
        return `${code} ${stderr}`
      }
      expect(await start(database.url('whole', 'admin', 'wr0ng'))).toMatch(/^2 ✖ DATABASE_REFUSED .*does not let the user "admin" in/)
      expect(await start(database.url('nowhere'))).toMatch(/^2 ✖ DATABASE_REFUSED .*nowhere does not exist[^]*create database nowhere owner admin/)
      expect(await start(database.url('latin'))).toMatch(/^2 ✖ DATABASE_UNSUPPORTED .*LATIN1/)
      expect(await start(database.url('replicas', 'poor', 'poor'))).toMatch(/^2 ✖ DATABASE_REFUSED .*"poor" may not create tables/)
      expect(await start('postgres://admin:wr0ng@127.0.0.1:1/whole')).toMatch(/^4 ✖ DATABASE_UNAVAILABLE .*127\.0\.0\.1:1\/whole does not answer/)
      expect(await start('mysql://admin:wr0ng@127.0.0.1/whole')).toMatch(/^2 ✖ CONFIG_INVALID .*PAVIOR_DATABASE_URL/)
      expect(await start('postgres://admin:wr0ng%@127.0.0.1/whole')).toMatch(/^2 ✖ CONFIG_INVALID .*percent-encoded/)
    })
  })
}
