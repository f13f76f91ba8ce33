// Views in time: a calendar whose records span days and hours, a timeline, and who has how much to do; by mouse and by keyboard.
import { api, axe, BASE, equal, page, shot, signIn, test, truth } from './kit.mjs'

const view = (kind, on, more = {}) => `${BASE}/o/sales-orders?as=${kind}&on=${on}${Object.entries(more).map(([k, v]) => `&${k}=${encodeURIComponent(typeof v === 'string' ? v : JSON.stringify(v))}`).join('')}`
const mine = { operator: 'AND', rules: [{ field: 'note', operator: 'starts_with', value: 'time' }] }

export async function time(browser, email) {
  const p = await page(browser, { zone: 'America/New_York' })
  await signIn(p, email)
  // By the clocks of New York: there a day of this November has 25 hours.
  await api(p, 'PATCH', '/me', { time_zone: 'America/New_York' })
  const has = new Set((await api(p, 'GET', '/meta/entities/sales.orders')).fields.map((f) => f.name))
  for (const [name, label, type] of [['begins_at', 'Begins', 'datetime'], ['ends_at', 'Ends', 'datetime'], ['ready', 'Ready', 'percent'], ['plan_from', 'Plan from', 'date'], ['plan_to', 'Plan to', 'date'], ['hours', 'Hours', 'number']]) if (!has.has(`cf.${name}`)) await api(p, 'POST', '/fields', { entity: 'sales.orders', name, label, type })
  const customer = await api(p, 'POST', '/parties/parties', { name: 'Rail Time LLP', is_customer: true })
  const order = (note, more) => api(p, 'POST', '/sales/orders', { customer_id: customer.id, note: `time ${note}`, ...more })
  const event = (id) => p.locator(`[data-event="${id}"]`).first()
  const at = (id, from, to) => p.locator(`[data-event="${id}"][data-from="${from}"][data-to="${to}"]`).first()
  const bar = (id) => p.locator(`[data-bar="${id}"]`)
  const shows = async (text) => p.waitForFunction((x) => [...document.querySelectorAll('[role=status]')].some((e) => e.textContent.includes(x)), text)
  /** Shown at once; the server has it a moment later. */
  const becomes = async (id, want) => {
    const names = Object.keys(want).join()
    let now
    for (let i = 0; i < 80; i++) { now = await api(p, 'GET', `/sales/orders/${id}?fields=${names}`); if (Object.entries(want).every(([k, v]) => (now[k] && v && /T/.test(v) ? +new Date(now[k]) === +new Date(v) : now[k] === v))) return; await p.waitForTimeout(100) }
    equal(JSON.stringify(Object.fromEntries(Object.keys(want).map((k) => [k, now[k]]))), JSON.stringify(want))
  }
  const drag = async (from, to, look) => {
    await p.mouse.move(from.x, from.y)
    await p.mouse.down()
    await p.mouse.move(from.x + 6, from.y + 6, { steps: 3 })
    await p.mouse.move(to.x, to.y, { steps: 8 })
    if (look) await look()
    await p.mouse.up()
  }
  const undo = async () => { await p.getByRole('button', { name: 'Undo' }).first().click() }
  const box = async (l) => { await l.scrollIntoViewIfNeeded(); return l.boundingBox() }
  const days = { date: 'ordered_on', end: 'required_on' }
  const hours = { date: 'cf.begins_at', end: 'cf.ends_at', colour: 'priority' }

  const long = await order('long', { ordered_on: '2031-05-06', required_on: '2031-05-15' })
  await test('a calendar: a record lies over all its days, is carried whole and stretched by its edge', async () => {
    await p.goto(view('calendar', '2031-05-01', { options: days, filter: mine }))
    await at(long.id, '2031-05-06', '2031-05-15').waitFor()
    equal(await p.locator(`[data-event="${long.id}"]`).count(), 2, 'a bar in each of its weeks')
    const cell = async (d) => { const b = await p.locator(`[data-day="${d}"]`).first().boundingBox(); return { x: b.x + b.width / 2, y: b.y + b.height - 14 } }
    const first = await event(long.id).boundingBox()
    // Taken by its second day: it goes as far as the pointer goes.
    const second = await cell('2031-05-07')
    await drag({ x: second.x, y: first.y + 10 }, await cell('2031-05-09'), async () => { equal(await p.locator('.cal-day.over').count(), 10, 'where it would lie'); await shot(p, 'time-1-carried') })
    await at(long.id, '2031-05-08', '2031-05-17').waitFor()
    await becomes(long.id, { ordered_on: '2031-05-08', required_on: '2031-05-17' })
    await undo()
    await at(long.id, '2031-05-06', '2031-05-15').waitFor()
    await becomes(long.id, { ordered_on: '2031-05-06', required_on: '2031-05-15' })
    const last = await p.locator(`[data-event="${long.id}"]`).nth(1).boundingBox()
    await drag({ x: last.x + last.width - 3, y: last.y + 10 }, await cell('2031-05-20'))
    await at(long.id, '2031-05-06', '2031-05-20').waitFor()
    await becomes(long.id, { ordered_on: '2031-05-06', required_on: '2031-05-20' })
    equal(new URL(p.url()).searchParams.get('rec'), null, 'letting go is no click')
  })

  await test('by keyboard: taken, carried, made shorter, put; and left where it was', async () => {
    await event(long.id).focus()
    for (const k of ['Space', 'ArrowDown', 'ArrowRight', 'Shift+ArrowLeft', 'Shift+ArrowUp', 'Enter']) await p.keyboard.press(k)
    await at(long.id, '2031-05-14', '2031-05-20').waitFor()
    await shows('May 14 – 20, 2031')
    await becomes(long.id, { ordered_on: '2031-05-14', required_on: '2031-05-20' })
    await p.waitForFunction((x) => document.activeElement?.dataset.event === x, long.id)
    for (const k of ['Space', 'ArrowRight', 'Escape']) await p.keyboard.press(k)
    await shows('stays on')
    await becomes(long.id, { ordered_on: '2031-05-14', required_on: '2031-05-20' })
  })

  await test('drawn over empty days, a new record has them', async () => {
    const a = await p.locator('[data-day="2031-05-27"]').boundingBox(); const b = await p.locator('[data-day="2031-05-29"]').boundingBox()
    await drag({ x: a.x + 40, y: a.y + 70 }, { x: b.x + 40, y: b.y + 70 })
    const dialog = p.getByRole('dialog')
    await dialog.waitFor()
    equal(await dialog.getByLabel('Ordered on').inputValue(), '2031-05-27')
    equal(await dialog.getByLabel('Required on').inputValue(), '2031-05-29')
    await p.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  })

  await test('what the server refuses comes back with its sentence', async () => {
    await p.route('**/api/v1/sales/orders/*', (r) => (r.request().method() === 'PATCH' ? r.fulfill({ status: 422, contentType: 'application/problem+json', body: '{"title":"Refused","status":422,"detail":"Not on that day."}' }) : r.continue()))
    await event(long.id).focus()
    for (const k of ['Space', 'ArrowRight', 'Enter']) await p.keyboard.press(k)
    await p.locator('[data-sonner-toast]').filter({ hasText: 'Not on that day.' }).first().waitFor()
    await at(long.id, '2031-05-14', '2031-05-20').waitFor()
    await p.unroute('**/api/v1/sales/orders/*')
  })

  const meet = await order('meet', { 'cf.begins_at': '2026-11-02T14:00:00Z', 'cf.ends_at': '2026-11-02T16:00:00Z', priority: 'high' })
  await order('other', { 'cf.begins_at': '2026-11-02T15:00:00Z', 'cf.ends_at': '2026-11-02T16:30:00Z' })
  const night = await order('night', { 'cf.begins_at': '2026-11-01T04:15:00Z', 'cf.ends_at': '2026-11-01T04:45:00Z' })
  const early = await order('early', { 'cf.begins_at': '2026-11-01T06:30:00Z', 'cf.ends_at': '2026-11-01T08:30:00Z', priority: 'urgent' })
  await order('days', { 'cf.begins_at': '2026-11-03T15:00:00Z', 'cf.ends_at': '2026-11-05T15:00:00Z', priority: 'low' })
  await test('a week by the hour: side by side where they overlap, carried and stretched by quarters of an hour', async () => {
    await p.goto(view('calendar', '2026-11-02', { span: 'week', options: hours, filter: mine }))
    await event(meet.id).waitFor()
    const a = await box(event(meet.id))
    const column = await p.locator('[data-day="2026-11-02"][data-hours]').boundingBox()
    truth(a.width < column.width * 0.6, 'two share the width')
    equal(Math.round(a.height / 46), 2, 'two hours tall')
    const tuesday = await p.locator('[data-day="2026-11-03"][data-hours]').boundingBox()
    await drag({ x: a.x + 20, y: a.y + 30 }, { x: tuesday.x + 60, y: a.y + 30 + 46 * 1.5 }, () => shot(p, 'time-2-hours-carried'))
    await becomes(meet.id, { 'cf.begins_at': '2026-11-03T15:30:00Z', 'cf.ends_at': '2026-11-03T17:30:00Z' })
    await at(meet.id, '2026-11-03', '2026-11-03').waitFor()
    await p.waitForTimeout(300)
    const b = await box(event(meet.id))
    await drag({ x: b.x + 30, y: b.y + b.height - 3 }, { x: b.x + 30, y: b.y + b.height - 3 + 46 })
    await becomes(meet.id, { 'cf.begins_at': '2026-11-03T15:30:00Z', 'cf.ends_at': '2026-11-03T18:30:00Z' })
    await event(meet.id).focus()
    for (const k of ['Space', 'ArrowUp', 'ArrowUp', 'ArrowRight', 'Shift+ArrowDown', 'Enter']) await p.keyboard.press(k)
    await becomes(meet.id, { 'cf.begins_at': '2026-11-04T15:00:00Z', 'cf.ends_at': '2026-11-04T18:15:00Z' })
    equal(await p.locator('.cal-allday [data-event]').count(), 1, 'what lasts for days lies above')
    const friday = await p.locator('[data-day="2026-11-06"][data-hours]').boundingBox()
    await drag({ x: friday.x + 40, y: friday.y + 46 * 10 + 1 }, { x: friday.x + 40, y: friday.y + 46 * 11.5 })
    await p.getByRole('dialog').waitFor()
    await p.keyboard.press('Escape')
    await p.getByRole('dialog').waitFor({ state: 'hidden' })
  })

  await test('a day of 25 hours has them all, and what is carried over it keeps its time', async () => {
    await p.goto(view('calendar', '2026-11-01', { span: 'day', options: hours, filter: mine }))
    await event(early.id).waitFor()
    equal(await p.locator('.cal-gutter > span').count(), 25)
    await p.locator('.cal-hours').evaluate((e) => e.scrollTo(0, 0))
    await shot(p, 'time-3-day')
    // It begins at half past one, told the second time: the row after the first.
    const a = await event(early.id).boundingBox(); const c = await p.locator('[data-hours]').boundingBox()
    equal(Math.round((a.y - c.y) / 23), 5, 'two and a half hours down')
    await p.goto(view('calendar', '2026-11-01', { span: 'week', options: hours, filter: mine }))
    await event(meet.id).waitFor()
    truth(await p.locator('.cal-gap').count() === 6, 'the other days lack that hour')
    // A quarter past midnight stays so, though the day between has an hour more.
    await event(night.id).focus()
    for (const k of ['Space', 'ArrowRight', 'Enter']) await p.keyboard.press(k)
    await becomes(night.id, { 'cf.begins_at': '2026-11-02T05:15:00Z', 'cf.ends_at': '2026-11-02T05:45:00Z' })
  })

  await test('the calendar by day and by night, without a fault', async () => {
    for (const [span, on, options] of [['month', '2026-11-01', hours], ['week', '2026-11-02', hours], ['day', '2026-11-02', hours], ['agenda', '2026-11-02', hours], ['week', '2031-05-14', days]]) {
      await p.goto(view('calendar', on, { span, options, filter: mine }))
      await p.locator('[data-event]').first().waitFor()
      for (const theme of ['light', 'dark']) {
        await p.evaluate((x) => { document.documentElement.dataset.theme = x }, theme)
        await shot(p, `time-calendar-${span}-${on.slice(0, 4)}-${theme}`)
        await axe(p, `calendar, ${span}, ${theme}`)
      }
    }
  })

  // ---- timeline ------------------------------------------------------------------------------------------------------
  const gantt = { predecessor: 'parent_order_id', progress: 'cf.ready', baseline_start: 'cf.plan_from', baseline_end: 'cf.plan_to', colour: 'priority' }
  const one = await order('line 1', { ordered_on: '2033-03-01', required_on: '2033-03-10', 'cf.ready': '40', 'cf.plan_from': '2033-02-27', 'cf.plan_to': '2033-03-07', priority: 'high' })
  const two = await order('line 2', { ordered_on: '2033-03-11', required_on: '2033-03-20', parent_order_id: one.id })
  const three = await order('line 3', { ordered_on: '2033-03-14', required_on: '2033-03-18', priority: 'urgent' })
  const dot = await order('line 4', { ordered_on: '2033-03-22' })
  const lines = { operator: 'AND', rules: [{ field: 'note', operator: 'starts_with', value: 'time line' }] }
  const onLine = (id, from, to) => p.locator(`[data-bar="${id}"][data-from="${from}"][data-to="${to}"]`)
  await test('a timeline: moved and stretched by mouse and by keyboard, undone', async () => {
    await p.goto(view('timeline', '2033-03-05', { span: 'week', options: gantt, filter: lines }))
    await onLine(one.id, '2033-03-01', '2033-03-10').waitFor()
    equal(await p.locator('.tl-bar.dot').count(), 1, 'a milestone')
    equal(await p.locator('.tl-base').count(), 1, 'a plan')
    truth(await p.locator('.tl-arrows path').count() >= 2, 'an arrow')
    const a = await bar(three.id).boundingBox()
    await drag({ x: a.x + 30, y: a.y + 10 }, { x: a.x + 30 + 14 * 4, y: a.y + 10 }, () => shot(p, 'time-4-line-carried'))
    await onLine(three.id, '2033-03-18', '2033-03-22').waitFor()
    await becomes(three.id, { ordered_on: '2033-03-18', required_on: '2033-03-22' })
    await undo()
    await onLine(three.id, '2033-03-14', '2033-03-18').waitFor()
    await becomes(three.id, { ordered_on: '2033-03-14', required_on: '2033-03-18' })
    const b = await bar(three.id).boundingBox()
    await drag({ x: b.x + b.width - 2, y: b.y + 10 }, { x: b.x + b.width - 2 + 14 * 3, y: b.y + 10 })
    await becomes(three.id, { ordered_on: '2033-03-14', required_on: '2033-03-21' })
    await drag({ x: b.x + 2, y: b.y + 10 }, { x: b.x + 2 - 14 * 2, y: b.y + 10 })
    await becomes(three.id, { ordered_on: '2033-03-12', required_on: '2033-03-21' })
    await bar(three.id).focus()
    for (const k of ['Space', 'ArrowRight', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Enter']) await p.keyboard.press(k)
    await becomes(three.id, { ordered_on: '2033-03-13', required_on: '2033-03-20' })
    await p.waitForFunction((x) => document.activeElement?.dataset.bar === x, three.id)
    // A milestone becomes a stretch of time when it is given an end.
    await bar(dot.id).focus()
    for (const k of ['Space', 'Shift+ArrowRight', 'Enter']) await p.keyboard.press(k)
    await becomes(dot.id, { ordered_on: '2033-03-22', required_on: '2033-03-23' })
  })

  await test('arrows go from bar to bar, Enter opens, plus and minus change the scale, T goes to today', async () => {
    await bar(one.id).focus()
    await p.keyboard.press('ArrowDown')
    await p.waitForFunction((x) => document.activeElement?.dataset.bar === x, two.id)
    await p.keyboard.press('Enter')
    await p.waitForURL(/rec=/)
    await p.keyboard.press('Escape')
    await p.waitForURL((u) => !u.searchParams.get('rec'))
    await bar(two.id).focus()
    await p.keyboard.press('-')
    await p.waitForURL(/span=month/)
    await bar(two.id).waitFor()
    await p.getByRole('button', { name: 'Days', exact: true }).click()
    await p.waitForURL(/span=day/)
    await p.locator('[data-bar]').first().focus()
    await p.keyboard.press('+')
    for (const [name, span] of [['Months', 'month'], ['Quarters', 'quarter'], ['Years', 'year']]) { await p.getByRole('button', { name, exact: true }).click(); await p.waitForURL(new RegExp(`span=${span}`)); await bar(one.id).waitFor(); truth((await p.evaluate(() => document.querySelectorAll('*').length)) < 2500, 'few elements') }
    await p.locator('[data-bar]').first().focus()
    await p.keyboard.press('t')
    await p.waitForURL((u) => u.searchParams.get('on')?.slice(0, 4) === String(new Date().getFullYear()))
  })

  await test('what waits for what: by mouse, by keyboard, never in a circle; the longest chain is told', async () => {
    await p.goto(view('timeline', '2033-03-05', { span: 'week', options: gantt, filter: lines }))
    await bar(two.id).waitFor()
    const a = await bar(two.id).boundingBox(); const b = await bar(three.id).boundingBox()
    await p.mouse.move(a.x + a.width - 4, a.y + 11)
    await drag({ x: a.x + a.width + 9, y: a.y + 11 }, { x: b.x + b.width / 2, y: b.y + 11 }, () => shot(p, 'time-5-link'))
    await becomes(three.id, { parent_order_id: two.id })
    await bar(dot.id).focus()
    await p.keyboard.press('l')
    const dialog = p.getByRole('dialog')
    await dialog.getByRole('combobox').fill(three.number)
    await p.getByRole('option', { name: three.number }).first().click()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await becomes(dot.id, { parent_order_id: three.id })
    await bar(one.id).focus()
    await p.keyboard.press('l')
    await dialog.getByRole('combobox').fill(dot.number)
    await p.getByRole('option', { name: dot.number }).first().click()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await shows('wait for each other')
    equal((await api(p, 'GET', `/sales/orders/${one.id}?fields=parent_order_id`)).parent_order_id, null)
    await p.getByRole('button', { name: 'Critical path' }).click()
    // 10 days, 10, 8 and 2, each after the other.
    await p.getByText('Critical path: 30 days').waitFor()
    equal(await p.locator('.tl-bar.crit').count(), 4)
    await shot(p, 'time-6-critical')
    await axe(p, 'timeline, critical path')
  })

  await test('groups fold; by day, by night and from right to left', async () => {
    await p.goto(view('timeline', '2033-03-05', { span: 'day', options: { ...gantt, group: 'priority' }, filter: lines }))
    await bar(one.id).waitFor()
    const fold = p.getByRole('button', { name: /^Normal/ })
    await fold.click()
    await bar(two.id).waitFor({ state: 'detached' })
    equal(await fold.getAttribute('aria-expanded'), 'false')
    await fold.focus()
    await p.keyboard.press('ArrowRight')
    await bar(two.id).waitFor()
    for (const theme of ['light', 'dark']) {
      await p.evaluate((x) => { document.documentElement.dataset.theme = x }, theme)
      await shot(p, `time-line-${theme}`)
      await axe(p, `timeline, ${theme}`)
    }
    const rtl = await page(browser, { zone: 'America/New_York' })
    await rtl.addInitScript(() => {
      const turn = () => { if (document.documentElement && document.documentElement.dir !== 'rtl') document.documentElement.dir = 'rtl' }
      new MutationObserver(turn).observe(document, { attributes: true, subtree: true, childList: true, attributeFilter: ['dir'] })
    })
    await signIn(rtl, email)
    await rtl.goto(view('timeline', '2033-03-05', { span: 'week', options: gantt, filter: lines }))
    await rtl.locator(`[data-bar="${three.id}"]`).waitFor()
    await rtl.waitForTimeout(300)
    const a = await rtl.locator(`[data-bar="${three.id}"]`).boundingBox()
    // There later is to the left.
    await rtl.mouse.move(a.x + 40, a.y + 10); await rtl.mouse.down(); await rtl.mouse.move(a.x + 30, a.y + 10, { steps: 3 }); await rtl.mouse.move(a.x + 40 - 14 * 2, a.y + 10, { steps: 4 }); await rtl.mouse.up()
    await becomes(three.id, { ordered_on: '2033-03-15', required_on: '2033-03-22' })
    await shot(rtl, 'time-line-rtl')
    await rtl.context().close()
  })

  await test('a hundred thousand records: what is in sight is asked for and drawn, and scrolling is smooth', async () => {
    const asked = []
    await p.route(/\/api\/v1\/sales\/orders\/_aggregate/, (r) => r.fulfill({ json: { data: [{ n: 100_000, a: '2033-01-01', b: '2033-12-31', c: '2033-12-31' }] } }))
    await p.route(/\/api\/v1\/sales\/orders\?/, (r) => {
      const u = new URL(r.request().url())
      const offset = Number(u.searchParams.get('offset') ?? 0); const limit = Number(u.searchParams.get('limit') ?? 50)
      if (limit === 1) return r.fulfill({ json: { data: [], next: null, count: { value: 100_000, exact: true } } })
      asked.push(offset)
      const day = (n) => new Date(Date.UTC(2033, 1, 20 + n)).toISOString().slice(0, 10)
      return r.fulfill({ json: { data: Array.from({ length: limit }, (_, i) => ({ id: `row-${offset + i}`, number: `N ${offset + i}`, version: 1, ordered_on: day(i % 20), required_on: day((i % 20) + 4 + (i % 9)), priority: 'normal', status: 'draft' })), next: null } })
    })
    try {
    await p.goto(view('timeline', '2033-03-05', { span: 'week' }))
    await p.locator('[data-bar]').first().waitFor()
    const cdp = await p.context().newCDPSession(p)
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
    const script = async () => (await cdp.send('Performance.getMetrics')).metrics.find((m) => m.name === 'ScriptDuration').value
    const before = await script()
    const frames = await p.evaluate(async () => { const e = document.querySelector('.tl'); let n = 0; for (let i = 0; i < 60; i++) { e.scrollTop += 400; await new Promise((r) => requestAnimationFrame(r)); n++ } return n })
    const each = ((await script()) - before) * 1000 / frames
    console.log(`       ${each.toFixed(1)} ms of script a frame, ${asked.length} pages asked for`)
    truth(each < 15, `${each.toFixed(1)} ms of script for a frame`)
    await p.locator('.tl').evaluate((e) => { e.scrollTop = e.scrollHeight })
    await p.locator('[data-bar="row-99999"]').waitFor()
    truth(asked.length < 25, `${asked.length} pages were asked for`)
    truth((await p.evaluate(() => document.querySelectorAll('*').length)) < 2500, 'few elements')
    } finally { await p.unroute(/\/api\/v1\/sales\/orders\/_aggregate/); await p.unroute(/\/api\/v1\/sales\/orders\?/) }
  })

  // ---- workload ------------------------------------------------------------------------------------------------------
  const load = { operator: 'AND', rules: [{ field: 'note', operator: 'starts_with', value: 'time load' }] }
  const tuesday = []
  for (let i = 0; i < 3; i++) tuesday.push(await order(`load ${i}`, { ordered_on: '2034-05-02', 'cf.hours': String(i + 2.5) }))
  await order('load long', { ordered_on: '2034-05-04', required_on: '2034-05-09', 'cf.hours': '12' })
  const cell = (day) => p.locator('.wl-row[data-who] .wl-cell').filter({ hasText: day })
  await test('who has how much to do: the server\'s numbers, too much in red and in words', async () => {
    await p.goto(view('workload', '2034-05-01', { filter: load, options: { who: 'assigned_to', start: 'ordered_on', effort: 'cf.hours' } }))
    await cell('May 2, 2034').first().waitFor()
    const { data } = await api(p, 'POST', '/sales/orders/_aggregate', { group_by: ['assigned_to', 'ordered_on:day'], metrics: [{ function: 'sum', field: 'cf.hours', as: 'sum' }], filter: load })
    for (const [day, name] of [['2034-05-02', 'May 2, 2034'], ['2034-05-04', 'May 4, 2034']]) equal(Number(await cell(name).first().getAttribute('data-n')), Number(data.find((r) => r.ordered_on === day).sum), name)
    truth(/10\.5 of 8, 2\.5 too much/.test(await cell('May 2, 2034').first().innerText()), 'in words')
    truth(await cell('May 2, 2034').first().evaluate((e) => e.classList.contains('over')), 'in red')
    await p.getByText('2 overloads').waitFor()
    await p.getByLabel('Capacity a day').fill('11')
    await p.keyboard.press('Enter')
    await p.getByText('1 overload', { exact: true }).waitFor()
    await cell('May 2, 2034').first().click()
    const dialog = p.getByRole('dialog')
    await dialog.getByText(tuesday[0].number).waitFor()
    equal(await dialog.locator('li').count(), 3)
    await axe(p, 'workload, records')
    await dialog.getByRole('button', { name: new RegExp(tuesday[1].number) }).click()
    await p.waitForURL(new RegExp(`rec=${tuesday[1].id}`))
    await p.keyboard.press('Escape')
  })

  await test('work of several days is spread over those that are worked on', async () => {
    await p.goto(view('workload', '2034-05-01', { filter: load, options: { who: 'assigned_to', start: 'ordered_on', end: 'required_on', effort: 'cf.hours' } }))
    await cell('May 4, 2034').first().waitFor()
    // Thursday to Tuesday: four days of work.
    for (const [name, n] of [['May 4, 2034', 3], ['May 5, 2034', 3], ['May 6, 2034', 0], ['May 8, 2034', 3], ['May 9, 2034', 3], ['May 10, 2034', 0]]) equal(Number(await cell(name).first().getAttribute('data-n')), n, name)
    await p.getByRole('button', { name: 'Weeks', exact: true }).click()
    await p.waitForURL(/span=week/)
    const total = Number((await api(p, 'POST', '/sales/orders/_aggregate', { metrics: [{ function: 'sum', field: 'cf.hours', as: 'sum' }], filter: load })).data[0].sum)
    await p.waitForFunction((n) => Number(document.querySelector('.wl-row[data-who] .wl-total')?.textContent) === n, total)
    await p.locator('.wl-cell.some').first().focus()
    await p.keyboard.press('ArrowRight')
    await p.keyboard.press('Enter')
    await p.getByRole('dialog').waitFor()
    await p.getByRole('dialog').getByRole('button', { name: 'Filter by these' }).click()
    await p.waitForURL(/required_on/)
    for (const theme of ['light', 'dark']) {
      await p.evaluate((x) => { document.documentElement.dataset.theme = x }, theme)
      await shot(p, `time-workload-${theme}`)
      await axe(p, `workload, ${theme}`)
    }
  })

  await test('on a phone: a finger scrolls, a resting finger carries', async () => {
    const phone = await page(browser, { width: 390, height: 844, touch: true, zone: 'America/New_York' })
    await signIn(phone, email)
    const looks = [['calendar', '2026-11-02', { span: 'day', options: hours }], ['timeline', '2033-03-10', { span: 'week', options: gantt }], ['workload', '2034-05-01', { options: { who: 'assigned_to', start: 'ordered_on' } }]]
    for (const [kind, on, more] of looks) {
      await phone.goto(view(kind, on, { ...more, filter: mine }))
      await phone.locator('[data-event],[data-bar],.wl-cell.some').first().waitFor()
      await shot(phone, `time-phone-${kind}`)
      equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'no sideways scrolling of the page')
      await axe(phone, `${kind}, phone`)
    }
    await phone.goto(view('timeline', '2033-03-10', { span: 'week', options: gantt, filter: lines }))
    const b = phone.locator(`[data-bar="${two.id}"]`)
    await b.waitFor()
    await phone.waitForTimeout(300)
    const a = await b.boundingBox()
    const cdp = await phone.context().newCDPSession(phone)
    const touch = (type, x, y) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] })
    const x = Math.max(a.x, 130) + 40
    await touch('touchStart', x, a.y + 10)
    await phone.locator('.tl-bar.held').waitFor()
    for (let i = 1; i <= 7; i++) { await touch('touchMove', x + i * 4, a.y + 10); await phone.waitForTimeout(20) }
    await touch('touchEnd')
    await becomes(two.id, { ordered_on: '2033-03-13', required_on: '2033-03-22' })
    await phone.context().close()
  })

  await test('no error in the views in time', async () => equal(p.problems.join('\n'), ''))
  await api(p, 'PATCH', '/me', { time_zone: 'Asia/Almaty' })
  await p.context().close()
}
