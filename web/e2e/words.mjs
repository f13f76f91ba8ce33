// Words a third longer, each in brackets: what stands without them was never a word of ours to translate. Then from right to left.
import { readFileSync } from 'node:fs'
import { api, BASE, equal, page, shot, signIn, test } from './kit.mjs'

const read = (path) => JSON.parse(readFileSync(new URL(`../src/i18n/${path}.json`, import.meta.url), 'utf8'))
const FIRST = read('en')
const MORE = read('more/en')

/** Longer by 30 %, places and all: "[Delete {{name}} ēēē]". */
const longer = (text) => `[${text}${' ' + 'ē'.repeat(Math.max(1, Math.ceil(text.replace(/\{\{\w+\}\}/g, '').length * 0.3) - 1))}]`
const LETTER = /\p{L}/u
const all = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, typeof v === 'object' ? all(v) : LETTER.test(v) ? longer(v) : v]))
/** What the catalog calls things, in its answers. */
const NAMES = new Set(['label', 'plural', 'title', 'help', 'description'])
const named = (v) => Array.isArray(v) ? v.map(named) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k, NAMES.has(k) && typeof x === 'string' && LETTER.test(x) ? longer(x) : named(x)])) : v

async function pretend(p) {
  const data = new Set()
  const gather = (v) => { if (typeof v === 'string') data.add(v); else if (v && typeof v === 'object') Object.values(v).forEach(gather) }
  await p.route(/\/assets\/en-[^/]+\.js$/, async (route) => {
    const body = await (await route.fetch()).text()
    const said = body.includes(FIRST.mainMenu) ? FIRST : body.includes(MORE.auth.loginTitle) ? MORE : null
    if (!said) return route.fulfill({ body, contentType: 'text/javascript' })
    return route.fulfill({ contentType: 'text/javascript', body: `export default ${JSON.stringify(all(said))}` })
  })
  await p.route(/\/api\/v1\//, async (route) => {
    const answer = await route.fetch().catch(() => null)
    if (!answer) return route.abort().catch(() => {})
    if (!/json/.test(answer.headers()['content-type'] ?? '')) return route.fulfill({ response: answer })
    const body = await answer.json().catch(() => null)
    if (/\/api\/v1\/(meta|roles|settings|onboarding)/.test(route.request().url())) return route.fulfill({ response: answer, json: named(body) })
    gather(body)
    return route.fulfill({ response: answer })
  })
  // The stream of events would never end in here.
  await p.route(/\/api\/v1\/events/, (route) => route.abort())
  return data
}

/** Texts of the page that are neither bracketed nor out of the company's records. */
const bare = (p, data) => p.evaluate(([known]) => {
  const values = new Set(known.map((v) => v.trim().toLowerCase()))
  const about = [...values].join('\n')
  const WRITTEN = [
    /^[\d\s.,:/+\-–−%×()№#·]*$/,
    // A key, said beside what it does.
    /^[A-Z]$/,
    // Dates, times, sums and names of places, as the browser writes them.
    /\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b/, /^(mon|tues|wednes|thurs|fri|satur|sun)(day)?$/i, /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$/, /\b(AM|PM|ago|yesterday|tomorrow|now|this minute)\b/, /^[A-Z]{3}$/, /^(Chrome|Firefox|Safari|Edge) · \w+$/, /[₸$€₽¥£]/, /^\d+(\.\d+)?\s?(byte|kB|MB|GB)/,
  ]
  const KEYS = /^(ctrl|alt|shift|enter|esc|escape|tab|space|home|end|page|delete|backspace|pgup|pgdn|[a-z?↑↓←→⌘⇧ +/]|f\d)+$/i
  const wrong = []
  const shown = (e) => { for (let x = e; x; x = x.parentElement) { const s = getComputedStyle(x); if (s.display === 'none' || s.visibility === 'hidden' || x.getAttribute('aria-hidden') === 'true') return false } return true }
  const is = (text, e) => {
    const t = text.replace(/\s+/g, ' ').trim()
    if (!/\p{L}/u.test(t)) return true
    // Without what is bracketed, however deep, nothing may be left but values.
    let rest = t
    for (let before = ''; before !== rest;) { before = rest; rest = rest.replace(/\[[^[\]]*\]/g, '\n') }
    const left = rest.split(/\n|: |, | · /).map((x) => x.replace(/\s+/g, ' ').replace(/^[\s:·,()“”"?…×–-]+|[\s:·,()“”"?…×–-]+$/g, '')).filter((x) => /\p{L}/u.test(x))
    const isValue = (x) => values.has(x.toLowerCase()) || (x.length > 2 && about.includes(x.toLowerCase())) || WRITTEN.some((r) => r.test(x))
    if (left.every(isValue)) return true
    rest = rest.replace(/\s+/g, ' ').trim()
    if (isValue(rest)) return true
    if (e.closest('kbd,[data-keys],option[value],time,.mark,[translate=no]')) return e.closest('option') ? !/^[a-z ]+$/.test(rest) : true
    return KEYS.test(rest)
  }
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    const e = n.parentElement
    if (!e || e.closest('script,style,noscript') || !shown(e)) continue
    // A bracketed sentence may stand in several pieces.
    const whole = e.childNodes.length > 1 ? e.textContent : n.data
    if (!is(n.data, e) && !is(whole, e)) wrong.push(n.data.trim())
  }
  for (const e of document.body.querySelectorAll('[aria-label],[title],[placeholder],[alt]')) {
    if (!shown(e)) continue
    for (const a of ['aria-label', 'title', 'placeholder', 'alt']) { const v = e.getAttribute(a); if (v && !is(v, e)) wrong.push(`${a}: ${v}`) }
  }
  return [...new Set(wrong)]
}, [[...data].filter((v) => v.length < 4000)])

