import { expect, test } from 'vitest'
import { drafts, isNothing, linesOf, nameOf, NOTHING, readers, unsents, type Member, type Message, type Unsent } from './talk'

const said = (number: number, by: string, at: string, more: Partial<Message> = {}): Message => ({ id: `m${number}`, conversation_id: 'c', number, parent_id: null, parent: null, answers: 0, body: `${number}`, mentions: [], reactions: {}, created_by: by, author: by, created_at: at, edited_at: null, deleted: false, files: [], ...more })
const unsent = (id: string): Unsent => ({ id, body: 'x', mentions: [], parent: null, files: [], at: '2026-03-02T10:00:00Z' })

test('days are those of the reader, a name stands once for what follows closely', () => {
  const all = [said(1, 'ann', '2026-03-01T18:58:00Z'), said(2, 'ann', '2026-03-01T18:59:00Z'), said(3, 'ann', '2026-03-01T19:01:00Z'), said(4, 'bob', '2026-03-01T19:02:00Z'), said(5, 'bob', '2026-03-01T19:12:00Z')]
  const shown = (zone: string) => linesOf(all, [], zone, null, 'bob').map((l) => (l.kind === 'message' ? `${l.message.number}${l.follows ? '+' : ''}` : l.kind))
  expect(shown('UTC')).toEqual(['day', '1', '2+', '3+', '4', '5'])
  expect(shown('Asia/Almaty')).toEqual(['day', '1', '2+', 'day', '3', '4', '5'])
})

test('the mark of what is new stands once, before the first of somebody else', () => {
  const all = [said(1, 'ann', '2026-03-01T08:00:00Z'), said(2, 'bob', '2026-03-01T08:01:00Z'), said(3, 'ann', '2026-03-01T08:02:00Z'), said(4, 'ann', '2026-03-01T08:03:00Z')]
  const shown = (from: number | null) => linesOf(all, [], 'UTC', from, 'bob').map((l) => (l.kind === 'message' ? l.message.number : l.kind))
  expect(shown(2)).toEqual(['day', 1, 2, 'new', 3, 4])
  expect(shown(null)).toEqual(['day', 1, 2, 3, 4])
  expect(shown(5)).toEqual(['day', 1, 2, 3, 4])
})

test('what is on its way is last, and no more once it is there', () => {
  const lines = linesOf([said(1, 'ann', '2026-03-01T08:00:00Z')], [unsent('m1'), unsent('m2')], 'UTC', null, 'ann')
  expect(lines.filter((l) => l.kind === 'unsent').map((l) => l.key)).toEqual(['m2'])
})

test('an answer and what follows words taken back have their names', () => {
  const all = [said(1, 'ann', '2026-03-01T08:00:00Z', { deleted: true }), said(2, 'ann', '2026-03-01T08:00:10Z'), said(3, 'ann', '2026-03-01T08:00:20Z', { parent_id: 'm2' })]
  expect(linesOf(all, [], 'UTC', null, 'bob').filter((l) => l.kind === 'message' && l.follows)).toEqual([])
})

test('a conversation without a name is called by its people', () => {
  const people = [{ id: '1', name: 'Ann' }, { id: '2', name: 'Bob' }]
  expect(nameOf({ name: null, people, count: 3 }, 'me')).toBe('Ann, Bob')
  expect(nameOf({ name: null, people, count: 9 }, 'me')).toBe('Ann, Bob +6')
  expect(nameOf({ name: 'News', people, count: 3 }, 'me')).toBe('News')
  expect(nameOf({ name: null, people: [], count: 1 }, 'me')).toBe('me')
})

test('who has read does not count oneself', () => {
  const at = (id: string, read_number: number): Member => ({ id, name: id, keeper: false, read_number, read_at: null })
  expect(readers([at('ann', 4), at('bob', 4), at('eve', 3)], 4, 'ann').map((m) => m.id)).toEqual(['bob'])
})

test('a draft and what was not sent outlive the page', () => {
  expect(drafts.load('k')).toBe(NOTHING)
  drafts.store('k', { ...NOTHING, text: 'hm' })
  unsents.store('k', [unsent('a')])
  expect([drafts.load('k').text, unsents.load('k')[0]?.id, isNothing(drafts.load('k'))]).toEqual(['hm', 'a', false])
  drafts.store('k', null)
  expect(isNothing(drafts.load('k'))).toBe(true)
  localStorage.setItem('draft:k', '{')
  expect(drafts.load('k')).toBe(NOTHING)
})
