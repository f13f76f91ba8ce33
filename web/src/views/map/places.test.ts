import { expect, it } from 'vitest'
import type { Entity, Field } from '@/meta/types'
import { clusters, isLatitude, longitudeOf, project } from './places'
import world from './world.json'

it('places are where the outlines have them', () => {
  expect(project(0, 0)).toEqual([500, 240])
  expect(project(180, 0)[0]).toBeCloseTo(1000, 0)
  expect(Object.keys(world.shapes).length).toBeGreaterThan(170)
  expect(world.shapes.KZ.startsWith('M')).toBe(true)
})
it('knows the two halves of a place', () => {
  const field = (name: string): Field => ({ name, type: 'number' }) as Field
  const e = { fields: [field('cf.lat'), field('cf.lon'), field('plat'), field('home_latitude'), field('home_longitude')] } as Entity
  expect(e.fields.filter(isLatitude).map((f) => [f.name, longitudeOf(f, e)?.name])).toEqual([['cf.lat', 'cf.lon'], ['home_latitude', 'home_longitude']])
})
it('what would lie over each other stands as one, nothing is lost', () => {
  const pins = Array.from({ length: 200 }, (_, i) => ({ x: (i * 37) % 300, y: (i * 91) % 200, what: i }))
  for (const near of [5, 40, 400]) expect(clusters(pins, near).flatMap((c) => c.pins.map((p) => p.what)).sort((a, b) => a - b)).toEqual(pins.map((p) => p.what))
  expect(clusters(pins, 4000).length).toBe(1)
})
