/** Of what nobody is told, and why: silences, causes, deployments, what comes and goes. */
import { expect, test } from 'vitest'
import { tester } from '../../../../test/kernel.ts'
import { minuteMs, secondMs, world, type World } from '../../../../test/alerting.ts'

const high = [{ labels: { host: 'web-1' }, value: 42 }]

async function quietOnes(it: World): Promise<string[]> {
  return (await it.alerts()).filter(({ status }) => status!.state !== 'Resolved').map(({ spec, status }) => `${spec.source.name} ${status!.quiet ? `${status!.quiet.because} by ${status!.quiet.by}` : 'told'}`)
}

test('a silence keeps quiet what it matches, and when it ends what still fires is told', async () => {
  const it = await world()
  await it.rule('load', {})
  await it.rule('disk', {})
  await it.declare('Silence', 'moving', { reason: 'We move.', matchers: [{ label: 'rule', op: '=', value: 'load' }, { label: 'host', op: '=~', value: 'web-.*' }], until: new Date(it.now().getTime() + 10 * minuteMs).toISOString() })
  it.measured.set('load', high)
  it.measured.set('disk', high)
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['disk told', 'load Silenced by moving'])
  expect(await it.events()).toEqual(['AlertFired', 'AlertQuiet'])
  // One more that is not matched, and somebody is told.
  it.measured.set('load', [...high, { labels: { host: 'db-1' }, value: 42 }])
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['disk told', 'load told'])
  it.measured.set('load', high)
  it.pass(11 * minuteMs)
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['disk told', 'load told'])
})

test('a database that fails is one page, and says whom it affects', async () => {
  const it = await world()
  for (let index = 0; index < 12; index++) {
    await it.rule(`web${index}`, { app: `web${index}` })
    it.calls.set(`blue/web${index}`, [{ team: 'blue', app: 'db' }])
    it.measured.set(`web${index}`, high)
  }
  await it.rule('database', { app: 'db' })
  await it.lookNow()
  expect(await it.alerts()).toEqual([])
  it.pass(2 * secondMs)
  it.measured.set('database', high)
  await it.lookNow()
  it.pass(5 * secondMs)
  await it.lookNow()
  const [database] = (await it.alerts()).filter(({ spec }) => spec.source.name === 'database')
  expect((await quietOnes(it)).filter((line) => line.endsWith('told'))).toEqual(['database told'])
  expect(database!.status!.affects).toHaveLength(12)
  expect(await quietOnes(it)).toContain(`web3 Inhibited by ${database!.metadata.name}`)
  // It is over, and one of them is not.
  it.measured.set('database', [])
  await it.lookNow()
  it.pass(minuteMs)
  await it.lookNow()
  await it.lookNow()
  expect((await quietOnes(it)).every((line) => line.endsWith('told'))).toBe(true)
})

test('one rule keeps another quiet', async () => {
  const it = await world()
  await it.rule('link', {})
  await it.rule('slow', { inhibitedBy: ['link'] })
  it.measured.set('link', high)
  it.measured.set('slow', high)
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['link told', 'slow Inhibited by link'])
})

test('while its app is deployed nobody is told, for a while; a rule may want it otherwise', async () => {
  const it = await world()
  await it.declare('Deployment', 'shop-1', { app: 'shop', environment: 'production', release: 1 })
  await it.rule('errors', { app: 'shop' })
  await it.rule('always', { app: 'shop', muteWhileDeploying: false })
  it.measured.set('errors', high)
  it.measured.set('always', high)
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['always told', 'errors Deploying by the deployment of shop to production'])
  await it.resources.mutate(tester, { kind: 'Deployment', namespace: 'blue', name: 'shop-1' }, (current) => ({ ...(current as never as object), status: { phase: 'Succeeded' } }) as never, { subresource: 'status' })
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['always told', 'errors told'])
})

test('what comes and goes is told of once, and is over when it has gone for good', async () => {
  const it = await world()
  await it.rule('load', { keepFiringFor: '1s' })
  for (let turn = 0; turn < 5; turn++) {
    it.measured.set('load', high)
    await it.lookNow()
    if (turn === 4) break
    it.measured.set('load', [])
    it.pass(minuteMs)
    await it.lookNow()
    it.pass(minuteMs)
    await it.lookNow()
  }
  await it.lookNow()
  expect(await quietOnes(it)).toEqual(['load Flapping by more than 4 alerts in an hour'])
  for (let turn = 0; turn < 5; turn++) {
    it.measured.set('load', turn % 2 ? high : [])
    it.pass(minuteMs)
    await it.lookNow()
  }
  expect(await it.alerts()).toHaveLength(5)
  it.measured.set('load', [])
  await it.lookNow()
  it.pass(15 * minuteMs)
  await it.lookNow()
  expect(await quietOnes(it)).toEqual([])
})

test('whoever is on call is told by mail where that is possible, and what is not possible is said', async () => {
  const it = await world()
  await it.declare('User', 'ada', { email: 'ada@example.com' })
  await it.declare('User', 'bob', {})
  await it.declare('OnCallSchedule', 'primary', { timeZone: 'UTC', layers: [{ name: 'day', users: ['ada'], start: '2026-01-05' }] })
  await it.channel('mail', { email: { host: '127.0.0.1', port: 9, security: 'none', from: 'pavior@example.com' } })
  await it.rule('load', {})
  it.measured.set('load', high)
  await it.lookNow()
  const [alert] = await it.alerts()
  expect(await it.log(alert!)).toMatchObject([{ recipient: 'user:ada', channel: 'mail' }])
  await it.declare('EscalationPolicy', 'default', { levels: [{ users: ['bob', 'zoe'], channels: ['gone'] }, { users: ['ada'] }] })
  await it.rule('disk', {})
  it.measured.set('disk', high)
  await it.lookNow()
  const events = await it.look.events.list(['blue'], { kind: 'Alert' })
  expect(events.map(({ message }) => message)).toEqual(expect.arrayContaining([expect.stringContaining('bob (bell only)')]))
  expect(events.map(({ message }) => message).join(' ')).toMatch(/There is no NotificationChannel gone.*bob has no mail address.*There is no active user zoe/)
})
