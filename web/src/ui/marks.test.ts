import { expect, test } from 'vitest'
import { unmarked } from '@/fields/own/marks'
import { blocks, leads, runs } from './marks'

// The same as the server reads: crates/records/src/docs/markdown.rs.
test('marks within each other, links, and words that a comment is about', () => {
  const line = runs('a **b *c*** ~~d~~ `e*` [f](https://x.kz) [*g*](#comment-018f0000-0000-7000-8000-000000000001)')
  expect(line.filter((r) => r.text.trim()).map((r) => [r.text, Object.keys(r).filter((k) => k !== 'text').sort().join()])).toEqual([['a ', ''], ['b ', 'bold'], ['c', 'bold,italic'], ['d', 'strike'], ['e*', 'code'], ['f', 'link'], ['g', 'comment,italic']])
})
test('what is not closed, or leads where it may not, is text', () => {
  for (const s of ['2 * 3', 'a ** b', '[x', '[x](javascript:alert(1))', '[x](//evil.test)', '~~', '`', '[a](/\\evil)', '[]()', '](']) expect(runs(s).map((r) => r.text).join('')).toBe(s)
  expect(runs('\\*a\\* \\[b\\]')).toEqual([{ text: '*a* [b]' }])
  for (const to of ['javascript:x', ' https://a', '//a', '/\\a', 'data:x', 'https://a b']) expect(leads(to)).toBe(false)
  for (const to of ['https://a.kz', 'mailto:a@b.kz', 'tel:+77', '/o/x?view=1']) expect(leads(to)).toBe(true)
})
test('the parts of a text', () => {
  const all = blocks('# One\nwords\\\nmore\n- a\n    - b\n- c\n1. d\n> q\n> r\n```\n# code\n```\n---\n![Late](/o/sales-orders?view=x)')
  expect(all.map((b) => b.kind)).toEqual(['h', 'p', 'list', 'list', 'quote', 'code', 'hr', 'table'])
  expect(all[2]).toEqual({ kind: 'list', numbered: false, items: [{ line: 'a', nested: [{ kind: 'list', numbered: false, items: [{ line: 'b', nested: [] }] }] }, { line: 'c', nested: [] }] })
  expect(blocks('![x](https://evil.test/a.png)')[0]!.kind).toBe('p')
})
test('a cell says the words alone', () => {
  expect(unmarked('# [Plan](#comment-018f0000-0000-7000-8000-000000000001)\n\n**Well** \\*no\\* ~~old~~\n> q\n![Late](/o/x)')).toBe('Plan · Well *no* old · q · Late')
})
