import { expect, it } from 'vitest'
import { unseen, type Comment } from './talk'
import { mentionAt, named, pieces, threads } from './words'

const comment = (id: string, parent: string | null = null, more: Partial<Comment> = {}): Comment => ({ id, parent_id: parent, body: id, mentions: [], reactions: {}, created_by: 'ann', author: 'Ann', created_at: '2026-01-01T10:00:00Z', edited_at: null, deleted: false, version: 1, ...more })

it('answers to answers stand in one thread', () => {
  const all = threads([comment('a'), comment('b', 'a'), comment('c'), comment('d', 'b'), comment('e', 'gone')])
  expect(all.map((t) => [t.root.id, t.answers.map((c) => c.id)])).toEqual([['a', ['b', 'd']], ['c', []], ['e', []]])
})
it('a name is looked for after an @ that begins a word', () => {
  expect(mentionAt('Hi @an', 6)).toEqual({ from: 3, text: 'an' })
  expect(mentionAt('@Айгерим Са', 11)).toEqual({ from: 0, text: 'Айгерим Са' })
  expect(mentionAt('write to a@b', 12)).toBeNull()
  expect(mentionAt('@ann here now', 13)).toBeNull()
  expect(mentionAt('Hi @an', 2)).toBeNull()
})
it('only who is still named is told', () => {
  expect(named('see @Ann Lee!', 'Ann Lee')).toBe(true)
  expect(named('see @Annabel', 'Ann')).toBe(false)
  expect(named('see Ann', 'Ann')).toBe(false)
})
it('names and addresses stand out, scripts are text', () => {
  expect(pieces('@Ann (Lee) see https://a.test/x?y=1. <b>', ['Ann (Lee)', 'Ann'])).toEqual([
    { kind: 'mention', text: '@Ann (Lee)' }, { kind: 'text', text: ' see ' }, { kind: 'link', text: 'https://a.test/x?y=1' }, { kind: 'text', text: '. <b>' },
  ])
  expect(pieces('javascript:alert(1)', [])).toEqual([{ kind: 'text', text: 'javascript:alert(1)' }])
})
it('new is what others said since one looked', () => {
  const data = [comment('old'), comment('own', null, { created_by: 'me', created_at: '2026-01-03T10:00:00Z' }), comment('new', null, { created_at: '2026-01-03T10:00:00Z' })]
  expect(unseen({ data, seen_at: '2026-01-02T10:00:00Z' }, 'me').map((c) => c.id)).toEqual(['new'])
  expect(unseen({ data, seen_at: null }, 'me').map((c) => c.id)).toEqual(['old', 'new'])
  expect(unseen({ data }, 'me')).toEqual([])
})
