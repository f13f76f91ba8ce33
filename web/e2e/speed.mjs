// How quick a table of a hundred thousand rows is: what a key, a frame of scrolling, a row anywhere and the palette cost the page's own thread, which a busy machine does not change.
import { api, BASE, page, signIn, test, truth } from './kit.mjs'

const ROWS = 100_000
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]

/** Many customers at once, by an import. */
async function many(p) {
  const { count } = await api(p, 'GET', '/parties/parties?count=exact&limit=1')
  if (count.value >= ROWS) return
  const job = await p.evaluate(async (rows) => {
    const cities = ['Almaty', 'Astana', 'Berlin', 'Minsk', 'Tashkent', 'Baku']
    const lines = Array.from({ length: rows }, (_, i) => `Company ${String(i).padStart(6, '0')},true,${i % 2 ? 'KZ' : 'DE'},${cities[i % 6]},info@company${i}.test,${1000 + (i % 90_000)}`)
    const file = await fetch('/api/v1/files', { method: 'POST', headers: { 'Content-Type': 'text/csv', 'X-File-Name': 'companies.csv' }, body: ['name,is_customer,country,city,email,credit_limit', ...lines].join('\n') }).then((r) => r.json())
    const post = (path, body) => fetch(`/api/v1${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then((r) => r.json())
    const made = await post('/parties/parties/_import', { file: file.id })
    return { import: made.import?.id ?? made.id, run: await post(`/imports/${made.import?.id ?? made.id}/run`, {}) }
  }, ROWS)
  const began = Date.now()
  for (;;) {
    const now = await api(p, 'GET', `/imports/${job.import}`)
    if (['done', 'finished', 'failed', 'imported'].includes(now.status)) { truth(now.created >= ROWS, JSON.stringify(now).slice(0, 400)); return }
    truth(Date.now() - began < 240_000, `the import is not done: ${JSON.stringify(now).slice(0, 300)}`)
    await p.waitForTimeout(500)
  }
}

export async function speed(browser, email) {
  const p = await page(browser)
  await signIn(p, email)
  await test('a hundred thousand customers come in', () => many(p))

  const client = await p.context().newCDPSession(p)
  await client.send('Performance.enable', { timeDomain: 'threadTicks' })
  const now = async () => Object.fromEntries((await client.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value * 1000]))
  /** What this costs the thread, in milliseconds: all that it does, and scripts alone. */
  const cost = async (work) => { const a = await now(); await work(); const b = await now(); return { task: b.TaskDuration - a.TaskDuration, script: b.ScriptDuration - a.ScriptDuration } }
  const frames = (n) => p.evaluate((k) => new Promise((done) => { const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : done()); next(k) }), n)
  const told = []
  /** A piece of work that is always the same, scripts and layout as a table's are: what it costs says how fast the thread is right now. */
  const known = () => p.evaluate(() => {
    const box = document.createElement('div')
    box.style.cssText = 'position:fixed;inset:0;visibility:hidden;contain:strict'
    document.body.append(box)
    let sum = 0
    for (let i = 0; i < 600; i++) {
      const row = box.appendChild(document.createElement('div'))
      row.className = 'flex items-center gap-2'
      for (let k = 0; k < 4; k++) row.appendChild(document.createElement('span')).textContent = String((sum = (sum * 31 + i + k) % 1_000_003))
    }
    const height = box.scrollHeight
    box.remove()
    return height + sum
  })
  // The budgets are those of a thread that does it in 40 ms; beside other work, or on a slower machine, the same page costs more.
  const slower = async () => Math.max(1, median(await times(9, async () => (await cost(known)).task)) / 40)
  const counted = (what, value, most, unit) => { told.push(`${what} ${value.toFixed(1)} ${unit} of ${most.toFixed(0)}`); truth(value <= most, `${what}: ${value.toFixed(2)} ${unit}, at most ${most.toFixed(2)}`) }
  const gate = async (what, value, most) => counted(what, value, most * await slower(), 'ms')

  await p.goto(`${BASE}/o/parties-parties?sort=name`)
  await p.locator('.g-row[data-id]').first().waitFor()
  await p.getByRole('grid').focus()
  const active = () => p.locator('.g-cell.active').evaluate((el) => Number(el.closest('[aria-rowindex]').getAttribute('aria-rowindex')))

  await test('an arrow key costs at most 6 ms', async () => {
    // One key a frame, from within: what the browser needs to hear of a real one is not the page's doing, nor is an empty frame.
    const pressed = (keys) => p.evaluate((all) => new Promise((done) => { const next = (i) => { if (i === all.length) { done(); return } if (all[i]) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: all[i], bubbles: true, cancelable: true })); requestAnimationFrame(() => next(i + 1)) }; next(0) }), keys)
    const keys = Array.from({ length: 12 }, (_, i) => (i % 4 === 3 ? 'ArrowRight' : 'ArrowDown'))
    await pressed(keys)
    await frames(20)
    const all = []
    for (let i = 0; i < 7; i++) {
      await p.evaluate(() => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', ctrlKey: true, bubbles: true, cancelable: true })))
      await frames(10)
      const idle = await cost(() => pressed(keys.map(() => '')))
      const { task } = await cost(() => pressed(keys))
      all.push((task - idle.task) / keys.length)
    }
    await gate('an arrow key', median(all), 6)
    truth(await active() > 9, 'the keys went down')
  })
  await test('scrolling costs at most 6 ms of script a frame', async () => {
    const scrolled = (n) => p.evaluate((k) => new Promise((done) => { const el = document.querySelector('.grid-scroll'); const next = (left) => { if (!left) { done(); return } el.scrollTop += 120; requestAnimationFrame(() => next(left - 1)) }; next(k) }), n)
    await scrolled(20)
    const { script } = await cost(() => scrolled(100))
    await gate('a frame of scrolling', script / 100, 6)
  })
  await test('any row costs at most 120 ms', async () => {
    const waited = []
    const all = []
    for (const share of [0.5, 0.93, 0.2, 0.71, 0.35, 0.99, 0.11]) {
      const { task } = await cost(async () => waited.push(await p.evaluate((at) => new Promise((done, lost) => {
        const el = document.querySelector('.grid-scroll')
        const began = performance.now()
        el.scrollTop = el.scrollHeight * at
        const look = () => { const box = el.getBoundingClientRect(); const row = document.elementFromPoint(box.left + 200, box.top + box.height / 2)?.closest('.g-row'); if (row?.dataset.id) done(performance.now() - began); else if (performance.now() - began > 10_000) lost(new Error('no row came')); else setTimeout(look, 16) }
        setTimeout(look)
      }), share)))
      all.push(task)
    }
    await gate('a row anywhere', median(all), 120)
    told.push(`waited for it ${median(waited).toFixed(0)} ms`)
  })
  await test('the page has at most 2,500 elements', async () => counted('the page', await p.evaluate(() => document.querySelectorAll('*').length), 2500, 'elements'))
  await test('the palette opens in 100 ms', async () => {
    const open = async () => { await p.keyboard.press('Control+k'); await p.getByRole('dialog').getByRole('combobox').waitFor() }
    const close = async () => { await p.keyboard.press('Escape'); await p.getByRole('dialog').waitFor({ state: 'detached' }) }
    await open()
    await close()
    const all = await times(5, async () => { const c = await cost(open); await close(); return c })
    await gate('the palette', median(all), 100)
  })
  console.log(`       ${told.join('; ')}`)
  await p.context().close()

  async function times(n, work) { const out = []; for (let i = 0; i < n; i++) { const x = await work(i); out.push(typeof x === 'number' ? x : x.task) } return out }
}
