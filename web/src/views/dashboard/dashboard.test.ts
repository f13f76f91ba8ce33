import { expect, it } from 'vitest'
import { ticks } from './charts'
import { add, compact, put, readWidgets, SIZES, type Widget } from './model'

const w = (id: string, x: number, y: number, wide = 6, h = 2): Widget => ({ id, kind: 'bar', x, y, w: wide, h })
const at = (all: Widget[]) => Object.fromEntries(all.map((a) => [a.id, `${a.x},${a.y}`]))
const overlap = (all: Widget[]) => all.some((a, i) => all.some((b, j) => i < j && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h))

it('widgets rise as high as they can and never lie over each other', () => {
  expect(at(compact([w('a', 0, 4), w('b', 6, 9), w('c', 0, 7)]))).toEqual({ a: '0,0', b: '6,0', c: '0,2' })
  for (let n = 0; n < 60; n++) {
    const all = Array.from({ length: 9 }, (_, i) => w(`${i}`, (n * 7 + i * 5) % 7, (n * i) % 6, 2 + ((n + i) % 5), 1 + (i % 3)))
    const moved = put(compact(all), `${n % 9}`, { x: n % 12, y: n % 8 })
    expect(overlap(moved)).toBe(false)
    expect(moved.length).toBe(9)
  }
})
it('what is put over another pushes it down', () => {
  const all = [w('a', 0, 0), w('b', 6, 0), w('c', 0, 2)]
  expect(at(put(all, 'c', { y: 0 }))).toEqual({ c: '0,0', a: '0,2', b: '6,0' })
  expect(at(put(all, 'a', { y: 2 }))).toEqual({ c: '0,0', a: '0,2', b: '6,0' })
  expect(put(all, 'a', { w: 40, x: 9 }).find((x) => x.id === 'a')).toMatchObject({ x: 0, w: 12 })
  expect(at(add(all, { id: 'd', kind: 'pie', w: 4, h: 2 })).d).toBe('6,2')
})
it('a link may say anything: only widgets are read', () => {
  expect(readWidgets(undefined)).toBeUndefined()
  expect(readWidgets('nonsense')).toBeUndefined()
  expect(readWidgets('[{"kind":"bomb"},null,{"kind":"pie","w":99,"x":-4,"y":"z","id":7,"text":5,"filter":{"rules":[{"field":"a","operator":"equals","value":1}]}}]')).toEqual([{ id: 'w0', kind: 'pie', w: 12, h: SIZES.pie[1], x: 0, y: 0, filter: { operator: 'AND', rules: [{ field: 'a', operator: 'equals', value: 1 }] } }])
})
it('an axis has round numbers that hold all values', () => {
  expect(ticks(0, 97, 4)).toEqual([0, 25, 50, 75, 100])
  expect(ticks(-3, 8, 4)[0]).toBeLessThanOrEqual(-3)
  expect(ticks(-3, 8, 4).at(-1)).toBeGreaterThanOrEqual(8)
  expect(ticks(0, 0, 3)).toEqual([0, 1])
})