/** Buttons and labels whose words stick out sideways, or are cut without a sign of it. */
const spilled = (p) => p.evaluate(() => {
  const wrong = []
  for (const e of document.querySelectorAll('button,a.btn,.btn,label,.field-label,legend,.chip,[role=tab],[role=menuitem],[role=option],.item,summary')) {
    if (!e.getClientRects().length || e.closest('[aria-hidden=true],.visually-hidden,.skel') || e.classList.contains('visually-hidden')) continue
    const box = e.getBoundingClientRect()
    if (box.width < 2) continue
    const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT)
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      // What stands in a record may be as long as it likes.
      if (!/[[\]]/.test(n.data) || n.parentElement.closest('.visually-hidden,select,option')) continue
      let clipped = false
      for (let x = n.parentElement; x && x !== e.parentElement; x = x.parentElement) if (getComputedStyle(x).textOverflow === 'ellipsis' && getComputedStyle(x).overflowX !== 'visible') clipped = true
      if (clipped) continue
      const range = document.createRange()
      range.selectNodeContents(n)
      const text = range.getBoundingClientRect()
      if (text.width && (text.right > box.right + 1.5 || text.left < box.left - 1.5)) wrong.push(`${e.tagName.toLowerCase()}.${String(e.className).split(' ')[0]} “${n.data.trim().slice(0, 50)}” by ${Math.round(Math.max(text.right - box.right, box.left - text.left))} px`)
    }
  }
  return [...new Set(wrong)]
})

const sideways = (p) => p.evaluate(() => {
  const over = document.documentElement.scrollWidth - innerWidth
  if (over <= 0) return ''
  const out = [...document.querySelectorAll('body *')].filter((e) => { const b = e.getBoundingClientRect(); return b.width && (b.right > innerWidth + 1 || b.left < -1) && !e.closest('[style*=overflow]') }).slice(0, 4)
  return `${over} px: ${out.map((e) => `${e.tagName.toLowerCase()}.${String(e.className).slice(0, 40)}`).join(' | ')}`
})

