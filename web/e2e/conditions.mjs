// A form whose fields come and go with what is chosen; what the page would let pass, the server refuses.
import { api, axe, BASE, chains, equal, page, shot, signIn, truth } from './kit.mjs'

export async function conditions(browser, email) {
  const chain = chains()
  const p = await page(browser)
  await signIn(p, email)

  await chain('the owner says when a field is there, and when it is required', async () => {
    await p.goto(`${BASE}/settings/fields?entity=products.products`)
    const add = async (name, act) => {
      await p.getByRole('button', { name: 'New field' }).click()
      const d = p.getByRole('dialog')
      await d.getByLabel('Name').fill(name)
      await act(d)
      await shot(p, `conditions-${name.toLowerCase().replace(/ /g, '-')}`)
      await d.getByRole('button', { name: 'Create' }).click()
      await d.waitFor({ state: 'detached' })
      await p.getByRole('cell', { name, exact: true }).waitFor()
    }
    const rule = async (d, field, operator) => {
      await d.getByLabel('Field', { exact: true }).last().selectOption({ label: field })
      if (operator) await d.getByLabel('Condition', { exact: true }).last().selectOption({ label: operator })
    }
    await add('Fragile', async (d) => d.getByLabel('Type').selectOption({ label: 'Yes or no' }))
    await add('Packed in', async (d) => {
      await d.getByLabel('Shown').selectOption({ label: 'When…' })
      await rule(d, 'Fragile', 'is yes')
      await d.getByLabel('Required').selectOption({ label: 'Yes' })
      await axe(p, 'conditions-field')
    })
    await add('Box number', async (d) => {
      await d.getByLabel('Shown').selectOption({ label: 'When…' })
      await rule(d, 'Packed in', 'is not empty')
    })
  })

  await chain('the form follows while it is filled in, and asks for what is missing', async () => {
    await p.goto(`${BASE}/o/products-products?new=true`)
    const d = p.getByRole('dialog')
    await d.getByLabel(/^Name/).fill('Vase')
    await d.getByLabel('SKU').fill(`VASE-${Date.now()}`)
    const more = d.getByRole('button', { name: /^More fields/ })
    if (await more.count()) await more.click()
    equal(await d.getByLabel('Packed in').count(), 0, 'nothing is packed yet')
    await d.getByLabel('Fragile').check()
    await d.getByLabel('Packed in').waitFor()
    equal(await d.getByLabel('Box number').count(), 0, 'no box yet')
    await d.getByRole('button', { name: 'Create' }).click()
    equal(await d.getByLabel('Packed in').getAttribute('aria-invalid'), 'true', 'it is asked for')
    await shot(p, 'conditions-missing')
    await d.getByLabel('Packed in').fill('Straw')
    await d.getByLabel('Box number').fill('17')
    await d.getByLabel('Fragile').uncheck()
    equal(await d.getByLabel('Box number').count(), 0, 'gone with what it rests on')
    await d.getByLabel('Fragile').check()
    await d.getByRole('button', { name: 'Create' }).click()
    await d.waitFor({ state: 'detached' })
  })

  await chain('the server holds the same against whoever asks it without the form', async () => {
    const body = { name: 'Bowl', sku: `BOWL-${Date.now()}`, 'cf.fragile': true }
    const refused = await p.evaluate(async (b) => { const r = await fetch('/api/v1/products/products', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(b) }); return { status: r.status, body: await r.json() } }, body)
    truth(refused.status >= 400 && refused.status < 500, `refused with ${refused.status}`)
    equal(refused.body.errors[0].field, 'cf.packed_in', 'where')
    const made = await api(p, 'POST', '/products/products', { ...body, 'cf.fragile': false, 'cf.packed_in': 'Straw' })
    equal(made['cf.packed_in'] ?? null, null, 'what is not there holds nothing')
    // On its page the field comes with the box that is ticked, and a refusal stands where it belongs.
    await p.goto(`${BASE}/o/products-products/r/${made.id}`)
    await p.getByRole('heading', { name: 'Bowl' }).waitFor()
    equal(await p.getByText('Packed in', { exact: true }).count(), 0, 'not on the page')
  })
  equal(p.problems.join('; '), '', 'nothing went wrong on the way')
  await p.context().close()
}
