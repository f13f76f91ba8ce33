import { expect, it } from 'vitest'
import type { Entity, Row } from '@/meta/types'
import { above, drawn, isNode, linesOf, mayGo, ROOT, type Level, type Node } from './model'

const rows = (...ids: string[]): Row[] => ids.map((id) => ({ id, name: id }))
const level = (ids: string[], counts: Record<string, number> = {}, next: string | null = null): Level => ({ data: rows(...ids), counts, next })
const levels = new Map([[ROOT, level(['a', 'b'], { a: 2 })], ['a', level(['c', 'd'], { c: 1 }, 'more')], ['c', level(['e', 'a'])]])
const entity = { name: 'x.y', label: 'y', plural: 'ys', title_field: 'name' } as Entity

it('lines run from the top down; who would stand under himself is told once', () => {
  const lines = linesOf(levels, new Set(['a', 'c']))
  expect(lines.map((l) => (isNode(l) ? `${l.deep}${l.id}` : `${l.deep}…`))).toEqual(['1a', '2c', '3e', '2d', '2…', '1b'])
  expect(above(lines, 'e')).toEqual(['c', 'a'])
})
it('nothing goes under itself or what is below it', () => {
  const lines = linesOf(levels, new Set(['a', 'c']))
  const node = (id: string) => lines.find((l): l is Node => isNode(l) && l.id === id)!
  expect(['a', 'c', 'e', 'b', ROOT].filter((to) => mayGo(lines, node('a'), to))).toEqual(['b'])
  expect(['a', 'b', 'e', ROOT].filter((to) => mayGo(lines, node('c'), to))).toEqual(['b', ROOT])
})
it('a drawing holds every node, and a way to each', () => {
  for (const look of ['mind', 'radial'] as const) {
    const { spots, branches, box } = drawn(linesOf(levels, new Set(['a', 'c'])), entity, look)
    expect([spots.length, branches.length]).toEqual([6, 5])
    expect(spots.every((s) => s.x >= box.x && s.x + s.w <= box.x + box.w && s.y >= box.y && s.y <= box.y + box.h)).toBe(true)
  }
})
