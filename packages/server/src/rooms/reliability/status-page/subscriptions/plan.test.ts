import fc from 'fast-check'
import { expect, test } from 'vitest'
import { askLetter, mailAddress, readLink, signLink, toldOf, updateLetter } from './plan.ts'

const key = Buffer.alloc(32, 3)
const now = new Date('2026-03-02T12:00:00Z')

test('only a link that was signed for this is good, and only as long as it says', () => {
  fc.assert(fc.property(fc.uuid(), fc.constantFrom('confirm' as const, 'leave' as const), fc.integer({ min: -1000, max: 1000 }), (id, action, seconds) => {
    const token = signLink({ id, action, until: now.getTime() / 1000 + seconds }, key)
    expect(readLink(token, action, key, now)).toBe(seconds > 0 ? id : undefined)
    expect(readLink(token, action === 'leave' ? 'confirm' : 'leave', key, now)).toBeUndefined()
    expect(readLink(token, action, Buffer.alloc(32, 4), now)).toBeUndefined()
    expect(readLink(signLink({ id, action, until: 0 }, key), action, key, now)).toBe(id)
  }))
  fc.assert(fc.property(fc.string(), (token) => readLink(token, 'leave', key, now) === undefined))
})

test('an address is one, of one person, and names no header', () => {
  expect(mailAddress(' Ada.L+status@Example.COM ')).toBe('Ada.L+status@example.com')
  for (const bad of ['ada', 'a@b', 'a@b.c', 'a b@example.com', 'a@example.com,b@example.com', 'a@example.com\r\nBcc: b@example.com', '<a@example.com>', 'a@[169.254.169.254]', `${'a'.repeat(65)}@example.com`, undefined, 3]) expect(mailAddress(bad)).toBeUndefined()
  fc.assert(fc.property(fc.string(), (text) => /^[^\s@,;<>]+@[^\s@,;<>]+$/.test(mailAddress(text) ?? 'a@b.cd')))
})

test('subjects are one line, whatever people write', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (page, incident) => {
    const told = { about: 'a', page, incident, state: 'Resolved', at: now.toISOString(), text: 'x' }
    for (const { subject } of [updateLetter(told, { page: 'p', leave: 'l' }), askLetter(page, 'c')]) expect(subject).not.toMatch(/[\r\n]/)
  }))
})

test('each update has one name, and what is older than is asked for is none', () => {
  const incidents = [{ id: 'i', title: 'T', state: '', over: true, at: '', updates: [{ at: '2026-03-02T11:00:00.000Z', text: 'This is resolved.', state: 'Resolved' }, { at: '2026-03-02T10:00:00.000Z', text: 'We look.', state: 'Investigating' }, { at: '2026-03-01T10:00:00.000Z', text: 'old', state: '' }] }]
  const told = toldOf('Shop', incidents, new Date('2026-03-02T00:00:00Z'))
  expect(told.map(({ text }) => text)).toEqual(['We look.', 'This is resolved.'])
  expect(new Set(told.map(({ about }) => about)).size).toBe(2)
})