export async function words(browser, email) {
  const out = await page(browser)
  const shownOut = await pretend(out)
  for (const [name, path] of [['login', '/login'], ['register', '/register'], ['forgot', '/forgot'], ['verify', '/verify?email=a@b.test'], ['reset', '/reset?email=a@b.test&code=x'], ['accept', '/accept?code=x'], ['missing', '/no/such/page']]) {
    await test(`${name}: every word is a word to translate, and has room`, async () => {
      await out.goto(BASE + path)
      await out.getByRole('heading', { level: 1 }).waitFor()
      await shot(out, `words-${name}`)
      equal((await bare(out, shownOut)).filter((t) => !t.includes('a@b.test')).join('\n'), '', 'not translated')
      equal((await spilled(out)).join('\n'), '', 'sticks out')
      equal(await sideways(out), '', 'sideways')
    })
  }
  await out.context().close()

  const p = await page(browser)
  await signIn(p, email)
  const order = (await api(p, 'GET', '/sales/orders?limit=1')).data[0].id
  const invoice = (await api(p, 'GET', '/finance/invoices?limit=1')).data[0].id
  const data = await pretend(p)
  const screens = [
    ['home', '/'], ['onboarding', '/onboarding'], ['table', '/o/parties-parties'], ['table-empty', '/o/parties-parties?q=zzzzzz'], ['orders', '/o/sales-orders'],
    ['panel', `/o/sales-orders?rec=${order}`], ['panel-activity', `/o/sales-orders?rec=${order}&tab=activity`], ['page', `/o/sales-orders/r/${order}`], ['page-files', `/o/sales-orders/r/${order}?tab=files`], ['page-related', `/o/sales-orders/r/${order}?tab=related`],
    ['invoice', `/o/finance-invoices/r/${invoice}`], ['create', '/o/sales-orders?new=true'], ['import', '/o/parties-parties/import'],
    ...['board', 'calendar', 'timeline', 'workload', 'pivot', 'dashboard', 'gallery', 'activity'].map((kind) => [kind, `/o/sales-orders?as=${kind}`]), ['tree', '/o/products-categories?as=tree'], ['inbox', '/inbox'],
    ['palette', '/', async (q) => { await q.keyboard.press('Control+k'); await q.getByRole('dialog').waitFor() }],
    ['shortcuts', '/', async (q) => { await q.keyboard.press('Shift+?'); await q.getByRole('dialog').waitFor() }],
    ...['profile', 'security', 'sessions', 'tokens', 'organization', 'members', 'roles', 'fields', 'audit', 'workspaces', 'general'].map((s) => [s, `/settings/${s}`]),
  ]
  const go = async (path, then) => {
    await p.goto(BASE + path)
    await p.locator('h1,h2').first().waitFor()
    await p.waitForFunction(() => !document.querySelector('.skel'), null, { timeout: 8000 }).catch(() => {})
    if (then) await then(p)
    await p.waitForTimeout(250)
  }
  for (const [name, path, then] of screens) {
    await test(`${name}: every word is a word to translate, and has room`, async () => {
      await go(path, then)
      await shot(p, `words-${name}`)
      equal((await bare(p, data)).join('\n'), '', 'not translated')
      equal((await spilled(p)).join('\n'), '', 'sticks out')
      equal(await sideways(p), '', 'sideways')
    })
  }
  for (const [name, path, then] of screens) {
    await test(`${name} from right to left`, async () => {
      await go(path)
      await p.evaluate(() => { document.documentElement.dir = 'rtl' })
      if (then) await then(p)
      await p.waitForTimeout(250)
      await shot(p, `words-rtl-${name}`)
      equal(await p.evaluate(() => [...document.querySelectorAll('body [dir=ltr]')].filter((e) => e.getClientRects().length && !e.closest('[aria-hidden=true]')).map((e) => `${e.tagName} ${e.className}`).slice(0, 3).join(' | ')), '', 'still from left to right')
      equal(await sideways(p), '', 'sideways')
    })
  }
  await p.context().close()

  const kk = await page(browser, { locale: 'kk-KZ' })
  await signIn(kk, email)
  await api(kk, 'PATCH', '/me', { locale: 'kk' })
  await test('in Kazakh', async () => {
    await kk.goto(`${BASE}/o/sales-orders`)
    await kk.getByRole('button', { name: 'Бағандар' }).waitFor()
    await kk.getByRole('columnheader', { name: 'Сатып алушы' }).waitFor()
    equal(await kk.evaluate(() => document.documentElement.lang), 'kk')
    // Chromium has no Kazakh dates of its own.
    await kk.getByRole('gridcell', { name: /^20\d\d ж\. \d\d [а-яқңәіөүұғһ]{3}\.$/ }).first().waitFor()
    await shot(kk, 'look-orders-kk')
    for (const [name, path] of [['home', '/'], ['page', `/o/sales-orders/r/${order}`], ['invoice', `/o/finance-invoices/r/${invoice}`], ['create', '/o/sales-orders?new=true'], ['profile', '/settings/profile'], ['roles', '/settings/roles']]) {
      await kk.goto(BASE + path)
      await kk.locator('h1').first().waitFor()
      await kk.waitForFunction(() => !document.querySelector('.skel'), null, { timeout: 8000 }).catch(() => {})
      await kk.waitForTimeout(400)
      await shot(kk, `look-${name}-kk`)
    }
    await kk.getByRole('button', { name: 'Басшы Кірістірілген' }).waitFor()
    equal(kk.problems.join('\n'), '')
  })
  await api(kk, 'PATCH', '/me', { locale: 'en' })
  await kk.context().close()
}
