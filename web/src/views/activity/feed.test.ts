import { expect, it } from 'vitest'
import type { Entity } from '@/meta/types'
import { told, type Entry } from './feed'

const e = { states: { field: 'status', options: [], moves: [] } } as unknown as Entity
const entry = (id: string, at: string, action: string, changes: Entry['changes'] = {}, actor = 'p'): Entry => ({ id, at, action, changes, actor: { id: actor, name: actor }, record: `r${id}` })

it('what was made in one go is one event; moves are told from changes', () => {
  const all = [entry('1', '2026-11-21T10:00:20Z', 'insert'), entry('2', '2026-11-21T10:00:05Z', 'insert'), entry('3', '2026-11-21T10:00:01Z', 'insert', {}, 'q'), entry('4', '2026-11-21T09:00:00Z', 'update', { status: ['a', 'b'] }), entry('5', '2026-11-20T20:00:00Z', 'update', { name: ['a', 'b'] })]
  expect(told(e, all, 'all', 'UTC').map((x) => [x.kind, x.entries.length])).toEqual([['create', 2], ['create', 1], ['move', 1], ['update', 1]])
  expect(told(e, all, 'move', 'UTC').length).toBe(1)
  expect(told(e, all, 'all', 'Asia/Almaty').at(-1)!.day).toBe('2026-11-21')
})
