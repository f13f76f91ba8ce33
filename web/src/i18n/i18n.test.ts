import { expect, it } from 'vitest'

type Words = { [key: string]: string | Words }
const files = import.meta.glob<{ default: Words }>('./*.json', { eager: true })
const more = import.meta.glob<{ default: Words }>('./more/*.json', { eager: true })
const code = import.meta.glob<string>(['../**/*.{ts,tsx}', '!../**/*.test.*'], { eager: true, query: '?raw', import: 'default' })

const languages = Object.keys(files).map((f) => f.slice(2, -5))
const flat = (o: Words, path = ''): string[] => Object.entries(o).flatMap(([k, v]) => (typeof v === 'string' ? [path + k] : flat(v, path + k + '.')))
const join = (a: Words, b: Words): Words => ({ ...a, ...Object.fromEntries(Object.entries(b).map(([k, v]) => [k, typeof v === 'object' ? join((a[k] ?? {}) as Words, v) : v])) })
const read = (l: string): Words => join(files[`./${l}.json`]!.default, more[`./more/${l}.json`]!.default)
const bare = (k: string) => k.replace(/_(one|few|many|other)$/, '')
const sources = Object.values(code).join('\n')

it('every language says the same things', () => {
  const en = new Set(flat(read('en')).map(bare))
  for (const l of languages) expect([...new Set(flat(read(l)).map(bare))].sort()).toEqual([...en].sort())
})
it('every language fills the same places', () => {
  const places = (words: string) => [...new Set([...words.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]))].sort().join()
  const pairs = (o: Words, path = ''): [string, string][] => Object.entries(o).flatMap(([k, v]) => (typeof v === 'string' ? [[path + k, v] as [string, string]] : pairs(v, path + k + '.')))
  const said = (l: string) => new Map(pairs(read(l)))
  const en = said('en')
  for (const l of languages) for (const [k, words] of said(l)) expect(places(words), `${l}: ${k}`).toBe(places(en.get(k) ?? en.get(`${bare(k)}_other`)!))
})
it('plurals have every form their language needs', () => {
  for (const l of languages) {
    const keys = flat(read(l))
    const forms = new Intl.PluralRules(l).resolvedOptions().pluralCategories
    for (const k of new Set(keys.filter((x) => /_(one|few|many|other)$/.test(x)).map(bare))) if (!['tokens.scope'].includes(k)) for (const f of forms) expect(keys, `${l}: ${k}`).toContain(`${k}_${f}`)
  }
})
it('every key the code asks for exists', () => {
  const known = new Set(flat(read('en')).map(bare))
  const asked = [...sources.matchAll(/\bt\(\s*'([\w.]+)'/g)].map((m) => m[1]!)
  expect([...new Set(asked)].filter((k) => !known.has(k))).toEqual([])
})
it('every operator a field type offers has words', () => {
  const known = new Set(flat(read('en')))
  const asked = [...code['../fields/shared.tsx']!.matchAll(/(?:one|none)\(([^)]*)\)/g)].flatMap((m) => [...m[1]!.matchAll(/'(\w+)'/g)].map((x) => x[1]!))
  expect(asked.filter((o) => !known.has(`op.${o}`))).toEqual([])
})
