import { open, page, signIn, shot, BASE } from './kit.mjs'
const b = await open()
const [who, ...paths] = process.argv.slice(2)
for (const [name, opt] of [['l', {}], ['d', { theme: 'dark', width: 390, height: 844 }]]) {
  const p = await page(b, opt)
  await signIn(p, who, 'fondaco-demo')
  for (const path of paths) { await p.goto(BASE + path); await p.waitForTimeout(2500); await shot(p, `zz-${name}-${path.replace(/[^a-z0-9]+/gi, '-').slice(0, 40)}`) }
  console.log(name, p.problems)
}
await b.close()
