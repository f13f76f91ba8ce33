// node tools/icons.mjs: the pictures of the installed program, drawn from the one mark; run again when public/favicon.svg changes.
import { readFileSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const pub = new URL('../public/', import.meta.url)
const mark = readFileSync(new URL('favicon.svg', pub), 'utf8')
// Cut to a circle by the system, the mark needs room around it, and a ground to the edge.
const whole = mark.replace('rx="7"', '').replace('<path', '<g transform="translate(4.8 4.8) scale(.7)"><path').replace('</svg>', '</g></svg>')
const ICONS = [['icon-192', 192, mark], ['icon-512', 512, mark], ['maskable-512', 512, whole], ['touch-180', 180, whole]]

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
for (const [name, size, svg] of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } })
  await page.setContent(`<style>html,body{margin:0;background:transparent}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`)
  writeFileSync(new URL(`icons/${name}.png`, pub), await page.screenshot({ omitBackground: true }))
  await page.close()
}
await browser.close()
