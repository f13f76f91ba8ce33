// What looks like a script is text: records, fields, views and files with such names, on every page that shows them.
import { api, BASE, equal, page, shot, signIn, test, truth } from './kit.mjs'

const SCRIPTS = [
  '<script>canary(1)</script>',
  '"><img src=x onerror=canary(2)>',
  '\'><svg onload=canary(3)>',
  '</textarea><script>canary(4)</script>',
  '<details open ontoggle=canary(5)>x</details>',
  'javascript:canary(6)',
  '{{constructor.constructor("canary(7)")()}}',
  '${canary(8)}',
]

export async function xss(browser, email) {
  const p = await page(browser)
  await p.addInitScript(() => { globalThis.ran = []; globalThis.canary = (n) => globalThis.ran.push(n) })
  const ran = []
  p.on('dialog', (d) => { ran.push(d.message()); void d.dismiss() })
  await signIn(p, email)
  const quiet = async (where) => {
    // What is run late, by a picture that is not there, is run by then.
    await p.waitForTimeout(150)
    equal(JSON.stringify([...await p.evaluate(() => globalThis.ran), ...ran]), '[]', where)
    equal(await p.evaluate(() => document.querySelectorAll('img[src="x"], [onerror], [onload], [ontoggle], a[href^="javascript:" i], iframe[srcdoc]').length), 0, `${where}: nothing was made of it`)
  }
  const all = SCRIPTS.join(' ')
  let order, customer

  await test('scripts in names, notes, fields and files are kept as text', async () => {
    const n = Date.now()
    await api(p, 'POST', '/fields', { entity: 'parties.parties', name: `canary_${n}`, label: SCRIPTS[1], help: SCRIPTS[0], type: 'select', options: [{ id: 'x', label: SCRIPTS[2], color: SCRIPTS[1] }] })
    for (const name of SCRIPTS) customer = await api(p, 'POST', '/parties/parties', { name: `canary ${name}`, legal_name: name, is_customer: true, tags: [name], custom: { [`canary_${n}`]: 'x' } })
    const product = await api(p, 'POST', '/products/products', { name: `canary ${SCRIPTS[1]}`, description: all, price: '1' })
    order = await api(p, 'POST', '/sales/orders', { customer_id: customer.id, note: all, lines: [{ product_id: product.id, quantity: '1' }, { name: SCRIPTS[0], price: '1', quantity: '1' }] })
    await api(p, 'POST', '/views', { entity: 'parties.parties', name: SCRIPTS[1], visibility: 'shared', state: {} })
    for (const [name, body] of [['<img src=x onerror=canary(9)>.html', '<script>canary(10)</script>'], ['canary.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="canary(11)"/>']]) {
      const status = await p.evaluate(async ([name, body, id]) => (await fetch(`/api/v1/files?entity=parties.parties&record=${id}`, { method: 'POST', headers: { 'X-File-Name': encodeURIComponent(name) }, body })).status, [name, body, customer.id])
      equal(status, 201, name)
    }
    await quiet('while it was made')
  })

  const pages = () => [
    ['the list', '/o/parties-parties?q=canary', '.g-row[data-id]'],
    ['the list of products', '/o/products-products?q=canary', '.g-row[data-id]'],
    ['the record', `/o/parties-parties/r/${customer.id}`, 'h1'],
    ['its files', `/o/parties-parties/r/${customer.id}?tab=files`, 'a[download], a[href*="/files/"]'],
    ['its history', `/o/parties-parties/r/${customer.id}?tab=history`, 'h1'],
    ['the record beside the list', `/o/sales-orders?rec=${order.id}`, 'aside[aria-label^="Record"] h2, aside[aria-label^="Record"] h1'],
    ['the order', `/o/sales-orders/r/${order.id}`, 'h1'],
    ['the form', '/o/parties-parties?new=true', '[role=dialog]'],
    ['the log', '/settings/audit', '[role=row], tr'],
    ['the fields', '/settings/fields?entity=parties.parties', 'tbody tr'],
  ]
  await test('nothing of it runs, wherever it is shown', async () => {
    for (const [what, path, there] of pages()) {
      await p.goto(BASE + path)
      await p.locator(there).first().waitFor()
      await quiet(what)
    }
    await shot(p, 'xss-1-fields')
  })

  await test('nor where it is found, nor from the address', async () => {
    await p.goto(`${BASE}/`)
    await p.locator('h1').first().waitFor()
    await p.keyboard.press('Control+k')
    await p.getByRole('dialog').waitFor()
    await p.keyboard.type('canary')
    await p.getByRole('option', { name: /canary/ }).first().waitFor()
    await quiet('the search')
    await shot(p, 'xss-2-search')
    await p.goto(`${BASE}/o/parties-parties?q=${encodeURIComponent(SCRIPTS[1])}`)
    await p.locator('h1').first().waitFor()
    await quiet('an address')
    await p.goto(`${BASE}/login?next=${encodeURIComponent('javascript:canary(12)')}`)
    await p.locator('body').waitFor()
    await quiet('a place to go on to')
  })

  await test('a file is kept and not opened', async () => {
    const { data } = await api(p, 'GET', `/files?entity=parties.parties&record=${customer.id}`)
    truth(data.length >= 2, 'both files are there')
    for (const file of data) {
      const told = await p.evaluate(async (id) => { const a = await fetch(`/api/v1/files/${id}`); return [a.headers.get('content-disposition'), a.headers.get('content-security-policy'), a.headers.get('x-content-type-options')] }, file.id)
      truth(told[0].startsWith('attachment') || !/html|svg|xml/.test(file.content_type), `${file.name}: ${told}`)
      truth(told[1].includes('sandbox') && told[2] === 'nosniff', `${file.name}: ${told}`)
    }
  })
  // A picture that is not there, or a policy that had to step in, would be told here.
  await test('no error among the scripts', async () => equal(p.problems.join('\n'), ''))
  await p.context().close()
}
