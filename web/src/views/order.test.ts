import { expect, it } from 'vitest'
import { moved } from './order'
import type { SavedView } from './state'

const view = (id: string, position: number, can_manage = true) => ({ id, name: id, position, can_manage }) as SavedView
const after = (views: SavedView[], id: string, to: number) => {
  const changes = new Map(moved(views, id, to).map((c) => [c.id, c.position]))
  return views.map((v) => ({ id: v.id, at: changes.get(v.id) ?? v.position ?? 0 })).sort((a, b) => a.at - b.at || a.id.localeCompare(b.id)).map((v) => v.id).join('')
}

it('a view stands where it was put, though none had a place of its own', () => {
  const views = ['a', 'b', 'c', 'd'].map((id) => view(id, 0))
  expect([after(views, 'c', 0), after(views, 'a', 3), after(views, 'b', 2), after(views, 'd', 1)]).toEqual(['cabd', 'bcda', 'acbd', 'adbc'])
})
it('only what has to move is written', () => {
  const views = [view('a', 0), view('b', 1), view('c', 2)]
  expect(moved(views, 'a', 1)).toEqual([{ id: 'a', position: 2 }, { id: 'c', position: 3 }])
  expect(moved(views, 'x', 1)).toEqual([])
})
it('what somebody may not move stays, and one goes around it', () => {
  const views = [view('a', 0, false), view('b', 0), view('c', 0)]
  expect(after(views, 'b', 0)).toBe('bac')
  expect(after(views, 'c', 1)).toBe('acb')
})
