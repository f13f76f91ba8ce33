// An invoice in two parts, as a file, and what its customer is told.
import { api, axe, BASE, chains, equal, page, pick, shot, signIn, truth } from './kit.mjs'

export async function receivables(browser, email) {
  const chain = chains()
  const p = await page(browser)
  const dialog = () => p.getByRole('dialog')
  const act = async (name) => { await p.getByRole('group', { name: 'Actions' }).first().getByRole('button', { name, exact: true }).click() }
  const status = async (text) => { await p.locator(':is(h1,h2) + span .chip', { hasText: text }).first().waitFor() }
  let invoice = ''

  await chain('terms of payment in two parts', async () => {
    await signIn(p, email)
    const customer = await api(p, 'POST', '/parties/parties', { name: 'Rope & Co', is_customer: true, email: 'pay@rope.test', country: 'DE' })
    await api(p, 'POST', '/receivables/payment_terms', { code: 'halves', name: 'Half and half', lines: [{ percent: '50' }, { percent: '50', months: 1 }] })
    const draft = await api(p, 'POST', '/finance/invoices', { party_id: customer.id, lines: [{ name: 'Rope', price: '1000.01' }] })
    invoice = draft.id
    await p.goto(`${BASE}/o/finance-invoices/r/${invoice}`)
    await act('Use terms of payment')
    await pick(p, /./, 'Half and half', dialog())
    await dialog().getByRole('button', { name: 'Use terms of payment' }).click()
    await dialog().waitFor({ state: 'detached' })
    await act('Post')
    await status('Sent')
    const r = await api(p, 'GET', `/finance/invoices/${invoice}?expand=instalments`)
    equal(r.instalments.map((i) => Number(i.amount).toFixed(2)).join(' '), '500.01 500.00')
    equal(r.due_on, r.instalments[1].due_on)
    await p.reload()
    await p.getByText('500.01').or(p.getByText('500,01')).first().waitFor()
    await shot(p, 'receivables-1-instalments')
  })

  await chain('the invoice as a file', async () => {
    const books = await api(p, 'GET', '/ledger/legal_entities')
    await api(p, 'PATCH', `/ledger/legal_entities/${books.data[0].id}`, { bin: '941240000193' }, { 'If-Match': `"${books.data[0].version}"` })
    await act('Electronic invoice (UBL)')
    await p.getByRole('button', { name: 'Open', exact: true }).click()
    await p.waitForURL(/einvoicing-exchanges\/r\//)
    await status('Created')
    truth((await p.locator('main').innerText()).includes('EX-'), 'it has a number')
    const [file] = await Promise.all([p.waitForEvent('download'), act('Download the file')])
    truth(/^EX-.*\.xml$/.test(file.suggestedFilename()), `kept as ${file.suggestedFilename()}`)
    await shot(p, 'receivables-2-file')
    await act('Send to the exchange')
    await status('Sent')
  })

  await chain('a statement on paper', async () => {
    await p.goto(`${BASE}/o/receivables-statements?new=true`)
    await pick(p, /^Party|^Customer/, 'Rope & Co', dialog())
    await dialog().getByRole('button', { name: 'Create' }).click()
    await p.waitForURL(/rec=/)
    const id = new URL(p.url()).searchParams.get('rec').replaceAll('"', '')
    const r = await api(p, 'GET', `/receivables/statements/${id}`)
    equal(Number(r.closing).toFixed(2), '1000.01')
    const paper = await p.evaluate(async (u) => { const a = await fetch(u); return [a.status, (await a.text()).slice(0, 5)] }, `/api/v1/receivables/statements/${id}/_print`)
    equal(paper.join(' '), '200 %PDF-')
    await p.goto(`${BASE}/o/receivables-statements/r/${id}`)
    await p.getByRole('heading', { name: r.number }).waitFor()
    await axe(p, 'a statement')
    await shot(p, 'receivables-3-statement')
    equal(p.problems.join('\n'), '')
  })
  await p.context().close()
}
