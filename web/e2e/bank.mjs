// A statement of the bank: brought in, matched by keys, split, a rule made of a line, and the books come to what the bank says.
import { api, axe, BASE, chains, equal, fresh, newcomer, page, pick, shot, truth } from './kit.mjs'

const file = (name, text) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })
const day = (n) => new Date(Date.now() - n * 864e5).toISOString().slice(0, 10)
const six = (n) => day(n).slice(2).replaceAll('-', '')

export async function bank(browser) {
  const test = chains()
  const p = await page(browser)
  await newcomer(p, fresh('bank'), 'Ledger and Sons')
  const dialog = () => p.getByRole('dialog')
  const lines = p.getByRole('list', { name: 'Unmatched lines' })
  const bring = (...files) => p.getByLabel('Bring in a statement', { exact: true }).and(p.locator('input')).setInputFiles(files)
  const waits = (n) => p.waitForFunction((k) => document.querySelectorAll('[data-line]').length === k, n)
  const chosen = () => p.getByRole('region', { name: 'The chosen line' })
  // The page goes on at once; the books follow.
  const booked = (key) => Promise.all([p.waitForResponse((r) => r.url().endsWith('/match') && r.ok()), p.keyboard.press(key)])
  const titles = []

  await test('the page begins where lines are, and not with the cash desk', async () => {
    await api(p, 'POST', '/banking/bank_accounts', { name: 'A desk', kind: 'cash', opening_on: day(40) })
    await api(p, 'POST', '/banking/bank_accounts', { name: 'Main account', iban: 'KZ86125KZT5004100100', opening_on: day(40), opening_balance: '1000' })
    const orbit = await api(p, 'POST', '/parties/parties', { name: 'Orbit Energy LLP', is_customer: true })
    for (const price of ['500', '300', '200']) {
      const made = await api(p, 'POST', '/finance/invoices', { party_id: orbit.id, lines: [{ name: 'Rope', price }] })
      await api(p, 'POST', `/finance/invoices/${made.id}/post`, {}, { 'If-Match': `"${made.version}"` })
      const { number, balance } = await api(p, 'GET', `/finance/invoices/${made.id}`)
      titles.push({ number, balance })
    }
    await p.goto(`${BASE}/bank`)
    equal(await p.getByLabel('Account', { exact: true }).locator('option:checked').innerText(), 'Main account · KZT')
  })

  await test('what cannot be read says why and stays until it is read', async () => {
    await bring(file('wrong.sta', ':20:X\n:25:DE89370400440532013000\n:28C:1\n:60F:C260301KZT1000,00\n:62F:C260301KZT999,00\n'), file('broken.xml', '<Document><BkToCstmrStmt>'))
    const told = p.getByRole('alert')
    await told.getByText('broken.xml').waitFor()
    equal(await told.getByRole('listitem').count(), 2)
    await axe(p, 'refused files')
    await shot(p, 'bank-1-refused')
    await told.getByRole('button', { name: 'Close' }).click()
  })

  await test('a table that names its columns in its own way is asked for them once', async () => {
    await bring(file('own.csv', `Konto;KZ86\nWhen;Who;Moved;Words\n${day(9)};Orbit Energy LLP;${titles[0].balance};Invoice ${titles[0].number}\n${day(8)};;-12.5;Account fee 03\n`))
    await dialog().getByLabel('Row with the headings').waitFor()
    await dialog().getByLabel('Day *', { exact: true }).selectOption('When')
    await dialog().getByLabel('Amount, with its sign').selectOption('Moved')
    await dialog().getByLabel('Counterparty', { exact: true }).selectOption('Who')
    await dialog().getByLabel('Purpose').selectOption('Words')
    await axe(p, 'the columns')
    await shot(p, 'bank-2-columns')
    await p.keyboard.press('Control+Enter')
    await waits(2)
    // Remembered: the next one is read without asking; MT940 with its closing balance follows.
    const sum = 1000 + Number(titles[0].balance) - 12.5
    const both = Number(titles[1].balance) + Number(titles[2].balance)
    await bring(file('more.sta', [
      ':20:STMT', ':25:KZ86125KZT5004100100', ':28C:2', `:60F:C${six(7)}KZT${sum.toFixed(2).replace('.', ',')}`,
      `:61:${six(6)}C${(both + 7).toFixed(2).replace('.', ',')}NTRFNONREF//B2`, ':86:For ropes',
      `:61:${six(5)}D12,50NCHGNONREF//B3`, ':86:Account fee 04', `:61:${six(5)}D12,50NCHGNONREF//B4`, ':86:Account fee 05',
      `:62F:C${six(5)}KZT${(sum + both + 7 - 25).toFixed(2).replace('.', ',')}`, '-',
    ].join('\n')))
    await waits(5)
    await axe(p, 'the lines')
    await shot(p, 'bank-3-lines')
  })

  await test('a suggestion is taken by Enter, and taken back by U', async () => {
    await p.locator('[data-line]').first().focus()
    await chosen().getByText(titles[0].number).first().waitFor()
    await p.keyboard.press('Enter')
    await waits(4)
    await p.keyboard.press('u')
    await waits(5)
    await p.locator('[data-line]').first().focus()
    await chosen().getByRole('button', { name: /^Take/ }).first().waitFor()
    await booked('1')
    await waits(4)
    equal((await api(p, 'GET', `/finance/invoices?number=${titles[0].number}`)).data[0].status, 'paid')
  })

  await test('a line is two invoices and a rest on an account, by keys', async () => {
    await lines.getByText('For ropes').click()
    for (const { number } of titles.slice(1)) {
      await p.keyboard.press('Escape')
      await p.locator('[data-line][aria-current]').focus()
      await p.keyboard.press('/')
      await p.keyboard.type(number)
      await chosen().getByRole('list', { name: 'Find a document' }).getByText(number).waitFor()
      await p.keyboard.press('Enter')
      await chosen().getByRole('list', { name: 'Parts' }).getByText(number).waitFor()
    }
    await p.locator('[data-line][aria-current]').focus()
    await p.keyboard.press('a')
    await p.keyboard.type('sales')
    await p.waitForFunction(() => document.querySelector('[role=listbox] [role=option]')?.textContent.toLowerCase().includes('sales'))
    await p.keyboard.press('Enter')
    await chosen().getByText(/^Left: .*0[.,]00/).waitFor()
    await shot(p, 'bank-4-split')
    await booked('Control+Enter')
    await waits(3)
    for (const { number } of titles.slice(1)) equal((await api(p, 'GET', `/finance/invoices?number=${number}`)).data[0].status, 'paid', number)
  })

  await test('a rule is made of a line, says what it fits, and takes the rest', async () => {
    await p.locator('[data-line]').first().focus()
    await p.keyboard.press('r')
    await dialog().getByText('3 open lines are like this').waitFor()
    equal(await dialog().getByLabel('Name').inputValue(), 'Account fee')
    await pick(p, 'Goes on the account', 'Administrative', dialog())
    await dialog().getByLabel(/^Sure/).check()
    await axe(p, 'a rule')
    await shot(p, 'bank-5-rule')
    await p.keyboard.press('Control+Enter')
    await dialog().waitFor({ state: 'detached' })
    await chosen().getByText('rule “Account fee”').waitFor()
    await p.getByRole('button', { name: 'Rules' }).click()
    await dialog().getByRole('list', { name: 'Rules' }).getByText('Account fee').click()
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await shot(p, 'bank-6-rules')
    await p.keyboard.press('Escape')
    await p.getByRole('button', { name: 'Take all sure ones' }).click()
    await p.getByText('Every line is matched').waitFor()
  })

  await test('the books come to what the bank closed with', async () => {
    await p.getByRole('button', { name: /^Books less bank/ }).click()
    await dialog().getByText('The bank and the books say the same.').waitFor()
    await axe(p, 'bank and books')
    await shot(p, 'bank-7-books')
    const account = (await api(p, 'GET', '/banking/bank_accounts?kind=bank')).data[0]
    const stand = await api(p, 'POST', '/banking/_call/reconciliation', { account_id: account.id })
    equal(Number(stand.statement.closing), Number(stand.in_books))
    equal(stand.difference, '0')
    await p.keyboard.press('Escape')
  })

  truth(titles.length === 3, 'three invoices')
  equal(p.problems.join(), '', 'problems on the page')
  await p.context().close()
}
