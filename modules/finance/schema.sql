create schema finance;
comment on schema finance is 'Invoices, payments, and which payment settles which invoice.';

create table finance.invoices (
    like app.record including all,
    direction            text not null default 'out' check (direction in ('out', 'in')),
    kind                 text not null default 'STANDARD'
                         check (kind in ('STANDARD', 'PROFORMA', 'CREDIT_NOTE', 'DEBIT_NOTE', 'RECURRING', 'RECEIPT')),
    number               text,
    status               text not null,
    party_id             uuid not null,
    order_id             uuid,
    deal_id              uuid,
    credited_invoice_id  uuid,
    payment_id           uuid,
    issued_on            date,
    due_on               date,
    supplied_on          date,
    payment_terms        text check (payment_terms in ('PREPAYMENT', 'NET_0', 'NET_15', 'NET_30', 'NET_45', 'NET_60')),
    currency             text references app.currencies,
    exchange_rate        numeric(20,10) constraint exchange_rate_is_positive check (exchange_rate > 0 and exchange_rate < 'Infinity'),
    digits               smallint not null default 2,
    prices_include_tax   boolean,
    supplier_number      text constraint supplier_number_is_short check (length(supplier_number) <= 100),
    po_number            text,
    contract_number      text,
    reference            text,
    party_name           text,
    party_bin            text,
    party_tax_id         text,
    party_street         text,
    party_city           text,
    party_region         text,
    party_postal_code    text,
    party_country        text,
    assigned_to          uuid default app.actor(),
    workspace_id         uuid,
    terms                app.textarea,
    note                 app.textarea,
    internal_note        app.textarea,
    tags                 text[] not null default '{}',
    esf_number           text,
    esf_status           text check (esf_status in ('created', 'sent', 'accepted', 'declined', 'revoked')),
    esf_on               date,
    -- Sums of the lines.
    net                  app.money not null default 0,
    tax                  app.money not null default 0,
    gross                app.money not null default 0,
    -- Kept by payments and credit notes.
    paid                 app.money not null default 0,
    credited             app.money not null default 0,
    credit_applied       app.money not null default 0,
    written_off          app.money not null default 0,
    withheld             app.money not null default 0,
    balance              app.money generated always as (case when kind in ('PROFORMA', 'RECEIPT') then 0 else gross - paid - credit_applied - written_off end) stored,
    -- In the books.
    legal_entity_id      uuid,
    base_gross           app.money,
    base_settled         app.money not null default 0,
    relieved             app.money not null default 0,
    constraint invoices_party foreign key (organization_id, party_id) references parties.parties,
    constraint invoices_order foreign key (organization_id, order_id) references sales.orders,
    constraint invoices_deal foreign key (organization_id, deal_id) references crm.deals,
    constraint invoices_credited foreign key (organization_id, credited_invoice_id) references finance.invoices,
    constraint invoices_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint invoices_legal_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint invoices_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint invoice_has_a_currency check (currency is not null),
    constraint number_comes_with_posting check ((number is null) = (status in ('draft', 'cancelled'))),
    constraint posted_has_dates check (status in ('draft', 'cancelled') or issued_on is not null and due_on is not null),
    constraint due_after_issued check (due_on >= issued_on),
    constraint paid_within_gross check (paid + credit_applied + written_off <= gross),
    constraint credited_within_gross check (credited <= gross),
    constraint settled_not_negative check (paid >= 0 and credited >= 0 and credit_applied >= 0 and written_off >= 0),
    constraint only_credit_notes_credit check (credited_invoice_id is null or kind = 'CREDIT_NOTE'),
    constraint not_its_own_credit check (credited_invoice_id <> id),
    constraint receipts_are_for_payments check ((payment_id is not null) = (kind = 'RECEIPT'))
);
comment on table finance.invoices is 'What a customer owes us (out) or we owe a supplier (in), and the notes that correct it.';
comment on column finance.invoices.deal_id is 'The deal that it is for.';
comment on column finance.invoices.number is 'Given when the invoice is posted, without gaps.';
comment on column finance.invoices.supplier_number is 'The number on a supplier''s paper.';
comment on column finance.invoices.supplied_on is 'When the goods or services were supplied.';
comment on column finance.invoices.exchange_rate is 'What one unit of the invoice''s currency is worth in the currency of our books; empty: that of the day.';
comment on column finance.invoices.digits is 'To how many digits its amounts are rounded: a matter of the currency.';
comment on column finance.invoices.paid is 'Money allocated to it by completed payments.';
comment on column finance.invoices.credited is 'What credit notes take back of it.';
comment on column finance.invoices.credit_applied is 'Credit that settled it; on a credit note: how much of it was used so.';
comment on column finance.invoices.written_off is 'What nobody expects any more: bad debts, discounts for paying early, small differences.';
comment on column finance.invoices.withheld is 'Tax that whoever pays keeps back and pays to the treasury; it is not expected.';
comment on column finance.invoices.legal_entity_id is 'In whose books it is; empty: the default one.';
comment on column finance.invoices.base_gross is 'The whole in the currency of the books, since it was posted.';
comment on column finance.invoices.base_settled is 'How much of that has been settled.';
comment on column finance.invoices.relieved is 'The same in its own currency.';
comment on column finance.invoices.balance is 'What is still to be paid, or of a credit note, still to be paid back.';
comment on constraint invoices_currency_fkey on finance.invoices is 'There is no such currency.';
comment on constraint exchange_rate_is_positive on finance.invoices is 'An exchange rate must be more than nothing.';
comment on constraint supplier_number_is_short on finance.invoices is 'A number has at most 100 characters.';
comment on constraint invoice_has_a_currency on finance.invoices is 'An invoice needs a currency.';
comment on constraint number_comes_with_posting on finance.invoices is 'An invoice gets its number when it is posted, not before.';
comment on constraint posted_has_dates on finance.invoices is 'A posted invoice has a date and a due date.';
comment on constraint due_after_issued on finance.invoices is 'An invoice cannot be due before it is issued.';
comment on constraint paid_within_gross on finance.invoices is 'No more can be paid on an invoice than is open.';
comment on constraint credited_within_gross on finance.invoices is 'No more can be credited than was invoiced.';
comment on constraint settled_not_negative on finance.invoices is 'Less than nothing cannot be paid or credited.';
comment on constraint only_credit_notes_credit on finance.invoices is 'Only a credit note credits an invoice.';
comment on constraint not_its_own_credit on finance.invoices is 'A credit note cannot credit itself.';
comment on constraint receipts_are_for_payments on finance.invoices is 'A receipt is for a payment, and nothing else is.';
create unique index invoices_number on finance.invoices (organization_id, number) where direction = 'out' and number is not null;
comment on index finance.invoices_number is 'There is an invoice with this number already.';
create unique index invoices_bill_number on finance.invoices (organization_id, number) where direction = 'in' and number is not null;
comment on index finance.invoices_bill_number is 'There is an invoice with this number already.';
create unique index invoices_supplier_number on finance.invoices (organization_id, party_id, supplier_number)
    where direction = 'in' and status <> 'cancelled' and deleted_at is null;
comment on index finance.invoices_supplier_number is 'This supplier''s invoice is here already.';
-- Of what is open. It names the state and not the balance, which is a total: a row whose totals change stays where its indexes point.
create index invoices_due on finance.invoices (organization_id, due_on) where status in ('sent', 'viewed', 'partial');
create index invoices_issued on finance.invoices (organization_id, issued_on);
select app.searchable('finance.invoices', 'A: number, party_name; B: supplier_number, po_number, contract_number, reference; C: note');

create table finance.invoice_lines (
    like app.record including all,
    invoice_id          uuid not null,
    position            integer,
    product_id          uuid,
    order_line_id       uuid,
    credited_line_id    uuid,
    is_shipping         boolean not null default false,
    code                text,
    name                text,
    description         app.textarea,
    unit                text,
    quantity            app.quantity not null default 1 constraint quantity_is_positive check (quantity > 0),
    price               app.money constraint line_price_not_negative check (price >= 0),
    discount_percent    app.percent not null default 0 constraint discount_is_0_to_100 check (discount_percent between 0 and 100),
    discount_amount     app.money not null default 0 constraint discount_not_negative check (discount_amount >= 0),
    tax_id              uuid,
    tax_rate            app.percent constraint rate_is_0_to_100 check (tax_rate between 0 and 100),
    tax_parts           jsonb,
    price_includes_tax  boolean,
    tax_adjustment      app.money not null default 0,
    digits              smallint not null default 2,
    amount              app.money generated always as (app.line_gross(quantity, price, discount_percent, discount_amount, digits)) stored,
    net                 app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          - case when price_includes_tax then tax_adjustment else 0 end) stored,
    tax                 app.money generated always as (app.line_tax(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          + tax_adjustment) stored,
    gross               app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          + app.line_tax(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          + case when price_includes_tax then 0 else tax_adjustment end) stored,
    account_id          uuid,
    project_id          uuid,
    department_id       uuid,
    note                app.textarea,
    constraint invoice_lines_invoice foreign key (organization_id, invoice_id) references finance.invoices on delete cascade,
    constraint invoice_lines_product foreign key (organization_id, product_id) references products.products,
    constraint invoice_lines_order_line foreign key (organization_id, order_line_id) references sales.order_lines,
    constraint invoice_lines_credited foreign key (organization_id, credited_line_id) references finance.invoice_lines,
    constraint invoice_lines_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint invoice_lines_project foreign key (organization_id, project_id) references ledger.dimensions,
    constraint invoice_lines_department foreign key (organization_id, department_id) references ledger.dimensions,
    constraint invoice_lines_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint line_has_a_name check (name ~ '\S' and name is not null and length(name) <= 500),
    constraint line_has_a_price check (price is not null),
    constraint discount_within_price check (app.line_gross(quantity, price, discount_percent, discount_amount, digits) >= 0),
    constraint tax_adjustment_is_a_rounding check (abs(tax_adjustment) <= 1 and tax_adjustment = round(tax_adjustment, digits))
);
comment on table finance.invoice_lines is 'One thing on an invoice.';
comment on column finance.invoice_lines.order_line_id is 'The line of the order that this invoices.';
comment on column finance.invoice_lines.credited_line_id is 'The line of the invoice that this credits.';
comment on column finance.invoice_lines.account_id is 'Where it is written; empty: where its product''s category says, or on the account for sales or purchases.';
comment on column finance.invoice_lines.tax_parts is 'What its tax is made of, where it is not simply one rate on the price.';
comment on column finance.invoice_lines.is_shipping is 'The freight of an order.';
comment on column finance.invoice_lines.tax_adjustment is 'Where the tax on paper is a rounding off ours, and where shares must add up to the whole.';
comment on column finance.invoice_lines.amount is 'Quantity times price less the discount, rounded once.';
comment on constraint quantity_is_positive on finance.invoice_lines is 'A quantity must be more than nothing.';
comment on constraint line_price_not_negative on finance.invoice_lines is 'A price cannot be negative.';
comment on constraint discount_is_0_to_100 on finance.invoice_lines is 'A discount goes from 0 to 100 percent.';
comment on constraint discount_not_negative on finance.invoice_lines is 'A discount cannot be negative.';
comment on constraint rate_is_0_to_100 on finance.invoice_lines is 'A tax rate goes from 0 to 100 percent.';
comment on constraint line_has_a_name on finance.invoice_lines is 'A line needs a product, or a name of at most 500 characters.';
comment on constraint line_has_a_price on finance.invoice_lines is 'A line needs a price; the product has none in this currency.';
comment on constraint discount_within_price on finance.invoice_lines is 'A discount cannot be more than the price.';
comment on constraint tax_adjustment_is_a_rounding on finance.invoice_lines is 'A tax can be put right by a rounding, not by more.';

create table finance.payment_methods (
    like app.record including all,
    name            text not null constraint method_has_a_name check (name ~ '\S' and length(name) <= 100),
    method          text not null default 'BANK_TRANSFER' check (method in ('CASH', 'BANK_TRANSFER', 'CARD', 'CHECK', 'OTHER')),
    account_id      uuid not null,
    currency        text references app.currencies,
    fee_percent     app.percent constraint fee_percent_is_a_part check (fee_percent between 0 and 100),
    fee_amount      app.money constraint fee_amount_not_negative check (fee_amount >= 0),
    fee_account_id  uuid,
    roles           text[] not null default '{}',
    is_active       boolean not null default true,
    constraint payment_methods_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint payment_methods_fee_account foreign key (organization_id, fee_account_id) references ledger.ledger_accounts
);
comment on table finance.payment_methods is 'An instrument that money comes in or goes out by: a bank account, a card gateway, a cash desk.';
comment on column finance.payment_methods.account_id is 'Where its money stands in the books.';
comment on column finance.payment_methods.currency is 'Only payments in this currency; empty: in any.';
comment on column finance.payment_methods.fee_percent is 'What it keeps of every payment.';
comment on column finance.payment_methods.fee_amount is 'What it keeps of every payment, whatever its amount.';
comment on column finance.payment_methods.roles is 'Who may use it, by the names of roles; empty: everybody who enters payments.';
comment on constraint method_has_a_name on finance.payment_methods is 'A name has 1 to 100 characters.';
comment on constraint fee_percent_is_a_part on finance.payment_methods is 'A fee is 0 to 100 percent.';
comment on constraint fee_amount_not_negative on finance.payment_methods is 'A fee cannot be negative.';
comment on constraint payment_methods_currency_fkey on finance.payment_methods is 'There is no such currency.';
create unique index payment_methods_name on finance.payment_methods (organization_id, lower(name)) where deleted_at is null;
comment on index finance.payment_methods_name is 'There is a payment method with this name already.';
create trigger checks before insert or update of fee_percent, fee_amount, fee_account_id on finance.payment_methods for each row
    when (coalesce(new.fee_percent, 0) + coalesce(new.fee_amount, 0) > 0 and new.fee_account_id is null) execute function app.refuse('Say on which account the fee is written.');
create table finance.payments (
    like app.record including all,
    number           text not null default app.next_number('PAY'),
    direction        text not null default 'in' check (direction in ('in', 'out', 'refund')),
    party_id         uuid not null,
    status           text not null,
    amount           app.money not null constraint amount_is_positive check (amount > 0),
    currency         text references app.currencies,
    exchange_rate    numeric(20,10) constraint exchange_rate_is_positive check (exchange_rate > 0 and exchange_rate < 'Infinity'),
    digits           smallint not null default 2,
    base_amount      app.money,
    base_allocated   app.money not null default 0,
    legal_entity_id  uuid,
    account_id       uuid,
    payment_method_id uuid,
    method           text not null default 'BANK_TRANSFER' check (method in ('CASH', 'BANK_TRANSFER', 'CARD', 'CHECK', 'OTHER')),
    paid_on          date not null default current_date,
    reference        text,
    transaction_id   text constraint transaction_id_is_short check (transaction_id ~ '\S' and length(transaction_id) <= 255),
    bank_name        text,
    account_number   text,
    bank_reference   text,
    cheque_number    text,
    gateway          text,
    workspace_id     uuid,
    note             app.textarea,
    internal_note    app.textarea,
    tags             text[] not null default '{}',
    allocated        app.money not null default 0,
    fee              app.money not null default 0,
    constraint payments_number unique (organization_id, number),
    constraint payments_transaction unique (organization_id, transaction_id),
    constraint payments_party foreign key (organization_id, party_id) references parties.parties,
    constraint payments_legal_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint payments_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint payments_payment_method foreign key (organization_id, payment_method_id) references finance.payment_methods,
    constraint payments_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint payment_has_a_currency check (currency is not null),
    constraint amount_is_rounded check (amount = round(amount, digits)),
    constraint allocated_not_negative check (allocated >= 0)
);
comment on table finance.payments is 'Money that came in, went out, or went back.';
comment on column finance.payments.direction is 'In: from whoever owes us. Out: to whom we owe. Refund: back to a customer.';
comment on column finance.payments.transaction_id is 'What the bank or the gateway calls it; no payment is entered twice.';
comment on column finance.payments.exchange_rate is 'What one unit of its currency is worth in the currency of our books; empty: that of the day.';
comment on column finance.payments.base_amount is 'In the currency of the books, since it counts.';
comment on column finance.payments.base_allocated is 'How much of that is allocated.';
comment on column finance.payments.legal_entity_id is 'In whose books it is; empty: the default one.';
comment on column finance.payments.account_id is 'The bank account or cash desk; empty: the one for the method.';
comment on column finance.payments.payment_method_id is 'Says the method and the account.';
comment on column finance.payments.fee is 'What its payment method keeps of it.';
comment on column finance.payments.allocated is 'How much of it settles invoices.';
comment on constraint payments_number on finance.payments is 'There is a payment with this number already.';
comment on constraint payments_transaction on finance.payments is 'This transaction has been entered already.';
comment on constraint payments_currency_fkey on finance.payments is 'There is no such currency.';
comment on constraint amount_is_positive on finance.payments is 'An amount must be more than nothing.';
comment on constraint exchange_rate_is_positive on finance.payments is 'An exchange rate must be more than nothing.';
comment on constraint transaction_id_is_short on finance.payments is 'A transaction id has 1 to 255 characters.';
comment on constraint payment_has_a_currency on finance.payments is 'A payment needs a currency.';
comment on constraint amount_is_rounded on finance.payments is 'The amount has more digits than the currency.';
comment on constraint allocated_not_negative on finance.payments is 'Less than nothing cannot be allocated.';
create index payments_paid_on on finance.payments (organization_id, paid_on);
select app.searchable('finance.payments', 'A: number, reference, transaction_id; B: bank_reference, cheque_number; C: note');

-- What verifies them: a workflow of four eyes, the deal that they are for, and their reversal.
alter table finance.payments
    add column deal_id          uuid,
    add column reverses_id      uuid,
    add column reversal         text check (reversal in ('refund', 'chargeback', 'mistake')),
    add column decision         text,
    add column submitted_by     uuid,
    add column submitted_at     timestamptz,
    add column verified_by      uuid,
    add column verified_at      timestamptz,
    add column completed_at     timestamptz,
    add column reversed         app.money not null default 0,
    add column unallocated      app.money generated always as (case when reverses_id is null then amount - allocated - reversed else 0 end) stored,
    add column verification_status text generated always as (case when verified_at is not null then 'verified' when status = 'submitted' then 'submitted'
        when status in ('rejected', 'returned') then status else 'unverified' end) stored
        constraint verification_status_is_known check (verification_status in ('unverified', 'submitted', 'verified', 'rejected', 'returned')),
    add constraint payments_deal foreign key (organization_id, deal_id) references crm.deals,
    add constraint payments_submitted foreign key (organization_id, submitted_by) references iam.memberships,
    add constraint payments_verified foreign key (organization_id, verified_by) references iam.memberships,
    add constraint payments_reverses foreign key (organization_id, reverses_id) references finance.payments,
    add constraint allocated_within_amount check (allocated <= case when reverses_id is null then greatest(amount - reversed, 0) else 0 end),
    add constraint reversed_within_amount check (reversed between 0 and amount),
    add constraint reversal_names_its_payment check ((reversal is null) = (reverses_id is null)),
    add constraint refusal_has_a_reason check (status not in ('rejected', 'returned') or decision is not null and decision ~ '\S'),
    add constraint verified_by_another check (verified_by <> submitted_by);
comment on column finance.payments.deal_id is 'The deal that it is for.';
comment on column finance.payments.reverses_id is 'The payment that this takes back, in part or whole.';
comment on column finance.payments.reversal is 'Why it went back: given back, called back by the bank, or entered by mistake.';
comment on column finance.payments.decision is 'Why it was rejected or returned.';
comment on column finance.payments.completed_at is 'Since when it counts; empty for what was brought in with a file.';
comment on column finance.payments.reversed is 'How much of it was taken back.';
comment on constraint allocated_within_amount on finance.payments is 'No more can be allocated than was paid.';
comment on constraint reversed_within_amount on finance.payments is 'No more can be taken back than was paid.';
comment on constraint reversal_names_its_payment on finance.payments is 'A reversal names the payment that it takes back.';
comment on constraint refusal_has_a_reason on finance.payments is 'Say why.';
comment on constraint verified_by_another on finance.payments is 'Whoever submitted a payment does not verify it.';
create index payments_queue on finance.payments (organization_id, submitted_at) where status = 'submitted';

alter table finance.invoices add constraint invoices_payment foreign key (organization_id, payment_id) references finance.payments;
create unique index invoices_receipt on finance.invoices (organization_id, payment_id) where status <> 'cancelled' and deleted_at is null;
comment on index finance.invoices_receipt is 'There is a receipt for this payment already.';
create unique index invoices_of_deal on finance.invoices (organization_id, deal_id) where status <> 'cancelled' and deleted_at is null;
comment on index finance.invoices_of_deal is 'This deal has its invoice already.';

-- Taking an allocation back leaves it here, with the day: what was settled on a day can always be told. While its
-- payment is pending nothing has happened yet, and a row may simply be changed or removed.
create table finance.payment_allocations (
    like app.record including all,
    payment_id    uuid not null,
    invoice_id    uuid not null,
    amount        app.money not null constraint amount_is_positive check (amount > 0),
    allocated_on  date not null default current_date,
    reversed_on   date,
    base_invoice  app.money,
    base_payment  app.money,
    counts_on     date,
    paid_on       date,
    issued_on     date,
    constraint allocations_payment foreign key (organization_id, payment_id) references finance.payments on delete cascade,
    constraint allocations_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint reversed_after_allocated check (reversed_on >= allocated_on)
);
comment on table finance.payment_allocations is 'How much of a payment settles an invoice, from which day on, and until which.';
comment on column finance.payment_allocations.base_invoice is 'What it settles of the invoice, in the currency of the books.';
comment on column finance.payment_allocations.base_payment is 'What it takes of the payment, in the currency of the books.';
comment on column finance.payment_allocations.counts_on is 'When both were there, the payment and the invoice, and the one was for the other.';
comment on column finance.payment_allocations.paid_on is 'Of the payment, and the next of the invoice: so that what was open on a day is found without them.';
comment on constraint amount_is_positive on finance.payment_allocations is 'An amount must be more than nothing.';
comment on constraint reversed_after_allocated on finance.payment_allocations is 'An allocation cannot be taken back before it was made.';

create table finance.write_offs (
    like app.record including all,
    invoice_id   uuid not null,
    kind         text not null default 'bad_debt' check (kind in ('bad_debt', 'discount', 'difference', 'withheld')),
    amount       app.money not null constraint amount_is_positive check (amount > 0),
    taken_on     date not null default current_date,
    reason       text constraint reason_is_short check (length(reason) <= 500),
    reversed_on  date,
    base_amount  app.money,
    constraint write_offs_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint reversed_after_taken check (reversed_on >= taken_on)
);
comment on table finance.write_offs is 'What is not expected of an invoice any more: a bad debt, a discount for paying early, a small difference, a tax that was withheld.';
comment on constraint amount_is_positive on finance.write_offs is 'An amount must be more than nothing.';
comment on constraint reason_is_short on finance.write_offs is 'A reason has at most 500 characters.';
comment on constraint reversed_after_taken on finance.write_offs is 'What was written off cannot be taken back before.';

create table finance.category_accounts (
    like app.record including all,
    category_id  uuid not null,
    direction    text not null default 'out' check (direction in ('out', 'in')),
    account_id   uuid not null,
    constraint category_accounts_category foreign key (organization_id, category_id) references products.categories on delete cascade,
    constraint category_accounts_account foreign key (organization_id, account_id) references ledger.ledger_accounts
);
comment on table finance.category_accounts is 'On which account the products of a category are written when they are sold or bought; shelves inherit it.';
create unique index category_accounts_once on finance.category_accounts (organization_id, category_id, direction) where deleted_at is null;
comment on index finance.category_accounts_once is 'This category has an account for that already.';

-- What a currency is worth in the books on a day, null when nobody said.
create function finance.rate(of_entity uuid, of_currency text, on_day date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); books text;
begin
    select e.currency into books from ledger.legal_entities e where e.organization_id = here and e.deleted_at is null
        and (e.id = of_entity or of_entity is null and e.is_default);
    books := coalesce(books, parties.home_currency(here));
    return case when of_currency = books then 1 else ledger.rate(of_currency, books, coalesce(on_day, current_date)) end;
end $$;

-- Who the other side is, as the paper says; in which currency, how due.
create function finance.invoice_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    p parties.parties; a parties.addresses; o sales.orders;
    importing constant boolean := coalesce(current_setting('app.importing', true), '') = 'yes';
begin
    if (tg_op = 'INSERT' or new.party_id is distinct from old.party_id) and coalesce(current_setting('app.system', true), '') <> 'yes' then
        select * into p from parties.parties x where x.organization_id = new.organization_id and x.id = new.party_id;
        if p.deleted_at is not null and not importing then
            raise exception 'This party has been deleted.' using errcode = 'AP001', column = 'party_id';
        end if;
        select * into o from sales.orders x where x.organization_id = new.organization_id and x.id = new.order_id;
        new.currency := coalesce(new.currency, o.currency, p.currency, parties.home_currency(new.organization_id));
        new.payment_terms := coalesce(new.payment_terms, o.payment_terms, p.payment_terms);
        if tg_op = 'UPDATE' or new.party_name is null then
            select * into a from parties.addresses x where x.organization_id = new.organization_id and x.party_id = p.id and x.deleted_at is null
                order by array_position('{billing,legal,office,shipping}', x.kind), x.is_default desc, x.created_at limit 1;
            new.party_name := coalesce(o.bill_name, p.legal_name, p.name);
            new.party_bin := coalesce(p.bin, p.iin);
            new.party_tax_id := p.tax_id;
            new.party_street := coalesce(o.bill_street, nullif(concat_ws(', ', a.street, a.street2), ''));
            new.party_city := coalesce(o.bill_city, a.city);
            new.party_region := coalesce(o.bill_region, a.region);
            new.party_postal_code := coalesce(o.bill_postal_code, a.postal_code);
            new.party_country := coalesce(o.bill_country, a.country, p.country);
        end if;
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    -- An order that nobody gave a rate has 1.
    if tg_op = 'INSERT' then new.exchange_rate := coalesce(new.exchange_rate, nullif(o.exchange_rate, 1), finance.rate(new.legal_entity_id, new.currency, new.issued_on));
    elsif new.currency <> old.currency and new.exchange_rate is not distinct from old.exchange_rate then
        new.exchange_rate := finance.rate(new.legal_entity_id, new.currency, new.issued_on);
    end if;
    if tg_op = 'INSERT' and new.direction = 'out' and not importing then
        new.terms := coalesce(new.terms, app.setting('finance.invoice_terms', new.workspace_id) #>> '{}');
    end if;
    return new;
end $$;
create trigger defaults before insert or update of party_id, currency on finance.invoices for each row execute function finance.invoice_defaults();

-- Whether money that comes in, or goes back, counts only when somebody else has looked at it.
create function finance.needs_verification(direction text, in_workspace uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return direction <> 'out' and coalesce(app.setting('finance.payments_need_verification', in_workspace) = 'true', false);
end $$;

create function finance.payment_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p parties.parties;
begin
    if new.currency is null then
        select * into p from parties.parties x where x.organization_id = new.organization_id and x.id = new.party_id;
        new.currency := coalesce(p.currency, parties.home_currency(new.organization_id));
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    if tg_op = 'INSERT' then new.exchange_rate := coalesce(new.exchange_rate, finance.rate(new.legal_entity_id, new.currency, new.paid_on));
    elsif new.currency <> old.currency and new.exchange_rate is not distinct from old.exchange_rate then
        new.exchange_rate := finance.rate(new.legal_entity_id, new.currency, new.paid_on);
    end if;
    return new;
end $$;
create trigger defaults before insert or update of party_id, currency on finance.payments for each row execute function finance.payment_defaults();

create function finance.take_method() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare m finance.payment_methods;
begin
    select * into m from finance.payment_methods x where x.organization_id = new.organization_id and x.id = new.payment_method_id;
    if not m.is_active or m.deleted_at is not null then
        raise exception 'This payment method is no longer used.' using errcode = 'AP001', column = 'payment_method_id';
    end if;
    if m.currency <> new.currency then
        raise exception 'This payment method takes % only.', m.currency using errcode = 'AP001', column = 'payment_method_id';
    end if;
    new.method := m.method;
    new.account_id := m.account_id;
    return new;
end $$;
-- After `defaults`, by its name: then the currency is known.
create trigger takes_method before insert or update of payment_method_id on finance.payments for each row
    when (new.payment_method_id is not null) execute function finance.take_method();

select app.enroll('finance.payment_methods');
select app.enroll('finance.payments');
select app.enroll('finance.invoices', owner => 'assigned_to');
select app.enroll_part('finance.invoice_lines', 'finance.invoices', 'invoice_id');
select app.enroll_part('finance.payment_allocations', 'finance.payments', 'payment_id');
select app.enroll('finance.write_offs');
select app.enroll('finance.category_accounts');

select app.workflow('finance.invoices', 'status', $$
    draft   -> sent      : post
    sent    -> viewed    : view
    sent    -> partial   : auto
    sent    -> paid      : auto
    viewed  -> partial   : auto
    viewed  -> paid      : auto
    partial -> paid      : auto
    paid    -> partial   : auto
    partial -> sent      : auto
    paid    -> sent      : auto
    draft   -> partial   : auto
    draft   -> paid      : auto
    draft   -> cancelled : cancel
$$);
select app.editable_in('finance.invoices', 'status', '{draft}',
    keep => '{paid,credited,credit_applied,written_off,withheld,balance,base_gross,base_settled,relieved,assigned_to,note,internal_note,tags,esf_number,esf_status,esf_on}');
select app.total('finance.invoices', 'finance.invoice_lines', 'invoice_id', 'net, tax, gross');
select app.derive('finance.invoices', '{digits,paid,credited,credit_applied}');
select app.derive('finance.invoices', '{written_off,base_gross,base_settled,relieved}');
select app.derive('finance.invoices', '{withheld}');
select app.derive('finance.invoices', '{deal_id}');
select app.derive('finance.invoice_lines', '{digits}');
select app.derive('finance.invoice_lines', '{tax_parts}');

select app.workflow('finance.payments', 'status', $$
    pending    -> processing : process
    pending    -> completed  : complete
    processing -> completed  : complete
    pending    -> failed     : fail
    processing -> failed     : fail
    pending    -> cancelled  : cancel
    processing -> cancelled  : cancel
    completed  -> cancelled  : void
    pending    -> submitted  : submit
    rejected   -> submitted  : submit
    returned   -> submitted  : submit
    submitted  -> completed  : verify
    submitted  -> rejected   : reject
    submitted  -> returned   : return
    rejected   -> cancelled  : cancel
    returned   -> cancelled  : cancel
$$);
select app.derive('finance.payments', '{digits,allocated}');
select app.derive('finance.payments', '{reverses_id,reversal,decision,submitted_by,submitted_at,verified_by,verified_at,completed_at,reversed}');
select app.derive('finance.payments', '{base_amount,base_allocated}');
select app.derive('finance.payments', '{fee}');
select app.derive('finance.payment_allocations', '{reversed_on,base_invoice,base_payment}');
select app.derive('finance.payment_allocations', '{counts_on,paid_on,issued_on}');
select app.derive('finance.write_offs', '{invoice_id,kind,amount,taken_on,reason,reversed_on,base_amount}');

-- What a line starts from: the product, the tax and the invoice.
create function finance.line_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare i finance.invoices; p record; listed boolean; start numeric;
begin
    select * into i from finance.invoices x where x.organization_id = new.organization_id and x.id = new.invoice_id;
    new.digits := coalesce(i.digits, new.digits);
    if tg_op = 'UPDATE' and (new.product_id, new.price, new.tax_id, new.tax_rate, new.name, new.order_line_id, new.price_includes_tax)
        is not distinct from (old.product_id, old.price, old.tax_id, old.tax_rate, old.name, old.order_line_id, old.price_includes_tax) then return new; end if;
    if new.order_line_id is not null and not exists (select from sales.order_lines l where l.organization_id = new.organization_id
        and l.id = new.order_line_id and l.order_id = i.order_id) then
        raise exception 'This line is not of the invoice''s order.' using errcode = 'AP001', column = 'order_line_id';
    end if;
    if new.credited_line_id is not null and not exists (select from finance.invoice_lines l where l.organization_id = new.organization_id
        and l.id = new.credited_line_id and l.invoice_id = i.credited_invoice_id) then
        raise exception 'This line is not of the invoice that is credited.' using errcode = 'AP001', column = 'credited_line_id';
    end if;
    if tg_op = 'UPDATE' and new.product_id is distinct from old.product_id then
        if new.code is not distinct from old.code then new.code := null; end if;
        if new.name is not distinct from old.name then new.name := null; end if;
        if new.unit is not distinct from old.unit then new.unit := null; end if;
        if new.price is not distinct from old.price then new.price := null; end if;
        if new.tax_id is not distinct from old.tax_id then new.tax_id := null; new.tax_rate := null; end if;
    elsif tg_op = 'UPDATE' and new.tax_id is distinct from old.tax_id and new.tax_rate is not distinct from old.tax_rate then
        new.tax_rate := null;
    end if;
    select * into p from products.terms(new.product_id, i.currency, coalesce(i.supplied_on, i.issued_on, current_date));
    new.code := coalesce(new.code, p.sku);
    new.name := coalesce(new.name, p.name);
    new.unit := coalesce(new.unit, p.unit);
    if new.tax_id is null and new.tax_rate is null then new.tax_id := p.tax_id; end if;
    if new.tax_id is not null and new.tax_rate is null then
        new.tax_rate := products.tax_rate(new.tax_id, coalesce(i.supplied_on, i.issued_on, current_date));
        if new.tax_rate is null then
            raise exception 'This tax has no rate on %.', coalesce(i.supplied_on, i.issued_on, current_date) using errcode = 'AP001', column = 'tax_id';
        end if;
    end if;
    new.tax_rate := coalesce(new.tax_rate, 0);
    -- What we buy is priced by its cost, which is without tax.
    listed := i.direction = 'out' and coalesce(p.price_includes_tax, false);
    start := case when i.direction = 'out' then p.price else p.cost end;
    new.price_includes_tax := coalesce(new.price_includes_tax, i.prices_include_tax, listed);
    if new.price is null and start is not null then
        new.price := case when listed = new.price_includes_tax then start
                          when listed then start * 100 / (100 + new.tax_rate)
                          else start * (100 + new.tax_rate) / 100 end;
    end if;
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from finance.invoice_lines l where l.organization_id = new.organization_id and l.invoice_id = new.invoice_id;
    end if;
    return new;
end $$;
create trigger defaults before insert or update on finance.invoice_lines for each row execute function finance.line_defaults();

-- The taxes of a line that is not simply taxed: which and how high, since it was written; how much, as price and quantity
-- are. Those on the price add up to its tax to the last digit; what the buyer owes himself or keeps back stands beside it.
create function finance.line_parts() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    tax numeric; net numeric; shares numeric[];
    gross constant numeric := app.line_gross(new.quantity, new.price, new.discount_percent, new.discount_amount, new.digits);
begin
    if tg_op = 'INSERT' or (new.tax_id, new.tax_rate) is distinct from (old.tax_id, old.tax_rate) then
        select jsonb_agg(jsonb_build_object('tax_id', t.tax_id, 'name', t.name, 'kind', t.kind, 'rate', t.rate, 'weight', t.weight)) into new.tax_parts
        from finance.invoices i cross join lateral products.tax_parts_on(new.tax_id, coalesce(i.supplied_on, i.issued_on, current_date)) t
        where i.organization_id = new.organization_id and i.id = new.invoice_id and t.rate is not null;
    end if;
    if new.tax_parts is null or gross is null then return new; end if;
    tax := app.line_tax(gross, new.tax_rate, new.price_includes_tax, new.digits) + new.tax_adjustment;
    net := app.line_net(gross, new.tax_rate, new.price_includes_tax, new.digits) - case when new.price_includes_tax then new.tax_adjustment else 0 end;
    shares := ledger.shares(tax, array(select case when p ->> 'kind' in ('standard', 'reduced') then (p ->> 'weight')::numeric else 0 end
        from jsonb_array_elements(new.tax_parts) with ordinality q (p, n) order by n), new.digits);
    select jsonb_agg(q.p || jsonb_build_object('amount', case when q.p ->> 'kind' in ('standard', 'reduced') then shares[q.n]
        else round(net * (q.p ->> 'weight')::numeric / 100, new.digits) end::text) order by q.n) into new.tax_parts
    from jsonb_array_elements(new.tax_parts) with ordinality q (p, n);
    return new;
end $$;
create trigger parts before insert or update on finance.invoice_lines for each row when (new.tax_id is not null or new.tax_parts is not null)
    execute function finance.line_parts();

create function finance.pass_digits() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoice_lines l set digits = new.digits where l.organization_id = new.organization_id and l.invoice_id = new.id;
    return null;
end $$;
-- A tax is as high as on the day of supply: when that is put right, so are the lines that have the rate of the day before.
create function finance.pass_day() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoice_lines l set tax_rate = null where l.organization_id = new.organization_id and l.invoice_id = new.id and l.deleted_at is null and l.tax_id is not null
        and l.tax_rate = products.tax_rate(l.tax_id, coalesce(old.supplied_on, old.issued_on, l.created_at::date));
    return null;
end $$;
create trigger pass_day after update on finance.invoices
    for each row when (new.status = 'draft' and coalesce(old.supplied_on, old.issued_on) is distinct from coalesce(new.supplied_on, new.issued_on)) execute function finance.pass_day();
create trigger pass_digits after update on finance.invoices for each row when (old.digits <> new.digits) execute function finance.pass_digits();

-- Whether an invoice, a draft included, counts against the quantities of its order. Credit notes do when they are posted.
create function finance.counts(direction text, kind text, status text, deleted_at timestamptz) returns boolean language sql immutable parallel safe
return direction = 'out' and kind in ('STANDARD', 'RECURRING') and status <> 'cancelled' and deleted_at is null;

create function finance.count_line() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare i finance.invoices; r finance.invoice_lines := coalesce(new, old);
begin
    select * into i from finance.invoices x where x.organization_id = r.organization_id and x.id = r.invoice_id;
    -- Gone with its invoice, which has given its lines back itself.
    if not found or not finance.counts(i.direction, i.kind, i.status, i.deleted_at) then return null; end if;
    if tg_op <> 'INSERT' and old.order_line_id is not null and old.deleted_at is null then perform sales.add_invoiced(old.order_line_id, -old.quantity); end if;
    if tg_op <> 'DELETE' and new.order_line_id is not null and new.deleted_at is null then perform sales.add_invoiced(new.order_line_id, new.quantity); end if;
    return null;
end $$;
create trigger counts_insert after insert on finance.invoice_lines for each row when (new.order_line_id is not null) execute function finance.count_line();
create trigger counts_delete after delete on finance.invoice_lines for each row when (old.order_line_id is not null) execute function finance.count_line();
create trigger counts_update after update on finance.invoice_lines for each row when ((old.order_line_id, old.quantity, old.deleted_at)
    is distinct from (new.order_line_id, new.quantity, new.deleted_at)) execute function finance.count_line();

create function finance.count_invoice() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    i finance.invoices := coalesce(new, old); l record;
    sign integer := case when tg_op = 'UPDATE' and finance.counts(new.direction, new.kind, new.status, new.deleted_at) then 1 else -1 end;
begin
    for l in select x.order_line_id, x.quantity from finance.invoice_lines x
        where x.organization_id = i.organization_id and x.invoice_id = i.id and x.order_line_id is not null and x.deleted_at is null order by 1
    loop
        perform sales.add_invoiced(l.order_line_id, sign * l.quantity);
    end loop;
    return i;
end $$;
create trigger counts after update on finance.invoices for each row
    when (finance.counts(old.direction, old.kind, old.status, old.deleted_at) <> finance.counts(new.direction, new.kind, new.status, new.deleted_at))
    execute function finance.count_invoice();
create trigger counts_delete before delete on finance.invoices for each row
    when (finance.counts(old.direction, old.kind, old.status, old.deleted_at)) execute function finance.count_invoice();

-- The taxes of a line, each by itself.
create function finance.line_taxes(l finance.invoice_lines) returns table (tax_id uuid, rate numeric, kind text, amount numeric)
language plpgsql immutable set search_path = pg_catalog as $$
begin
    if l.tax_parts is null then
        return query select l.tax_id, l.tax_rate::numeric, 'standard', l.tax::numeric;
    else
        return query select (p ->> 'tax_id')::uuid, (p ->> 'rate')::numeric, p ->> 'kind', (p ->> 'amount')::numeric from jsonb_array_elements(l.tax_parts) p;
    end if;
end $$;

-- Posting: the document is complete, gets its dates and, last of all, its number. A credit note takes back what it
-- names: it settles what is still open of the invoice; the rest of it is owed to the other side.
create function finance.post_invoice() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare o finance.invoices; l record; loose numeric;
begin
    if not exists (select from finance.invoice_lines x where x.organization_id = new.organization_id and x.invoice_id = new.id and x.deleted_at is null) then
        raise exception 'An invoice needs at least one line before it can be posted.' using errcode = 'AP001';
    end if;
    if new.gross <= 0 then raise exception 'An invoice over nothing cannot be posted.' using errcode = 'AP001'; end if;
    new.issued_on := coalesce(new.issued_on, current_date);
    new.legal_entity_id := coalesce(new.legal_entity_id, ledger.home());
    new.exchange_rate := coalesce(new.exchange_rate, finance.rate(new.legal_entity_id, new.currency, new.issued_on));
    if new.exchange_rate is null then
        raise exception 'There is no exchange rate of % for %.', new.currency, new.issued_on using errcode = 'AP001', column = 'exchange_rate';
    end if;
    new.base_gross := finance.in_books(new.legal_entity_id, new.gross, new.exchange_rate);
    if new.kind not in ('PROFORMA', 'RECEIPT') and not coalesce(new.issued_on < (select e.books_from from ledger.legal_entities e
        where e.organization_id = new.organization_id and e.id = new.legal_entity_id), false) then
        select coalesce(sum(t.amount), 0) into new.withheld from finance.invoice_lines x cross join lateral finance.line_taxes(x) t
        where x.organization_id = new.organization_id and x.invoice_id = new.id and x.deleted_at is null and t.kind = 'withholding';
    end if;
    new.due_on := coalesce(new.due_on, new.issued_on + parties.payment_days(new.payment_terms));
    if new.kind = 'CREDIT_NOTE' and new.credited_invoice_id is not null then
        select * into o from finance.invoices x where x.organization_id = new.organization_id and x.id = new.credited_invoice_id for no key update;
        if o.number is null or o.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
            raise exception 'Only a posted invoice can be credited.' using errcode = 'AP001', column = 'credited_invoice_id';
        end if;
        if (o.direction, o.party_id, o.currency) <> (new.direction, new.party_id, new.currency) then
            raise exception 'A credit note is for the same party, in the same currency as its invoice.' using errcode = 'AP001', column = 'credited_invoice_id';
        end if;
        -- More of a line than there was is not credited, however often one tries.
        if exists (select from finance.invoice_lines w
                   join lateral (select sum(x.quantity) as quantity from finance.invoice_lines x join finance.invoices n
                                 on n.organization_id = x.organization_id and n.id = x.invoice_id and (n.number is not null or n.id = new.id)
                                 where x.organization_id = new.organization_id and x.credited_line_id = w.id and x.deleted_at is null) c on true
                   where w.organization_id = new.organization_id and w.invoice_id = o.id and c.quantity > w.quantity) then
            raise exception 'No more of a line can be credited than was invoiced.' using errcode = 'AP001', column = 'lines';
        end if;
        new.order_id := coalesce(new.order_id, o.order_id);
        new.credit_applied := least(new.gross - new.withheld, o.balance);
        update finance.invoices x set credited = x.credited + new.gross, credit_applied = x.credit_applied + new.credit_applied
        where x.organization_id = new.organization_id and x.id = o.id;
        if new.direction = 'out' then
            for l in select x.order_line_id, x.quantity from finance.invoice_lines x
                where x.organization_id = new.organization_id and x.invoice_id = new.id and x.order_line_id is not null and x.deleted_at is null order by 1
            loop
                perform sales.add_invoiced(l.order_line_id, -l.quantity);
            end loop;
            select sum(x.gross) into loose from finance.invoice_lines x where x.organization_id = new.organization_id and x.invoice_id = new.id
                and x.order_line_id is null and not x.is_shipping and x.deleted_at is null;
            if new.order_id is not null and loose > 0 then perform sales.add_credited(new.order_id, loose); end if;
        end if;
        new.status := case when new.credit_applied = new.gross - new.withheld then 'paid' when new.credit_applied > 0 then 'partial' else 'sent' end;
    elsif new.kind = 'RECEIPT' then
        new.status := 'paid';
    end if;
    new.number := app.next_number(case when new.direction = 'in' then case new.kind when 'CREDIT_NOTE' then 'SCN' else 'BILL' end
        else case new.kind when 'CREDIT_NOTE' then 'CN' when 'DEBIT_NOTE' then 'DN' when 'PROFORMA' then 'PF' when 'RECEIPT' then 'RC' else 'INV' end end, new.issued_on);
    return new;
end $$;
create trigger posts before update on finance.invoices for each row
    when (old.status = 'draft' and new.status not in ('draft', 'cancelled')) execute function finance.post_invoice();

-- A posted invoice is as settled as what was paid and credited says.
create function finance.settle() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    new.status := case when new.paid + new.credit_applied + new.written_off >= new.gross then 'paid'
                       when new.paid + new.credit_applied + new.written_off > new.withheld then 'partial'
                       when old.status = 'viewed' then 'viewed' else 'sent' end;
    return new;
end $$;
create trigger settles before update on finance.invoices for each row
    when (old.status not in ('draft', 'cancelled') and (old.paid, old.credit_applied, old.written_off) is distinct from (new.paid, new.credit_applied, new.written_off))
    execute function finance.settle();

-- The order knows what was paid for it.
create function finance.pass_paid() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform sales.add_paid(new.order_id, case when new.kind = 'CREDIT_NOTE' then old.paid - new.paid else new.paid - old.paid end);
    return null;
end $$;
create trigger pass_paid after update on finance.invoices for each row
    when (old.paid <> new.paid and new.direction = 'out' and new.order_id is not null) execute function finance.pass_paid();

-- Money that comes in pays our invoices, money that goes out those of suppliers; credit notes the other way round.
create function finance.paid_by(direction text, kind text) returns text language sql immutable parallel safe
return case when direction = 'out' then case kind when 'CREDIT_NOTE' then 'refund' else 'in' end else case kind when 'CREDIT_NOTE' then 'in' else 'out' end end;

-- Locks are taken in one order everywhere: payment, invoices by id, orders. Allocations of a completed payment count;
-- those of a pending one are an intention.
create function finance.check_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p finance.payments; i finance.invoices; r finance.payment_allocations := coalesce(new, old);
begin
    select * into p from finance.payments x where x.organization_id = r.organization_id and x.id = r.payment_id for no key update;
    if not found then return r; end if;     -- gone with its payment, which was still open
    if tg_op <> 'INSERT' and p.status not in ('pending', 'processing', 'rejected', 'returned') then
        if tg_op = 'DELETE' or (to_jsonb(new) - '{reversed_on,base_invoice,base_payment,counts_on,paid_on,issued_on,version,updated_at,updated_by}'::text[]) <> (to_jsonb(old) - '{reversed_on,base_invoice,base_payment,counts_on,paid_on,issued_on,version,updated_at,updated_by}'::text[])
            or old.reversed_on is not null then
            raise exception 'An allocation that counts can only be taken back.' using errcode = 'AP001';
        end if;
        return new;
    end if;
    if tg_op = 'DELETE' or new.reversed_on is not null then return r; end if;
    if p.status in ('failed', 'cancelled') then
        raise exception 'A payment that is % pays nothing.', p.status using errcode = 'AP001', column = 'payment_id';
    end if;
    select * into i from finance.invoices x where x.organization_id = new.organization_id and x.id = new.invoice_id for no key update;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then
        raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if i.party_id <> p.party_id then raise exception 'The payment and the invoice are of different parties.' using errcode = 'AP001', column = 'invoice_id'; end if;
    if i.currency <> p.currency then
        raise exception 'The payment is in %, the invoice in %.', p.currency, i.currency using errcode = 'AP001', column = 'invoice_id';
    end if;
    if p.direction <> finance.paid_by(i.direction, i.kind) then
        raise exception 'Money that comes in pays our invoices, money that goes out those of suppliers, a refund credit notes.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if new.amount <> round(new.amount, p.digits) then
        raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount';
    end if;
    return new;
end $$;
create trigger checks before insert or update or delete on finance.payment_allocations for each row execute function finance.check_allocation();

create function finance.apply_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    r finance.payment_allocations := coalesce(new, old);
    was constant numeric := case when tg_op <> 'INSERT' and old.reversed_on is null and old.deleted_at is null then old.amount else 0 end;
    becomes constant numeric := case when tg_op <> 'DELETE' and new.reversed_on is null and new.deleted_at is null then new.amount else 0 end;
    state text;
begin
    update finance.payments p set allocated = p.allocated + becomes - was where p.organization_id = r.organization_id and p.id = r.payment_id
    returning p.status into state;
    if state = 'completed' and becomes <> was then     -- then the invoice is still the same one
        update finance.invoices i set paid = i.paid + becomes - was where i.organization_id = r.organization_id and i.id = r.invoice_id;
        if becomes > 0 then perform finance.book_allocation(r.id); end if;
    end if;
    if tg_op <> 'INSERT' and was > 0 and becomes = 0 and old.base_invoice is not null then perform finance.unbook_allocation(r); end if;
    return null;
end $$;
create trigger applies after insert or update or delete on finance.payment_allocations for each row execute function finance.apply_allocation();

-- Completed: the allocations count from now on. Failed, cancelled, voided: they are taken back.
create function finance.move_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare a record; sign integer := case when new.status = 'completed' then 1 when old.status = 'completed' then -1 else 0 end;
begin
    if sign <> 0 then
        for a in select x.invoice_id, sum(x.amount) as amount from finance.payment_allocations x
            where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null and x.deleted_at is null group by 1 order by 1
        loop
            update finance.invoices i set paid = i.paid + sign * a.amount where i.organization_id = new.organization_id and i.id = a.invoice_id;
        end loop;
    end if;
    if new.status = 'completed' then
        perform finance.book_payment(new);
        perform finance.book_allocation(x.id) from finance.payment_allocations x
        where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null and x.deleted_at is null order by x.invoice_id, x.id;
    elsif old.status = 'completed' then
        perform finance.unbook('finance.payments', new.id, greatest(current_date, new.paid_on));
    end if;
    if new.status in ('failed', 'cancelled') then
        update finance.payment_allocations x set reversed_on = greatest(current_date, x.allocated_on)
        where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null;
    end if;
    return null;
end $$;
create trigger moves after update on finance.payments for each row when (old.status is distinct from new.status) execute function finance.move_payment();

-- After the triggers above, which change allocations of closed payments: the part is guarded by check_allocation.
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.check_closed('status', 'decision', 'submitted_by', 'submitted_at', 'verified_by', 'verified_at', 'verification_status', 'completed_at', 'reversed', 'allocated', 'unallocated', 'base_amount', 'base_allocated', 'fee', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
create trigger closed_throw before update on finance.payments for each row
    when (old.status <> all ('{pending,processing,rejected,returned}') and new.deleted_at is distinct from old.deleted_at)
    execute function app.refuse('A payment that has been made stays; void it instead.');
create trigger closed_delete before delete on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.refuse('A payment that has been made stays; void it instead.');

-- DEFINITIONS 23. Who submitted, who verified and when is written here and nowhere else. Nobody verifies money that he
-- entered, changed or submitted, whatever his roles and by whatever door.
create function finance.check_verification() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare needed constant boolean := finance.needs_verification(new.direction, new.workspace_id); d crm.deals;
begin
    if tg_op = 'INSERT' then
        new.submitted_by := null; new.submitted_at := null; new.verified_by := null; new.verified_at := null;
        if needed and new.status <> all ('{pending,failed,cancelled}') then
            raise exception 'A payment is verified by a person, not brought in as verified.' using errcode = 'AP001', column = 'status';
        end if;
        if new.deal_id is not null and new.status <> all ('{pending,failed,cancelled}') then
            raise exception 'A payment for a deal comes in as pending: when it is completed it earns its commissions.' using errcode = 'AP001', column = 'status';
        end if;
        new.completed_at := null;
    else
        new.submitted_by := old.submitted_by; new.submitted_at := old.submitted_at; new.verified_by := old.verified_by; new.verified_at := old.verified_at;
        new.completed_at := old.completed_at;
        if (new.deal_id, new.party_id, new.currency) is not distinct from (old.deal_id, old.party_id, old.currency) and new.status = old.status then return new; end if;
    end if;
    if new.deal_id is not null then
        select * into d from crm.deals x where x.organization_id = new.organization_id and x.id = new.deal_id;
        if d.stage <> 'WON' or d.deleted_at is not null then
            raise exception 'Only a deal that was won can be paid.' using errcode = 'AP001', column = 'deal_id';
        end if;
        if (d.customer_id, d.currency) <> (new.party_id, new.currency) then
            raise exception 'A payment for a deal is of its customer, in its currency.' using errcode = 'AP001', column = 'deal_id';
        end if;
        if new.direction <> (case when new.reverses_id is null then 'in' else 'refund' end) then
            raise exception 'A deal is paid by money that comes in.' using errcode = 'AP001', column = 'direction';
        end if;
    end if;
    if tg_op = 'INSERT' or new.status = old.status then return new; end if;
    if new.status = 'submitted' then
        if needed and new.direction = 'in' and not exists (select from files.files f where f.organization_id = new.organization_id
            and f.entity = 'finance.payments' and f.record_id = new.id and f.deleted_at is null) then
            raise exception 'Attach the receipt first.' using errcode = 'AP001';
        end if;
        new.submitted_by := app.actor(); new.submitted_at := now(); new.decision := null;
    elsif new.status = 'completed' and old.status = 'submitted' then
        if app.actor() is null or app.actor() in (new.created_by, old.submitted_by) or exists (select from app.audit a
            where a.organization_id = new.organization_id and a.entity = 'finance.payments' and a.record_id = new.id and a.actor_id = app.actor()
              and (a.action = 'insert' or a.new ?| '{deal_id,party_id,amount,currency,exchange_rate,method,paid_on,transaction_id,reference,bank_reference,cheque_number}')) then
            raise exception 'Whoever entered, changed or submitted a payment does not verify it.' using errcode = 'AP001';
        end if;
        new.verified_by := app.actor(); new.verified_at := now();
    elsif new.status = 'completed' and needed then
        raise exception 'Payments are verified here: submit it.' using errcode = 'AP001', column = 'status';
    elsif new.status = 'cancelled' and old.status = 'completed' and (old.verified_at is not null or old.deal_id is not null or old.reversed > 0 or old.reverses_id is not null) then
        raise exception 'This payment counts for good; reverse it instead.' using errcode = 'AP001';
    end if;
    if new.status = 'completed' then new.completed_at := now(); end if;
    return new;
end $$;
create trigger verifies before insert or update on finance.payments for each row execute function finance.check_verification();

-- The deal knows how many of its payments wait, were refused, count, and what they come to.
create function finance.count_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p finance.payments; sign integer;
begin
    foreach sign in array '{-1,1}'::integer[] loop
        if sign = 1 and tg_op <> 'DELETE' then p := new; elsif sign = -1 and tg_op <> 'INSERT' then p := old; else continue; end if;
        if p.deal_id is null or p.deleted_at is not null or p.status in ('failed', 'cancelled') then continue; end if;
        perform crm.add_payment(p.deal_id, sign * (p.status in ('pending', 'processing', 'submitted') and p.reverses_id is null)::integer,
            sign * (p.status in ('rejected', 'returned') and p.reverses_id is null)::integer, sign * (p.status = 'completed' and p.reverses_id is null)::integer,
            sign * case when p.status <> 'completed' then 0 when p.reverses_id is null then p.amount else -p.amount end);
    end loop;
    return null;
end $$;
create trigger counts_insert after insert on finance.payments for each row when (new.deal_id is not null) execute function finance.count_payment();
create trigger counts_delete after delete on finance.payments for each row when (old.deal_id is not null) execute function finance.count_payment();
create trigger counts_update after update on finance.payments for each row
    when ((old.deal_id, old.status, old.deleted_at) is distinct from (new.deal_id, new.status, new.deleted_at)) execute function finance.count_payment();

-- Takes so much of a payment back: what settles invoices is freed, the latest first, and what is left of an allocation
-- is made anew.
create function finance.take_back(payment uuid, amount numeric) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); p finance.payments; a finance.payment_allocations; lacking numeric;
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status <> 'completed' or p.reversed + take_back.amount > p.amount then
        raise exception 'No more can be taken back than was paid.' using errcode = 'AP001', column = 'amount';
    end if;
    lacking := take_back.amount - p.unallocated;
    for a in select * from finance.payment_allocations x where x.organization_id = here and x.payment_id = payment and x.reversed_on is null and x.deleted_at is null
        order by x.allocated_on desc, x.id desc
    loop
        exit when lacking <= 0;
        update finance.payment_allocations x set reversed_on = greatest(current_date, x.allocated_on) where x.organization_id = here and x.id = a.id;
        if a.amount > lacking then
            insert into finance.payment_allocations (payment_id, invoice_id, amount) values (payment, a.invoice_id, a.amount - lacking);
        end if;
        lacking := lacking - a.amount;
    end loop;
    update finance.payments x set reversed = x.reversed + take_back.amount where x.organization_id = here and x.id = payment;
end $$;
revoke execute on function finance.take_back(uuid, numeric) from public;

-- Whoever submitted it is told what became of it.
create function finance.tell_payment(p finance.payments) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform app.notify(p.submitted_by, 'payment', case p.status
        when 'completed' then jsonb_build_object('en', format('Payment %s was verified', p.number), 'ru', format('Платёж %s подтверждён', p.number),
            'kk', format('%s төлемі расталды', p.number))
        when 'rejected' then jsonb_build_object('en', format('Payment %s was rejected', p.number), 'ru', format('Платёж %s отклонён', p.number),
            'kk', format('%s төлемі қабылданбады', p.number))
        else jsonb_build_object('en', format('Payment %s came back to you', p.number), 'ru', format('Платёж %s возвращён вам', p.number),
            'kk', format('%s төлемі сізге қайтарылды', p.number)) end, p.decision, 'finance.payments', p.id, null);
end $$;

-- Modules that follow invoices and payments say so by a function <module>.<what>(id); it is found by its name, so that this
-- module has to know of none.
create function finance.tell_modules(what text, of_record uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare f regproc;
begin
    for f in select p.oid from pg_proc p where p.proname = what and p.proargtypes = array['uuid'::regtype::oid]::oidvector order by p.pronamespace::regnamespace::text loop
        execute format('select %s($1)', f) using of_record;
    end loop;
end $$;
revoke execute on function finance.tell_modules(text, uuid) from public;

create function finance.follow_invoice() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.tell_modules(tg_argv[0], new.id);
    return null;
end $$;
create trigger moves_on_insert after insert on finance.invoices for each row when (new.status = 'draft') execute function finance.follow_invoice('invoice_made');
create trigger moves_on after update on finance.invoices for each row when (old.status = 'draft' and new.number is not null) execute function finance.follow_invoice('invoice_posted');

create function finance.lock_deal(of_deal uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform 1 from finance.payments x where x.organization_id = app.organization() and x.deal_id = of_deal and x.status = 'completed' and x.unallocated > 0
        order by x.id for no key update;
end $$;
revoke execute on function finance.lock_deal(uuid) from public;

-- Money for a deal pays the deal's invoice, what came first first, as far as it goes. Locks are taken in the order of all.
create function finance.settle_deal(of_deal uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; p record; open numeric; piece numeric;
begin
    perform finance.lock_deal(of_deal);
    select * into i from finance.invoices x where x.organization_id = here and x.deal_id = of_deal and x.number is not null and x.status <> 'cancelled'
        and x.balance > 0 and x.deleted_at is null for no key update;
    if not found then return; end if;
    open := i.balance;
    for p in select x.id, x.unallocated from finance.payments x where x.organization_id = here and x.deal_id = of_deal and x.status = 'completed' and x.direction = 'in'
        and x.unallocated > 0 and (x.party_id, x.currency) = (i.party_id, i.currency) order by x.paid_on, x.id
    loop
        piece := least(p.unallocated, open);
        exit when piece <= 0;
        insert into finance.payment_allocations (payment_id, invoice_id, amount) values (p.id, i.id, piece);
        open := open - piece;
    end loop;
end $$;
revoke execute on function finance.settle_deal(uuid) from public;

create function finance.settle_posted() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.settle_deal(new.deal_id);
    return null;
end $$;
create trigger settles_deal after update on finance.invoices for each row when (old.status = 'draft' and new.number is not null and new.deal_id is not null)
    execute function finance.settle_posted();

-- What follows when a payment counts, in the same transaction: what modules have a function payment_counts for, and last the
-- number of the receipt.
create function finance.follow_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.status = 'completed' then
        if new.reverses_id is not null then perform finance.take_back(new.reverses_id, new.amount); end if;
        if new.deal_id is not null and new.direction = 'in' then perform finance.settle_deal(new.deal_id); end if;
        perform finance.tell_modules('payment_counts', new.id);
        if new.verified_at is not null and new.direction = 'in' then perform finance.receipt(new.id); end if;
    end if;
    if old.status = 'submitted' then perform finance.tell_payment(new); end if;
    return null;
end $$;
-- After `moves`, by its name.
create trigger moves_on after update on finance.payments for each row when (old.status is distinct from new.status) execute function finance.follow_payment();

-- Money for a deal. Body: {amount?, method?, paid_on?, transaction_id?, cheque_number?, bank_reference?, note?}, no amount being all that is open.
create function finance.pay_deal(deal uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d crm.deals; made uuid := app.new_id();
begin
    select * into d from crm.deals x where x.organization_id = here and x.id = deal;
    insert into finance.payments (id, direction, party_id, deal_id, amount, currency, method, paid_on, reference, transaction_id, cheque_number, bank_reference, note, workspace_id)
    values (made, 'in', d.customer_id, d.id, coalesce(sales.read_number(body, 'amount'), d.balance), d.currency, coalesce(body ->> 'method', d.payment_method, 'BANK_TRANSFER'),
        coalesce(sales.read_date(body, 'paid_on'), current_date), coalesce(body ->> 'reference', d.number), body ->> 'transaction_id', body ->> 'cheque_number',
        body ->> 'bank_reference', body ->> 'note', d.workspace_id);
    return made;
end $$;

-- Takes a payment back, whole or in part, by an entry of its own that is verified like any other. Body: {amount?, reversal?: refund, chargeback
-- or mistake, reason, paid_on?}, no amount being all that is left.
create function finance.reverse(payment uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); p finance.payments; made uuid := app.new_id(); wanted numeric := sales.read_number(body, 'amount');
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is distinct from 'completed' or p.direction <> 'in' then
        raise exception 'Only money that came in can be taken back.' using errcode = 'AP001';
    end if;
    if coalesce(body ->> 'reason', '') !~ '\S' then raise exception 'Say why.' using errcode = 'AP001', column = 'reason'; end if;
    if p.reversed >= p.amount then raise exception 'All of this payment has been taken back.' using errcode = 'AP001'; end if;
    if wanted > p.amount - p.reversed then raise exception 'No more can be taken back than was paid.' using errcode = 'AP001', column = 'amount'; end if;
    insert into finance.payments (id, direction, party_id, deal_id, reverses_id, reversal, amount, currency, exchange_rate, method, paid_on, reference, note, workspace_id)
    values (made, 'refund', p.party_id, p.deal_id, p.id, coalesce(body ->> 'reversal', 'refund'), coalesce(wanted, p.amount - p.reversed), p.currency, p.exchange_rate, p.method,
        coalesce(sales.read_date(body, 'paid_on'), current_date), p.number, body ->> 'reason', p.workspace_id);
    update finance.payments x set status = 'submitted' where x.organization_id = here and x.id = made and finance.needs_verification('refund', p.workspace_id);
    return made;
end $$;

-- In the books. Everything that counts is an entry: an invoice when it is posted, a payment when it is completed, what
-- one settles of the other when the two were worth different amounts, and what is written off. All that comes in goes to
-- the receivables, allocated or not, and all that goes out to the payables: so they are what is open, to the cent.

-- An amount in the currency of the books, rounded to its digits.
create function finance.in_books(of_entity uuid, amount numeric, rate numeric) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select round(amount * rate, e.digits) from ledger.legal_entities e where e.organization_id = app.organization() and e.id = of_entity);
end $$;

-- The account for what is sold or bought of a product: that of its category, or of the first above it that has one.
create function finance.product_account(of_product uuid, of_direction text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); shelf uuid; found_one uuid;
begin
    if of_product is null then return null; end if;
    select p.category_id into shelf from products.products p where p.organization_id = here and p.id = of_product;
    while shelf is not null loop
        select a.account_id into found_one from finance.category_accounts a
        where a.organization_id = here and a.category_id = shelf and a.direction = of_direction and a.deleted_at is null;
        if found then return found_one; end if;
        select c.parent_id into shelf from products.categories c where c.organization_id = here and c.id = shelf;
    end loop;
    return null;
end $$;

-- An invoice owes to, or is owed by, somebody; what it is for stands on the other side, each tax by itself. What was
-- issued before the books were begun is an opening balance.
create function finance.book_invoice(i finance.invoices) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := i.organization_id;
    sign constant integer := case when (i.direction = 'out') = (i.kind <> 'CREDIT_NOTE') then 1 else -1 end;
    books ledger.legal_entities; control uuid; usual uuid; sides record; t record; shares numeric[]; postings ledger.posting[]; old_business boolean;
begin
    select * into strict books from ledger.legal_entities e where e.organization_id = here and e.id = i.legal_entity_id;
    old_business := coalesce(i.issued_on < books.books_from, false);
    control := ledger.account(case when i.direction = 'out' then 'receivable' else 'payable' end);
    usual := ledger.account(case when old_business then 'opening' when i.direction = 'out' then 'sales' else 'purchases' end);
    -- `of_tax` and `of_rate` are what the lines say; of a group, `tax_id` and `rate` are one of its taxes.
    select array_agg(q.account order by q.n) as account, array_agg(q.amount order by q.n) as amount, array_agg(q.tax_id order by q.n) as tax, array_agg(q.rate order by q.n) as rate,
        array_agg(concat_ws(' ', q.of_tax, trim_scale(q.of_rate)) order by q.n) as of, array_agg(q.is_tax order by q.n) as is_tax,
        array_agg(q.project_id order by q.n) as project, array_agg(q.department_id order by q.n) as department
    into sides from (
        select u.*, row_number() over (order by u.account, u.of_tax, u.of_rate, u.is_tax, u.tax_id, u.project_id, u.department_id) as n from (
            select case when old_business then usual else coalesce(l.account_id, finance.product_account(l.product_id, i.direction), usual) end as account, l.tax_id as of_tax, l.tax_rate as of_rate,
                l.tax_id, l.tax_rate as rate, l.project_id, l.department_id, sum(case when old_business then l.gross else l.net end) as amount, false as is_tax
            from finance.invoice_lines l where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null group by 1, 2, 3, 4, 5, 6, 7
            union all
            select ledger.account(case when i.direction = 'out' then 'tax_out' else 'tax_in' end), l.tax_id, l.tax_rate, p.tax_id, p.rate, null, null, sum(p.amount), true
            from finance.invoice_lines l cross join lateral finance.line_taxes(l) p
            where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null and not old_business and p.kind in ('standard', 'reduced')
            group by l.tax_id, l.tax_rate, p.tax_id, p.rate having sum(p.amount) <> 0
        ) u
    ) q;
    shares := ledger.shares(i.base_gross, sides.amount, books.digits);
    postings := array[row (control, sign * i.base_gross, i.currency, sign * i.gross, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting];
    for n in 1 .. cardinality(sides.account) loop
        postings := postings || row (sides.account[n], -sign * shares[n], i.currency, -sign * sides.amount[n], i.party_id, null, sides.project[n], sides.department[n],
            sides.tax[n], case when not old_business then sides.rate[n] end,
            case when sides.is_tax[n] then (select -sign * sum(shares[m]) from generate_subscripts(shares, 1) m where sides.of[m] = sides.of[n] and not sides.is_tax[m]) end,
            case when not old_business then coalesce(i.supplied_on, i.issued_on) end, null)::ledger.posting;
    end loop;
    -- The buyer owes the tax himself, and reclaims it.
    for t in
        select p.tax_id, p.rate, sum(p.amount) as amount, finance.in_books(i.legal_entity_id, sum(p.amount), i.exchange_rate) as base,
            finance.in_books(i.legal_entity_id, sum(l.net), i.exchange_rate) as net
        from finance.invoice_lines l cross join lateral finance.line_taxes(l) p
        where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null and i.direction = 'in' and not old_business and p.kind = 'reverse_charge' group by 1, 2 order by 1
    loop
        postings := postings
            || row (ledger.account('tax_in'), -sign * t.base, i.currency, -sign * t.amount, i.party_id, null, null, null, t.tax_id, t.rate, -sign * t.net, coalesce(i.supplied_on, i.issued_on), null)::ledger.posting
            || row (ledger.account('tax_out'), sign * t.base, i.currency, sign * t.amount, i.party_id, null, null, null, t.tax_id, t.rate, sign * t.net, coalesce(i.supplied_on, i.issued_on), null)::ledger.posting;
    end loop;
    perform ledger.post(i.legal_entity_id, case when old_business then 'opening' when i.direction = 'out' then 'sales' else 'purchases' end, i.issued_on, i.number,
        i.party_name, 'finance.invoices', i.id, 'post', postings);
    if i.credit_applied > 0 then perform finance.book_difference(i, i.issued_on, 'finance.invoices', i.id, i.number,
        finance.relieve(i.credited_invoice_id, i.credit_applied), finance.relieve(i.id, i.credit_applied)); end if;
    if i.withheld > 0 then insert into finance.write_offs (invoice_id, kind, amount, taken_on) values (i.id, 'withheld', i.withheld, i.issued_on); end if;
end $$;

-- How much of an invoice's worth in the books goes with so much of it; the last part takes what rounding left.
create function finance.relieve(of_invoice uuid, amount numeric) returns numeric language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); part numeric;
begin
    select case when i.relieved + relieve.amount >= i.gross then i.base_gross - i.base_settled
        else least(round(i.base_gross * relieve.amount / i.gross, e.digits), i.base_gross - i.base_settled) end into part
    from finance.invoices i join ledger.legal_entities e on e.organization_id = here and e.id = i.legal_entity_id
    where i.organization_id = here and i.id = of_invoice;
    update finance.invoices i set relieved = i.relieved + relieve.amount, base_settled = i.base_settled + part where i.organization_id = here and i.id = of_invoice;
    return part;
end $$;

-- Both settle the same amount, and were worth different ones: the difference is gained or lost. `was` is what it was worth
-- in the invoice, `becomes` in what settles it.
create function finance.book_difference(i finance.invoices, on_day date, from_source text, from_id uuid, of_number text, was numeric, becomes numeric)
returns void language plpgsql security definer set search_path = pg_catalog as $$
declare diff constant numeric := case when i.direction = 'out' then becomes - was else was - becomes end;
begin
    if diff = 0 then return; end if;
    perform ledger.post(i.legal_entity_id, 'exchange', on_day, of_number, i.number, from_source, from_id, 'settle', array[
        row (ledger.account(case when i.direction = 'out' then 'receivable' else 'payable' end), diff, i.currency, 0, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting,
        row (ledger.account(case when diff > 0 then 'exchange_gain' else 'exchange_loss' end), -diff, i.currency, 0, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting]);
end $$;

-- Money goes to or from the bank account, or the one for its method, which keeps its fee.
create function finance.book_payment(p finance.payments) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    sign constant integer := case p.direction when 'in' then 1 else -1 end; books constant uuid := coalesce(p.legal_entity_id, ledger.home());
    money constant uuid := coalesce(p.account_id, ledger.account(case p.method when 'CASH' then 'cash' else 'bank' end)); fees ledger.posting[] := '{}'; fee numeric;
begin
    if p.fee > 0 then
        fee := finance.in_books(books, p.fee, p.exchange_rate);
        select array[row (m.fee_account_id, fee, p.currency, p.fee, p.party_id, null, null, null, null, null, null, null, m.name)::ledger.posting,
            row (money, -fee, p.currency, -p.fee, p.party_id, null, null, null, null, null, null, null, m.name)::ledger.posting] into fees
        from finance.payment_methods m where m.organization_id = p.organization_id and m.id = p.payment_method_id;
    end if;
    perform ledger.post(books, 'money', p.paid_on, p.number, (select q.name from parties.parties q where q.organization_id = p.organization_id and q.id = p.party_id),
        'finance.payments', p.id, 'complete', array[
        row (money, sign * p.base_amount, p.currency, sign * p.amount, p.party_id,
            null, null, null, null, null, null, null, p.reference)::ledger.posting,
        row (ledger.account(case p.direction when 'out' then 'payable' else 'receivable' end), -sign * p.base_amount, p.currency, -sign * p.amount, p.party_id,
            null, null, null, null, null, null, null, p.reference)::ledger.posting] || fees);
end $$;

-- What it is worth is known, and stays, from when it counts; whose books and which rate, from when somebody looks at it.
create function finance.value_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.legal_entity_id := coalesce(new.legal_entity_id, ledger.home());
    new.exchange_rate := coalesce(new.exchange_rate, finance.rate(new.legal_entity_id, new.currency, new.paid_on));
    if new.exchange_rate is null then
        raise exception 'There is no exchange rate of % for %.', new.currency, new.paid_on using errcode = 'AP001', column = 'exchange_rate';
    end if;
    if new.status = 'completed' then
        new.base_amount := finance.in_books(new.legal_entity_id, new.amount, new.exchange_rate);
        new.fee := coalesce((select least(round(new.amount * coalesce(m.fee_percent, 0) / 100 + coalesce(m.fee_amount, 0), new.digits), new.amount) from finance.payment_methods m
            where m.organization_id = new.organization_id and m.id = new.payment_method_id and m.fee_account_id is not null), 0);
    end if;
    return new;
end $$;
create trigger values_insert before insert on finance.payments for each row when (new.status = 'completed') execute function finance.value_payment();
create trigger values_update before update on finance.payments for each row when (new.status in ('submitted', 'completed') and old.status <> new.status)
    execute function finance.value_payment();

create function finance.book_new_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.book_payment(new);
    return null;
end $$;
create trigger books_insert after insert on finance.payments for each row when (new.status = 'completed') execute function finance.book_new_payment();

create function finance.book_posted() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.book_invoice(new);
    return null;
end $$;
create trigger books after update on finance.invoices for each row
    when (old.status = 'draft' and new.status not in ('draft', 'cancelled') and new.kind not in ('PROFORMA', 'RECEIPT')) execute function finance.book_posted();

create function finance.book_allocation(of_allocation uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); a finance.payment_allocations; p finance.payments; i finance.invoices; of_invoice numeric; of_payment numeric; before numeric; places smallint; day date;
begin
    select * into strict a from finance.payment_allocations x where x.organization_id = here and x.id = of_allocation;
    select * into strict p from finance.payments x where x.organization_id = here and x.id = a.payment_id;
    select * into strict i from finance.invoices x where x.organization_id = here and x.id = a.invoice_id;
    if i.base_gross is null or p.base_amount is null then return; end if;    -- came in with a file, and is not in the books yet
    day := greatest(a.allocated_on, p.paid_on, i.issued_on);
    select coalesce(sum(x.amount), 0) into before from finance.payment_allocations x
    where x.organization_id = here and x.payment_id = p.id and x.base_payment is not null and x.reversed_on is null and x.deleted_at is null;
    select e.digits into strict places from ledger.legal_entities e where e.organization_id = here and e.id = p.legal_entity_id;
    of_payment := case when before + a.amount >= p.amount then p.base_amount - p.base_allocated
        else least(round(p.base_amount * a.amount / p.amount, places), p.base_amount - p.base_allocated) end;
    of_invoice := finance.relieve(i.id, a.amount);
    update finance.payments x set base_allocated = x.base_allocated + of_payment where x.organization_id = here and x.id = p.id;
    update finance.payment_allocations x set base_invoice = of_invoice, base_payment = of_payment, counts_on = day, paid_on = p.paid_on, issued_on = i.issued_on
    where x.organization_id = here and x.id = a.id;
    if i.direction = 'in' and p.direction = 'in' then   -- a supplier's money for his credit note: from the receivables to the payables
        perform ledger.post(i.legal_entity_id, 'money', day, p.number, i.number, 'finance.payment_allocations', a.id, 'settle', array[
            row (ledger.account('receivable'), of_payment, i.currency, a.amount, p.party_id, null, null, null, null, null, null, null, null)::ledger.posting,
            row (ledger.account('payable'), -of_invoice, i.currency, -a.amount, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting,
            row (ledger.account(case when of_payment > of_invoice then 'exchange_gain' else 'exchange_loss' end), of_invoice - of_payment, i.currency, 0, i.party_id,
                null, null, null, null, null, null, null, null)::ledger.posting]);
    else
        perform finance.book_difference(i, day, 'finance.payment_allocations', a.id, p.number, of_invoice, of_payment);
    end if;
end $$;

create function finance.unbook_allocation(a finance.payment_allocations) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoices x set relieved = x.relieved - a.amount, base_settled = x.base_settled - a.base_invoice where x.organization_id = a.organization_id and x.id = a.invoice_id;
    update finance.payments x set base_allocated = x.base_allocated - a.base_payment where x.organization_id = a.organization_id and x.id = a.payment_id;
    perform finance.unbook('finance.payment_allocations', a.id, coalesce(a.reversed_on, current_date));
end $$;

-- Takes back what a document has written.
create function finance.unbook(from_source text, from_id uuid, on_day date) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform ledger.reverse(e.id, greatest(on_day, e.entry_on), null) from ledger.journal_entries e
    where e.organization_id = app.organization() and e.source = from_source and e.source_id = from_id and e.reverses_id is null and not e.is_reversed;
end $$;

-- What was brought in with a file as posted is in the books from then on; taken back with its import, no more.
create function finance.book_imported(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices;
begin
    update finance.invoices x set legal_entity_id = coalesce(x.legal_entity_id, ledger.home()), exchange_rate = coalesce(x.exchange_rate, finance.rate(x.legal_entity_id, x.currency, x.issued_on))
    where x.organization_id = here and x.id = of_invoice and x.base_gross is null and x.number is not null and x.kind not in ('PROFORMA', 'RECEIPT') and x.gross > 0;
    if not found then return; end if;
    select * into strict i from finance.invoices x where x.organization_id = here and x.id = of_invoice;
    if i.exchange_rate is null then
        raise exception 'There is no exchange rate of % for %.', i.currency, i.issued_on using errcode = 'AP001', column = 'exchange_rate';
    end if;
    update finance.invoices x set base_gross = finance.in_books(x.legal_entity_id, x.gross, x.exchange_rate) where x.organization_id = here and x.id = of_invoice returning x.* into i;
    perform finance.book_invoice(i);
    perform finance.book_allocation(a.id) from finance.payment_allocations a join finance.payments p on p.organization_id = here and p.id = a.payment_id and p.status = 'completed'
    where a.organization_id = here and a.invoice_id = of_invoice and a.base_invoice is null and a.reversed_on is null and a.deleted_at is null;
end $$;

create function finance.unbook_deleted() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.unbook(tg_argv[0], old.id, current_date);
    return old;
end $$;
create trigger unbooks before delete on finance.invoices for each row when (old.base_gross is not null) execute function finance.unbook_deleted('finance.invoices');
create trigger unbooks before delete on finance.payments for each row when (old.base_amount is not null) execute function finance.unbook_deleted('finance.payments');

-- Writing off: no more than is open. A discount for paying early takes its share of the taxes back, a bad debt does not.
create function finance.check_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare i finance.invoices;
begin
    if tg_op = 'UPDATE' then
        if (to_jsonb(new) - '{reversed_on,base_amount,version,updated_at,updated_by,custom}'::text[]) <> (to_jsonb(old) - '{reversed_on,base_amount,version,updated_at,updated_by,custom}'::text[])
            or old.reversed_on is not null and new.reversed_on is distinct from old.reversed_on then
            raise exception 'What was written off can only be taken back.' using errcode = 'AP001';
        end if;
        return new;
    end if;
    new.reversed_on := null;
    select * into i from finance.invoices x where x.organization_id = new.organization_id and x.id = new.invoice_id for no key update;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT') or i.kind = 'CREDIT_NOTE' and new.kind <> 'withheld' then
        raise exception 'Only a posted invoice can be written off.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if new.amount <> round(new.amount, i.digits) then raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount'; end if;
    if new.amount > i.balance then raise exception 'No more than % is open.', trim_scale(i.balance) using errcode = 'AP001', column = 'amount'; end if;
    if new.taken_on < i.issued_on then raise exception 'Nothing is written off before the invoice was issued.' using errcode = 'AP001', column = 'taken_on'; end if;
    return new;
end $$;
create trigger checks before insert or update on finance.write_offs for each row execute function finance.check_write_off();
create trigger stays before delete on finance.write_offs for each row execute function app.refuse('What was written off can only be taken back.');

create function finance.book_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; i finance.invoices; sign integer; books ledger.legal_entities; base numeric; taxes record; parts numeric[]; bases numeric[]; postings ledger.posting[]; other text;
begin
    if tg_op = 'UPDATE' then
        update finance.invoices x set withheld = x.withheld - case new.kind when 'withheld' then least(new.amount, x.withheld) else 0 end, written_off = x.written_off - new.amount, relieved = x.relieved - new.amount, base_settled = x.base_settled - new.base_amount
        where x.organization_id = here and x.id = new.invoice_id;
        perform finance.unbook('finance.write_offs', new.id, new.reversed_on);
        return null;
    end if;
    update finance.invoices x set written_off = x.written_off + new.amount where x.organization_id = here and x.id = new.invoice_id returning x.* into i;
    base := finance.relieve(i.id, new.amount);
    select * into strict books from ledger.legal_entities e where e.organization_id = here and e.id = i.legal_entity_id;
    sign := case when (i.direction = 'out') = (i.kind <> 'CREDIT_NOTE') then 1 else -1 end;
    other := case when new.kind = 'withheld' then 'withheld' when i.direction = 'in' then 'discount_taken' when new.kind = 'discount' then 'discount_given' else 'bad_debts' end;
    -- Each tax by itself. `of` is what the lines say; of a group, `id` and `rate` are one of its taxes.
    select array_agg(q.id order by q.n) as id, array_agg(q.rate order by q.n) as rate, array_agg(q.is_tax order by q.n) as is_tax, array_agg(q.amount order by q.n) as amount,
        array_agg(q.net order by q.n) as net, array_agg(q.of order by q.n) as of into taxes from (
        select u.*, row_number() over (order by u.of, u.is_tax, u.id, u.rate) as n from (
            select l.tax_id as id, l.tax_rate::numeric as rate, concat_ws(' ', l.tax_id, trim_scale(l.tax_rate)) as of, false as is_tax, sum(l.net) as amount, sum(l.net) as net
            from finance.invoice_lines l where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null and new.kind = 'discount' group by 1, 2, 3
            union all
            select t.tax_id, t.rate, concat_ws(' ', l.tax_id, trim_scale(l.tax_rate)), true, sum(t.amount), sum(l.net)
            from finance.invoice_lines l cross join lateral finance.line_taxes(l) t where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null
              and case new.kind when 'discount' then t.kind in ('standard', 'reduced') when 'withheld' then t.kind = 'withholding' end group by 1, 2, 3
        ) u) q;
    if new.kind = 'discount' and i.tax > 0 or new.kind = 'withheld' and new.amount = (select sum(a) from unnest(taxes.amount) a) then
        parts := ledger.shares(new.amount, taxes.amount, i.digits);
        bases := ledger.shares(base, taxes.amount, books.digits);
        for n in 1 .. cardinality(parts) loop
            postings := postings || row (ledger.account(case when new.kind = 'withheld' or not taxes.is_tax[n] then other when i.direction = 'out' then 'tax_out' else 'tax_in' end),
                sign * bases[n], i.currency, sign * parts[n], i.party_id, null, null, null, taxes.id[n], taxes.rate[n],
                case when new.kind = 'withheld' then sign * finance.in_books(i.legal_entity_id, taxes.net[n], i.exchange_rate)
                     when taxes.is_tax[n] then (select sign * sum(bases[m]) from generate_subscripts(bases, 1) m where taxes.of[m] = taxes.of[n] and not taxes.is_tax[m]) end,
                case when new.kind = 'withheld' then coalesce(i.supplied_on, i.issued_on) else new.taken_on end, new.reason)::ledger.posting;
        end loop;
    else
        postings := array[row (ledger.account(other), sign * base, i.currency, sign * new.amount, i.party_id, null, null, null, null, null, null, null, new.reason)::ledger.posting];
    end if;
    postings := postings || row (ledger.account(case i.direction when 'out' then 'receivable' else 'payable' end), -sign * base, i.currency, -sign * new.amount, i.party_id,
        null, null, null, null, null, null, null, new.reason)::ledger.posting;
    perform ledger.post(i.legal_entity_id, 'general', new.taken_on, i.number, new.reason, 'finance.write_offs', new.id, 'write off', postings);
    update finance.write_offs x set base_amount = base where x.organization_id = here and x.id = new.id;
    return null;
end $$;
create trigger books after insert on finance.write_offs for each row execute function finance.book_write_off();
create trigger unbooks after update on finance.write_offs for each row when (old.reversed_on is null and new.reversed_on is not null)
    execute function finance.book_write_off();

-- Body: {amount?, kind?, taken_on?, reason?}, no amount being all that is open.
create function finance.write_off(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid := app.new_id(); i finance.invoices;
begin
    select * into i from finance.invoices x where x.organization_id = app.organization() and x.id = invoice;
    insert into finance.write_offs (id, invoice_id, kind, amount, taken_on, reason)
    values (made, invoice, coalesce(body ->> 'kind', 'bad_debt'), coalesce(sales.read_number(body, 'amount'), i.balance), coalesce(sales.read_date(body, 'taken_on'), current_date), body ->> 'reason');
    return made;
end $$;

-- A share of a line, so that all shares add up to the line: amount and tax are what is due after this share less what
-- was given before. Price and discounts stay as they were where that gives the same amount.
create function finance.share(quantity numeric, price numeric, discount_percent numeric, discount_amount numeric, tax_rate numeric, inclusive boolean, digits smallint,
    amount numeric, tax numeric, part numeric, before_quantity numeric, before_amount numeric, before_tax numeric,
    out new_price numeric, out new_percent numeric, out new_discount numeric, out new_adjustment numeric) language plpgsql immutable as $$
declare
    due constant numeric := greatest(round(amount * (before_quantity + part) / quantity, digits) - before_amount, 0);
    due_tax constant numeric := greatest(round(tax * (before_quantity + part) / quantity, digits) - before_tax, 0);
begin
    new_price := price;
    new_percent := discount_percent;
    new_discount := round(discount_amount * part / quantity, 6);
    if app.line_gross(part, new_price, new_percent, new_discount, digits) <> due then
        new_price := ceil(due / part * 1000000) / 1000000;
        new_percent := 0;
        new_discount := round(part * new_price - due, 6);
    end if;
    new_adjustment := due_tax - app.line_tax(due, tax_rate, inclusive, digits);
end $$;

-- An order's invoice: what is not invoiced yet, or the lines and quantities that the body names; the freight comes with
-- the first. Body: {lines?: [{id, quantity?}], issued_on?, due_on?}.
create function finance.invoice_order(of_order uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    o sales.orders; l record; made uuid := app.new_id(); s record; freight numeric; any_line boolean := false;
begin
    select * into o from sales.orders x where x.organization_id = here and x.id = of_order for no key update;
    if o.status is null or o.status in ('draft', 'cancelled') then
        raise exception 'Only a confirmed order can be invoiced.' using errcode = 'AP001';
    end if;
    if body ? 'lines' and exists (select from sales.read_lines(body) w where not exists
        (select from sales.order_lines x where x.organization_id = here and x.order_id = of_order and x.id = w.id and x.deleted_at is null)) then
        raise exception 'This line is not of this order.' using errcode = 'AP001', column = 'lines';
    end if;
    insert into finance.invoices (id, direction, kind, party_id, order_id, workspace_id, assigned_to, currency, exchange_rate, prices_include_tax, payment_terms,
        supplied_on, issued_on, due_on, po_number)
    values (made, 'out', 'STANDARD', o.customer_id, o.id, o.workspace_id, o.assigned_to, o.currency, nullif(o.exchange_rate, 1), o.prices_include_tax, o.payment_terms,
        coalesce(o.delivered_on, o.shipped_on), sales.read_date(body, 'issued_on'), sales.read_date(body, 'due_on'), o.customer_reference);
    for l in
        select x.*, case when w.id is null or w.quantity is null then x.quantity - x.invoiced_quantity else w.quantity end as part
        from sales.order_lines x
        left join (select r.id, r.quantity from sales.read_lines(case when body ? 'lines' then body else '{"lines": [{"id": "00000000-0000-0000-0000-000000000000"}]}'::jsonb end) r) w on w.id = x.id
        where x.organization_id = here and x.order_id = of_order and x.deleted_at is null and (w.id is not null or not body ? 'lines')
        order by x.position, x.id
    loop
        if l.part <= 0 then continue; end if;
        select * into s from finance.share(l.quantity, l.price, l.discount_percent, l.discount_amount, l.tax_rate, l.price_includes_tax, l.digits,
            l.amount, l.tax, l.part, l.invoiced_quantity,
            (select coalesce(sum(case when n.kind = 'CREDIT_NOTE' then -x.amount else x.amount end), 0) from finance.invoice_lines x
             join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
             where x.organization_id = here and n.organization_id = here and x.order_line_id = l.id and x.deleted_at is null
               and (finance.counts(n.direction, n.kind, n.status, n.deleted_at) or n.kind = 'CREDIT_NOTE' and n.number is not null)),
            (select coalesce(sum(case when n.kind = 'CREDIT_NOTE' then -x.tax else x.tax end), 0) from finance.invoice_lines x
             join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
             where x.organization_id = here and n.organization_id = here and x.order_line_id = l.id and x.deleted_at is null
               and (finance.counts(n.direction, n.kind, n.status, n.deleted_at) or n.kind = 'CREDIT_NOTE' and n.number is not null)));
        insert into finance.invoice_lines (invoice_id, position, product_id, order_line_id, code, name, description, unit, quantity, price, discount_percent, discount_amount,
            tax_id, tax_rate, price_includes_tax, tax_adjustment)
        values (made, l.position, l.product_id, l.id, l.code, l.name, l.description, l.unit, l.part, s.new_price, s.new_percent, s.new_discount,
            l.tax_id, l.tax_rate, l.price_includes_tax, s.new_adjustment);
        any_line := true;
    end loop;
    select o.shipping_cost - coalesce(sum(case when n.kind = 'CREDIT_NOTE' then -x.gross else x.gross end), 0) into freight
    from finance.invoice_lines x join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
    where x.organization_id = here and n.organization_id = here and n.order_id = of_order and x.is_shipping and x.deleted_at is null
      and (finance.counts(n.direction, n.kind, n.status, n.deleted_at) or n.kind = 'CREDIT_NOTE' and n.number is not null);
    if freight > 0 then
        insert into finance.invoice_lines (invoice_id, is_shipping, name, price, tax_rate, price_includes_tax) values (made, true, 'Shipping', freight, 0, true);
        any_line := true;
    end if;
    if not any_line then raise exception 'All of this order has been invoiced.' using errcode = 'AP001'; end if;
    -- What was ordered at the rate of one day is taxed at that of the day of supply.
    update finance.invoice_lines x set tax_rate = null, tax_adjustment = 0 from finance.invoices n
    where x.organization_id = here and n.organization_id = here and x.invoice_id = made and n.id = made and x.tax_id is not null
      and x.tax_rate = products.tax_rate(x.tax_id, o.ordered_on) and x.tax_rate <> products.tax_rate(x.tax_id, coalesce(n.supplied_on, n.issued_on, current_date));
    return made;
end $$;

-- The invoice of a deal that was won, as a draft: its lines, or its value where it has none. Body: {issued_on?, due_on?}.
create function finance.invoice_deal(of_deal uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d crm.deals; made constant uuid := app.new_id(); lines bigint;
begin
    select * into d from crm.deals x where x.organization_id = here and x.id = of_deal for no key update;
    if d.stage is distinct from 'WON' then raise exception 'Only a deal that was won can be invoiced.' using errcode = 'AP001'; end if;
    insert into finance.invoices (id, direction, kind, party_id, deal_id, assigned_to, workspace_id, currency, reference, supplied_on, issued_on, due_on)
    values (made, 'out', 'STANDARD', d.customer_id, d.id, d.assigned_to, d.workspace_id, d.currency, d.number, d.dealt_on, sales.read_date(body, 'issued_on'), sales.read_date(body, 'due_on'));
    insert into finance.invoice_lines (invoice_id, position, product_id, code, name, unit, quantity, price, discount_percent, discount_amount, tax_id, tax_rate, price_includes_tax)
    select made, l.position, l.product_id, l.code, l.name, l.unit, l.quantity, l.price, l.discount_percent, l.discount_amount, l.tax_id, l.tax_rate, l.price_includes_tax
    from crm.deal_lines l where l.organization_id = here and l.deal_id = of_deal and l.deleted_at is null order by l.position, l.id;
    get diagnostics lines = row_count;
    if lines = 0 and coalesce(d.value, 0) <= 0 then raise exception 'There is nothing to invoice in this deal.' using errcode = 'AP001'; end if;
    if lines = 0 then
        insert into finance.invoice_lines (invoice_id, name, price, tax_rate, price_includes_tax) values (made, coalesce(d.title, d.number), d.value, 0, true);
    end if;
    return made;
end $$;

-- Takes an invoice back, whole or in part, by a credit note, as a draft. Body: {lines: [{id, quantity?}]} or {amount} or
-- nothing, which is all that is left; {reason?, issued_on?}. Shares of a line add up to the line. What a draft takes back
-- already, which may wait for approval, is not taken back twice.
create function finance.credit(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    i finance.invoices; l record; s record; made uuid := app.new_id();
    wanted numeric := sales.read_number(body, 'amount'); given numeric := 0; weight numeric := 0; piece numeric; by_lines numeric; waiting numeric; left_over numeric;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = invoice for no key update;
    if i.number is null or i.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
        raise exception 'Only a posted invoice can be credited.' using errcode = 'AP001';
    end if;
    select coalesce(sum(n.gross), 0) into waiting from finance.invoices n
    where n.organization_id = here and n.credited_invoice_id = invoice and n.status = 'draft' and n.deleted_at is null;
    left_over := i.gross - i.credited - waiting;
    if left_over <= 0 and waiting > 0 then raise exception 'A draft credits the rest of this invoice already.' using errcode = 'AP001'; end if;
    if left_over <= 0 then raise exception 'All of this invoice has been credited.' using errcode = 'AP001'; end if;
    if wanted <= 0 or wanted <> round(wanted, i.digits) then
        raise exception 'This is not an amount in %.', i.currency using errcode = 'AP001', column = 'amount';
    end if;
    if wanted > left_over then raise exception 'No more than % can be credited.', trim_scale(left_over) using errcode = 'AP001', column = 'amount'; end if;
    -- After a credit of an amount, the rest is an amount too.
    select coalesce(sum(x.gross), 0) into by_lines from finance.invoice_lines x join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
    where x.organization_id = here and n.organization_id = here and n.credited_invoice_id = invoice and (n.number is not null or n.status = 'draft' and n.deleted_at is null)
      and x.credited_line_id is not null and x.deleted_at is null;
    if wanted is null and not body ? 'lines' and by_lines <> i.credited + waiting then wanted := left_over; end if;

    insert into finance.invoices (id, direction, kind, party_id, order_id, credited_invoice_id, workspace_id, assigned_to, currency, exchange_rate, prices_include_tax,
        payment_terms, issued_on, supplied_on, supplier_number, reference, note, party_name, party_bin, party_tax_id, party_street, party_city, party_region, party_postal_code, party_country)
    values (made, i.direction, 'CREDIT_NOTE', i.party_id, i.order_id, i.id, i.workspace_id, i.assigned_to, i.currency, i.exchange_rate, i.prices_include_tax,
        'NET_0', sales.read_date(body, 'issued_on'), i.supplied_on, body ->> 'supplier_number', i.number, body ->> 'reason',
        i.party_name, i.party_bin, i.party_tax_id, i.party_street, i.party_city, i.party_region, i.party_postal_code, i.party_country);
    if wanted is not null then
        for l in select x.tax_id, x.tax_rate, sum(x.gross) as gross from finance.invoice_lines x
            where x.organization_id = here and x.invoice_id = invoice and x.deleted_at is null group by 1, 2 order by 3 desc, 2, 1
        loop
            weight := weight + l.gross;
            piece := round(wanted * weight / i.gross, i.digits) - given;
            if piece <= 0 then continue; end if;
            given := given + piece;
            insert into finance.invoice_lines (invoice_id, name, price, tax_id, tax_rate, price_includes_tax)
            values (made, concat_ws(': ', i.number, body ->> 'reason'), piece, l.tax_id, l.tax_rate, true);
        end loop;
    else
        if body ? 'lines' and exists (select from sales.read_lines(body) w where not exists
            (select from finance.invoice_lines x where x.organization_id = here and x.invoice_id = invoice and x.id = w.id and x.deleted_at is null)) then
            raise exception 'This line is not of this invoice.' using errcode = 'AP001', column = 'lines';
        end if;
        for l in
            select x.*, c.quantity as c_quantity, c.amount as c_amount, c.tax as c_tax,
                case when w.id is null or w.quantity is null then x.quantity - c.quantity else w.quantity end as part
            from finance.invoice_lines x
            left join (select r.id, r.quantity from sales.read_lines(case when body ? 'lines' then body else '{"lines": [{"id": "00000000-0000-0000-0000-000000000000"}]}'::jsonb end) r) w on w.id = x.id
            cross join lateral (select coalesce(sum(y.quantity), 0) as quantity, coalesce(sum(y.amount), 0) as amount, coalesce(sum(y.tax), 0) as tax
                from finance.invoice_lines y join finance.invoices n on n.organization_id = y.organization_id and n.id = y.invoice_id
                    and (n.number is not null or n.status = 'draft' and n.deleted_at is null)
                where y.organization_id = here and n.organization_id = here and y.credited_line_id = x.id and y.deleted_at is null) c
            where x.organization_id = here and x.invoice_id = invoice and x.deleted_at is null and (w.id is not null or not body ? 'lines')
            order by x.position, x.id
        loop
            if l.part <= 0 then continue; end if;
            select * into s from finance.share(l.quantity, l.price, l.discount_percent, l.discount_amount, l.tax_rate, l.price_includes_tax, l.digits,
                l.amount, l.tax, l.part, l.c_quantity, l.c_amount, l.c_tax);
            insert into finance.invoice_lines (invoice_id, position, product_id, order_line_id, credited_line_id, is_shipping, code, name, description, unit, quantity, price,
                discount_percent, discount_amount, tax_id, tax_rate, price_includes_tax, tax_adjustment)
            values (made, l.position, l.product_id, l.order_line_id, l.id, l.is_shipping, l.code, l.name, l.description, l.unit, l.part, s.new_price,
                s.new_percent, s.new_discount, l.tax_id, l.tax_rate, l.price_includes_tax, s.new_adjustment);
        end loop;
    end if;
    return made;
end $$;

-- Before an invoice is posted, by whatever way: it is issued today where it has no day, and modules that have a say in it do
-- what they do, by a function of the name <module>.invoice_posts(invoice).
create function finance.prepare(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.lock_deal(i.deal_id) from finance.invoices i where i.organization_id = app.organization() and i.id = of_invoice and i.deal_id is not null;
    update finance.invoices i set issued_on = current_date where i.organization_id = app.organization() and i.id = of_invoice and i.status = 'draft' and i.issued_on is null;
    perform finance.tell_modules('invoice_posts', of_invoice);
end $$;

-- What an action has made goes on by itself, where no rule of approval holds it back.
create function finance.post(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.prepare(of_invoice);
    update finance.invoices i set status = 'sent' where i.organization_id = app.organization() and i.id = of_invoice;
end $$;

create function finance.complete(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.payments p set status = 'completed' where p.organization_id = app.organization() and p.id = payment;
end $$;

-- Whether a payment counts when it is entered, or waits for whoever verifies it.
create function finance.counts_at_once(payment uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select not finance.needs_verification(p.direction, p.workspace_id) from finance.payments p where p.organization_id = app.organization() and p.id = payment);
end $$;

-- Money for one invoice, a refund for a credit note: payment and allocation at once, which do not count yet.
-- Body: {amount?, method?, paid_on?, reference?, transaction_id?, note?}, no amount being all that is open.
create function finance.pay(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; made uuid := app.new_id(); on_day date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = invoice;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001'; end if;
    if i.balance <= 0 then raise exception 'This invoice is settled already.' using errcode = 'AP001'; end if;
    insert into finance.payments (id, direction, party_id, amount, currency, exchange_rate, method, paid_on, reference, transaction_id, note, legal_entity_id, workspace_id)
    values (made, finance.paid_by(i.direction, i.kind), i.party_id, coalesce(sales.read_number(body, 'amount'), i.balance), i.currency,
        coalesce(finance.rate(i.legal_entity_id, i.currency, on_day), i.exchange_rate), coalesce(body ->> 'method', 'BANK_TRANSFER'), on_day,
        coalesce(body ->> 'reference', i.number), body ->> 'transaction_id', body ->> 'note', i.legal_entity_id, i.workspace_id);
    insert into finance.payment_allocations (payment_id, invoice_id, amount, allocated_on)
    select made, pay.invoice, p.amount, on_day from finance.payments p where p.organization_id = here and p.id = made;
    return made;
end $$;

-- Body: {allocations: [{invoice_id, amount}]}, or {invoice_id, amount?}, or nothing: the open invoices of the party, the
-- longest due first, as far as the money goes.
create function finance.allocate(payment uuid, body jsonb) returns numeric language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    p finance.payments; i finance.invoices; wanted jsonb; a record; left_over numeric; piece numeric; given numeric := 0;
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is null or p.status in ('failed', 'cancelled') then raise exception 'A payment that is % pays nothing.', p.status using errcode = 'AP001'; end if;
    left_over := p.unallocated;
    if body ? 'allocations' then wanted := body -> 'allocations';
    elsif body ? 'invoice_id' then wanted := jsonb_build_array(jsonb_build_object('invoice_id', body -> 'invoice_id', 'amount', body -> 'amount'));
    else
        select jsonb_agg(jsonb_build_object('invoice_id', x.id, 'amount', null) order by x.due_on, x.number) into wanted from finance.invoices x
        where x.organization_id = here and x.party_id = p.party_id and x.currency = p.currency and x.number is not null and x.balance > 0 and x.deleted_at is null
          and p.direction = finance.paid_by(x.direction, x.kind);
        if wanted is null or left_over = 0 then raise exception 'There is nothing open to allocate this to.' using errcode = 'AP001'; end if;
    end if;
    if jsonb_typeof(wanted) <> 'array' or exists (select from jsonb_array_elements(wanted) x where jsonb_typeof(x) <> 'object' or x ->> 'invoice_id' is null) then
        raise exception 'Say which invoices.' using errcode = 'AP001', column = 'allocations';
    end if;
    perform 1 from finance.invoices x where x.organization_id = here and x.id in (select sales.read_id(w, 'invoice_id') from jsonb_array_elements(wanted) w)
        order by x.id for no key update;
    perform 1 from sales.orders o where o.organization_id = here and o.id in (select x.order_id from finance.invoices x where x.organization_id = here
        and x.id in (select sales.read_id(w, 'invoice_id') from jsonb_array_elements(wanted) w)) order by o.id for no key update;
    for a in select sales.read_id(w, 'invoice_id') as id, sales.read_number(w, 'amount') as amount from jsonb_array_elements(wanted) with ordinality u (w, n) order by n loop
        select * into i from finance.invoices x where x.organization_id = here and x.id = a.id;
        if not found then raise exception 'There is no such invoice.' using errcode = 'AP001', column = 'invoice_id'; end if;
        piece := coalesce(a.amount, least(i.balance, left_over - given));
        if a.amount is null and piece <= 0 then continue; end if;
        insert into finance.payment_allocations (payment_id, invoice_id, amount) values (payment, a.id, piece);
        given := given + piece;
    end loop;
    return given;
end $$;

-- Takes allocations back: one, or with no `allocation_id` all of the payment. They stay in the books with their day.
create function finance.unallocate(payment uuid, body jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); one constant uuid := sales.read_id(body, 'allocation_id');
begin
    perform 1 from finance.payments p where p.organization_id = here and p.id = payment for no key update;
    perform 1 from finance.invoices i where i.organization_id = here and i.id in (select a.invoice_id from finance.payment_allocations a
        where a.organization_id = here and a.payment_id = payment and (one is null or a.id = one)) order by i.id for no key update;
    update finance.payment_allocations a set reversed_on = greatest(current_date, a.allocated_on)
    where a.organization_id = here and a.payment_id = payment and a.reversed_on is null and a.deleted_at is null and (one is null or a.id = one);
    if not found then raise exception 'There is nothing to take back.' using errcode = 'AP001'; end if;
end $$;

-- For other modules: money that came in or went out, with what it settles. Body: {direction, party_id, amount, currency, paid_on, account_id?,
-- legal_entity_id?, method?, reference?, bank_reference?, allocations?: [{invoice_id, amount}], complete?}; `complete` false leaves it under way.
create function finance.enter_payment(body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); made uuid := app.new_id(); on_day constant date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    insert into finance.payments (id, direction, party_id, amount, currency, exchange_rate, paid_on, account_id, legal_entity_id, method, reference, bank_reference)
    values (made, body ->> 'direction', sales.read_id(body, 'party_id'), sales.read_number(body, 'amount'), body ->> 'currency',
        finance.rate(sales.read_id(body, 'legal_entity_id'), body ->> 'currency', on_day), on_day, sales.read_id(body, 'account_id'), sales.read_id(body, 'legal_entity_id'),
        coalesce(body ->> 'method', 'BANK_TRANSFER'), body ->> 'reference', body ->> 'bank_reference');
    insert into finance.payment_allocations (payment_id, invoice_id, amount, allocated_on)
    select made, sales.read_id(a, 'invoice_id'), sales.read_number(a, 'amount'), on_day
    from jsonb_array_elements(coalesce(body -> 'allocations', '[]')) a order by 2;
    update finance.payments p set status = case when coalesce((body ->> 'complete')::boolean, true) then 'completed' else 'processing' end
    where p.organization_id = here and p.id = made;
    return made;
end $$;

-- The bank says that a payment under way was made: on which day, and from which account.
create function finance.finish_payment(payment uuid, on_day date, account uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.payments p set status = 'completed', paid_on = on_day, account_id = account where p.organization_id = app.organization() and p.id = payment;
end $$;

create function finance.cancel_payment(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.payments p set status = 'cancelled' where p.organization_id = app.organization() and p.id = payment and p.status <> 'cancelled';
end $$;

create function finance.undo_write_off(write_off uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.write_offs w set reversed_on = greatest(w.taken_on, current_date)
    where w.organization_id = app.organization() and w.id = write_off and w.reversed_on is null;
end $$;

-- The paper for a completed payment.
create function finance.receipt(payment uuid) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); p finance.payments; made uuid := app.new_id();
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is distinct from 'completed' or p.direction <> 'in' or p.reverses_id is not null then
        raise exception 'A receipt is given for money that has come in.' using errcode = 'AP001';
    end if;
    insert into finance.invoices (id, direction, kind, party_id, payment_id, workspace_id, assigned_to, currency, exchange_rate, issued_on, payment_terms, reference)
    values (made, 'out', 'RECEIPT', p.party_id, p.id, p.workspace_id, coalesce(p.submitted_by, app.actor()), p.currency, p.exchange_rate, greatest(p.paid_on, current_date), 'NET_0', p.number);
    insert into finance.invoice_lines (invoice_id, name, price, tax_rate, price_includes_tax) values (made, concat_ws(' ', p.number, p.reference), p.amount, 0, true);
    update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made;
    return made;
end $$;

-- What a party owes us, less what we owe it back, in the currency of the books, see parties.exposure.
create function finance.party_exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(case when i.kind = 'CREDIT_NOTE' then -1 else 1 end * coalesce(i.base_gross - i.base_settled, round(i.balance * i.exchange_rate, 2))), 0) from finance.invoices i
            where i.organization_id = app.organization() and i.party_id = party and i.direction = 'out' and i.number is not null and i.balance > 0 and i.deleted_at is null)
         - (select coalesce(sum(case p.direction when 'in' then 1 else -1 end * coalesce(p.base_amount - p.base_allocated, round((p.amount - p.allocated) * p.exchange_rate, 2))), 0)
            from finance.payments p where p.organization_id = app.organization() and p.party_id = party and p.direction in ('in', 'refund') and p.status = 'completed'
              and p.amount <> p.allocated and p.deleted_at is null);
end $$;

-- DEFINITIONS 8. What was open on a day is what is open now with everything taken back that has happened since: so today
-- costs as much as there is open, and a day of the past what has moved since. All of it runs with the rights of whoever
-- asks. `base` is the same in the currency of the books.
create index allocations_day on finance.payment_allocations (organization_id, counts_on)
    include (paid_on, issued_on, invoice_id, payment_id, amount, base_invoice, base_payment, owner_id, workspace_id)
    where reversed_on is null and deleted_at is null and counts_on is not null;
create index allocations_reversed on finance.payment_allocations (organization_id, reversed_on) where reversed_on is not null;
create index invoices_credits on finance.invoices (organization_id, issued_on) where kind = 'CREDIT_NOTE' and credit_applied > 0;
create index payments_loose on finance.payments (organization_id, party_id) where amount <> allocated;
create index payments_voided on finance.payments (organization_id, paid_on) where status = 'cancelled' and base_amount is not null;

create function finance.open_invoices(of_direction text, as_of date)
returns table (id uuid, party_id uuid, currency text, is_credit boolean, issued_on date, due_on date, gross numeric, amount numeric, base numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := app.organization();
begin
    return query
    with moved as (
        select a.invoice_id, a.amount, a.base_invoice as base from finance.payment_allocations a
        where a.organization_id = here and a.counts_on > as_of and a.issued_on <= as_of and a.reversed_on is null and a.deleted_at is null
        union all
        select a.invoice_id, -a.amount, -a.base_invoice from finance.payment_allocations a
        where a.organization_id = here and a.reversed_on > as_of and a.counts_on <= as_of and a.deleted_at is null
        union all
        select w.invoice_id, case when w.reversed_on is null then w.amount else -w.amount end, case when w.reversed_on is null then w.base_amount else -w.base_amount end
        from finance.write_offs w where w.organization_id = here
          and case when w.reversed_on is null then w.taken_on > as_of else w.reversed_on > as_of and w.taken_on <= as_of end
        union all
        -- What a credit note is worth in the books is its own share of them; the rest was written as a difference. One from
        -- before its invoice stood by itself until then.
        select case when n.issued_on > as_of then n.credited_invoice_id else n.id end, n.credit_applied,
            case when n.credit_applied >= n.gross then n.base_gross else round(n.base_gross * n.credit_applied / n.gross, e.digits) end
            - coalesce((select sum(l.debit - l.credit) from ledger.journal_entries j join ledger.journal_entry_lines l on l.organization_id = here and l.entry_id = j.id
                        join ledger.ledger_accounts c on c.organization_id = here and c.id = l.account_id and c.purpose in ('receivable', 'payable')
                        where j.organization_id = here and j.source = 'finance.invoices' and j.source_id = n.id and j.event = 'settle' and j.reverses_id is null and not j.is_reversed), 0)
              * case n.direction when 'out' then 1 else -1 end
        from finance.invoices n join ledger.legal_entities e on e.organization_id = here and e.id = n.legal_entity_id
        join finance.invoices o on o.organization_id = here and o.id = n.credited_invoice_id
        where n.organization_id = here and n.credit_applied > 0 and n.kind = 'CREDIT_NOTE' and n.number is not null and (n.issued_on > as_of or o.issued_on > as_of)
    ), back as (
        select m.invoice_id, sum(m.amount) as amount, sum(m.base) as base from moved m group by 1
    ), told as materialized (
        -- A full join is never made row against row, however few rows are expected of a side.
        select i.*, b.invoice_id as moved, b.amount, b.base from back b full join (
            select i.id, i.party_id, i.currency, i.kind = 'CREDIT_NOTE', i.issued_on, i.due_on, i.gross::numeric, i.balance,
                coalesce(i.base_gross - i.base_settled, round(i.balance * i.exchange_rate, 2))
            from finance.invoices i
            where i.organization_id = here and i.direction = of_direction and i.number is not null and i.issued_on <= as_of and i.balance > 0
              and i.status in ('sent', 'viewed', 'partial') and i.deleted_at is null
        ) i (id, party_id, currency, is_credit, issued_on, due_on, gross, balance, open_base) on i.id = b.invoice_id
    )
    select t.id, t.party_id, t.currency, t.is_credit, t.issued_on, t.due_on, t.gross, t.balance + coalesce(t.amount, 0), t.open_base + coalesce(t.base, 0)
    from told t where t.id is not null
    union all
    select i.id, i.party_id, i.currency, i.kind = 'CREDIT_NOTE', i.issued_on, i.due_on, i.gross::numeric, t.amount, coalesce(i.base_gross - i.base_settled, 0) + coalesce(t.base, 0)
    from told t join finance.invoices i on i.organization_id = here and i.id = t.moved
    where t.id is null and i.organization_id = here and i.direction = of_direction and i.issued_on <= as_of and i.balance = 0 and t.amount <> 0 and i.deleted_at is null;
end $$;

-- Money of a day that settled nothing then: what came in less than nothing, what was given back more.
create function finance.loose_payments(of_direction text, as_of date) returns table (id uuid, party_id uuid, currency text, amount numeric, base numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    here constant uuid := app.organization();
    ways constant text[] := case of_direction when 'out' then '{in,refund}' else '{out}' end;
begin
    return query
    with back as materialized (
        select m.payment_id, sum(m.amount) as amount, sum(m.base) as base from (
            select a.payment_id, a.amount, a.base_payment as base from finance.payment_allocations a
            where a.organization_id = here and a.counts_on > as_of and a.paid_on <= as_of and a.reversed_on is null and a.deleted_at is null
            union all
            select a.payment_id, -a.amount, -a.base_payment from finance.payment_allocations a
            where a.organization_id = here and a.reversed_on > as_of and a.counts_on <= as_of and a.deleted_at is null
        ) m group by 1
    ), loose as (
        select p.id, p.party_id, p.currency, p.direction, p.amount - p.allocated + coalesce(b.amount, 0) as amount,
            coalesce(p.base_amount - p.base_allocated, round((p.amount - p.allocated) * p.exchange_rate, 2)) + coalesce(b.base, 0) as base
        from finance.payments p left join back b on b.payment_id = p.id
        where p.organization_id = here and p.amount <> p.allocated and p.status = 'completed' and p.paid_on <= as_of and p.direction = any (ways) and p.deleted_at is null
        union all
        select p.id, p.party_id, p.currency, p.direction, b.amount, coalesce(p.base_amount - p.base_allocated, 0) + coalesce(b.base, 0)
        from back b join finance.payments p on p.organization_id = here and p.id = b.payment_id
        where p.organization_id = here and p.amount = p.allocated and p.status = 'completed' and p.paid_on <= as_of and p.direction = any (ways) and p.deleted_at is null
        union all
        -- Voided since.
        select p.id, p.party_id, p.currency, p.direction, p.amount + coalesce(b.amount, 0), p.base_amount + coalesce(b.base, 0)
        from finance.payments p left join back b on b.payment_id = p.id
        where p.organization_id = here and p.status = 'cancelled' and p.base_amount is not null and p.paid_on <= as_of and p.direction = any (ways) and p.deleted_at is null
          and (select max(h.at)::date from app.audit h where h.organization_id = here and h.entity = 'finance.payments' and h.record_id = p.id
               and h.new ->> 'status' = 'cancelled') > as_of
    )
    select l.id, l.party_id, l.currency, case l.direction when 'refund' then l.amount else -l.amount end, case l.direction when 'refund' then l.base else -l.base end
    from loose l where l.amount <> 0 or l.base <> 0;
end $$;

-- `limits` are the upper ends of the buckets, `grain` is customer, invoice or instalment. An invoice due in instalments
-- stands in the buckets with each of them. Credit that settles nothing and money that is not allocated stand apart,
-- negative; `credit` is how much of that are credit notes.
create function finance.invoice_aging(of_direction text, as_of date, basis text, limits integer[], grain text, in_base boolean)
returns table (party_id uuid, party_name text, currency text, invoice_id uuid, number text, due_on date, not_due numeric, buckets numeric[], unallocated numeric, credit numeric, total numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    here constant uuid := app.organization();
    home text; places smallint;
begin
    select e.currency, e.digits into home, places from ledger.legal_entities e where e.organization_id = here and e.is_default and e.deleted_at is null;
    home := coalesce(home, parties.home_currency(here));
    places := coalesce(places, app.digits(home));
    return query
    with open as materialized (
        select * from finance.open_invoices(of_direction, as_of)
    ), split as (
        select o.id, n.due_on, least(n.amount, greatest(n.upto - (o.gross - o.amount), 0)) as amount, o.amount as whole, o.base
        from open o join lateral (select x.due_on, x.amount, sum(x.amount) over (order by x.position) as upto from finance.instalments x
                                  where x.organization_id = here and x.invoice_id = o.id) n on true where not o.is_credit
    ), parts as (
        -- Of the books, each has what it has come to so far less what those before it had.
        select s.id, s.due_on, s.amount, round(s.base * sum(s.amount) over w / nullif(s.whole, 0), places)
            - round(s.base * (sum(s.amount) over w - s.amount) / nullif(s.whole, 0), places) as base
        from split s window w as (partition by s.id order by s.due_on, s.amount rows unbounded preceding)
    ), items as (
        select o.party_id, o.currency, o.id as invoice_id, o.due_on, case when o.is_credit then -1 else as_of - case basis when 'issue' then o.issued_on else o.due_on end end as age,
            case when o.is_credit then 1 else 0 end as kind, case when o.is_credit then -o.amount else o.amount end as amount, case when o.is_credit then -o.base else o.base end as base
        from open o where o.is_credit or not exists (select from finance.instalments x where x.organization_id = here and x.invoice_id = o.id)
        union all
        select o.party_id, o.currency, o.id, p.due_on, as_of - case basis when 'issue' then o.issued_on else p.due_on end, 0, p.amount, p.base
        from parts p join open o on o.id = p.id where p.amount > 0
        union all
        select l.party_id, l.currency, null, null, -1, 2, l.amount, l.base from finance.loose_payments(of_direction, as_of) l
    ), counted as (
        select i.party_id, case when in_base then home else i.currency end as currency, case when grain <> 'customer' then i.invoice_id end as invoice_id,
            case when grain = 'instalment' then i.due_on end as due_on,
            case when i.kind = 1 then -1 when i.kind = 2 then -2 when i.age <= 0 then 0 else 1 + width_bucket(i.age - 1, limits) end as place,
            sum(case when in_base then i.base else i.amount end) as amount
        from items i group by 1, 2, 3, 4, 5
    ), summed as (
        select c.party_id, c.currency, c.invoice_id, c.due_on, coalesce(sum(c.amount) filter (where c.place = 0), 0) as fresh,
            array_agg(c.place) as places, array_agg(c.amount) as amounts, coalesce(sum(c.amount) filter (where c.place < 0), 0) as loose,
            coalesce(sum(c.amount) filter (where c.place = -1), 0) as notes, sum(c.amount) as whole, bool_or(c.amount <> 0) as is_any
        from counted c group by 1, 2, 3, 4
    )
    select s.party_id, q.name, s.currency, s.invoice_id, i.number, coalesce(s.due_on, i.due_on), s.fresh,
        array(select coalesce((select sum(u.amount) from unnest(s.places, s.amounts) u (place, amount) where u.place = n), 0) from generate_series(1, cardinality(limits) + 1) n order by n),
        s.loose, s.notes, s.whole
    from summed s join parties.parties q on q.organization_id = here and q.id = s.party_id
    left join finance.invoices i on i.organization_id = here and i.id = s.invoice_id
    where s.is_any order by case when grain = 'customer' then s.whole end desc, q.name, coalesce(s.due_on, i.due_on), i.number;
end $$;

-- What the control account says on the evening of a day, without what a revaluation of that day takes back on the next.
create function finance.control_balance(of_direction text, as_of date) returns numeric language plpgsql stable set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); of_account uuid := ledger.account(case of_direction when 'out' then 'receivable' else 'payable' end);
begin
    return coalesce((select sum(s.debit - s.credit) from ledger.sums('-infinity', as_of, null, true) s where s.account_id = of_account), 0)
         - coalesce((select sum(l.debit - l.credit) from ledger.journal_entries e join ledger.journal_entry_lines l on l.organization_id = here and l.entry_id = e.id and l.account_id = of_account
                     where e.organization_id = here and e.entry_on = as_of and e.source = 'ledger.legal_entities' and e.status = 'posted'), 0);
end $$;

-- For `fondaco verify`: what does not follow from what it should follow from. Whoever asks sees what he may see.
create function finance.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query with allocations as (
        select a.organization_id, a.invoice_id, a.payment_id, a.amount, p.status from finance.payment_allocations a
        join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
        where a.reversed_on is null and a.deleted_at is null
    ), numbers as (
        select i.organization_id, substring(i.number from '^(.*?)[0-9]+$') as prefix, substring(i.number from '([0-9]{1,18})$')::bigint as n
        from finance.invoices i where i.number ~ '[0-9]$'
    )
    select i.organization_id, format('invoice %s: paid is %s, its allocations are %s', coalesce(i.number, i.id::text), i.paid, coalesce(a.sum, 0))
    from finance.invoices i
    left join (select organization_id, invoice_id, sum(amount) from allocations where status = 'completed' group by 1, 2) a
        on a.organization_id = i.organization_id and a.invoice_id = i.id
    where i.paid <> coalesce(a.sum, 0)
    union all
    select p.organization_id, format('payment %s: allocated is %s, its allocations are %s', p.number, p.allocated, coalesce(a.sum, 0))
    from finance.payments p
    left join (select organization_id, payment_id, sum(amount) from allocations group by 1, 2) a on a.organization_id = p.organization_id and a.payment_id = p.id
    where p.allocated <> coalesce(a.sum, 0)
    union all
    select p.organization_id, format('payment %s: reversed is %s, its reversals come to %s', p.number, p.reversed, coalesce(r.sum, 0))
    from finance.payments p
    left join (select organization_id, reverses_id, sum(amount) from finance.payments where status = 'completed' and deleted_at is null group by 1, 2) r
        on r.organization_id = p.organization_id and r.reverses_id = p.id
    where p.reversed <> coalesce(r.sum, 0)
    union all
    select d.organization_id, format('deal %s: paid is %s, its payments say %s', d.number, d.paid, coalesce(p.sum, 0))
    from crm.deals d
    left join (select organization_id, deal_id, sum(case when reverses_id is null then amount else -amount end) from finance.payments
               where status = 'completed' and deleted_at is null and deal_id is not null group by 1, 2) p on p.organization_id = d.organization_id and p.deal_id = d.id
    where d.paid <> coalesce(p.sum, 0)
    union all
    select p.organization_id, format('payment %s: verified by who submitted it', p.number) from finance.payments p
    where p.verified_at is not null and (p.verified_by is null or p.verified_by in (p.submitted_by, p.created_by))
    union all
    select o.organization_id, format('order %s: paid is %s, its invoices say %s', o.number, o.paid, coalesce(i.sum, 0))
    from sales.orders o
    left join (select organization_id, order_id, sum(case when kind = 'CREDIT_NOTE' then -paid else paid end) from finance.invoices
               where direction = 'out' and order_id is not null group by 1, 2) i on i.organization_id = o.organization_id and i.order_id = o.id
    where o.paid <> coalesce(i.sum, 0)
    union all
    select i.organization_id, format('invoice %s is not in the books', i.number) from finance.invoices i
    where i.number is not null and i.status <> 'cancelled' and i.kind not in ('PROFORMA', 'RECEIPT') and i.gross > 0 and (i.base_gross is null or not exists (
        select from ledger.journal_entries e where e.organization_id = i.organization_id and e.source = 'finance.invoices' and e.source_id = i.id and e.event = 'post'
            and e.reverses_id is null and not e.is_reversed))
    union all
    select p.organization_id, format('payment %s is not in the books', p.number) from finance.payments p
    where p.status = 'completed' and (p.base_amount is null or not exists (select from ledger.journal_entries e where e.organization_id = p.organization_id
        and e.source = 'finance.payments' and e.source_id = p.id and e.event = 'complete' and e.reverses_id is null and not e.is_reversed))
    union all
    -- The first line of its entry is the account of the money, the last two its fee.
    select p.organization_id, format('payment %s: its fee is %s, the books say %s', p.number, p.fee, coalesce(l.fee, 0)) from finance.payments p
    join ledger.journal_entries e on e.organization_id = p.organization_id and e.source = 'finance.payments' and e.source_id = p.id and e.event = 'complete' and e.reverses_id is null and not e.is_reversed
    left join lateral (select sum(x.currency_amount) as fee from ledger.journal_entry_lines x where x.organization_id = e.organization_id and x.entry_id = e.id and x.position = 3) l on true
    where p.status = 'completed' and p.fee <> coalesce(l.fee, 0)
    union all
    select i.organization_id, format('invoice %s: written off is %s, its write-offs are %s', i.number, i.written_off, coalesce(w.sum, 0)) from finance.invoices i
    left join (select organization_id, invoice_id, sum(amount) from finance.write_offs where reversed_on is null group by 1, 2) w
        on w.organization_id = i.organization_id and w.invoice_id = i.id
    where i.written_off <> coalesce(w.sum, 0)
    union all
    -- The control accounts are what is open with each party, in each currency and in that of the books.
    select q.organization_id, format('%s of %s in %s: the account says %s (%s), the documents %s (%s)', q.purpose, coalesce(n.name, 'nobody'), q.currency,
        sum(q.amount) filter (where q.is_line), sum(q.base) filter (where q.is_line), sum(q.amount) filter (where not q.is_line), sum(q.base) filter (where not q.is_line))
    from (
        select l.organization_id, a.purpose, l.party_id, l.currency, l.currency_amount as amount, l.debit - l.credit as base, true as is_line
        from ledger.journal_entry_lines l join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id and a.purpose in ('receivable', 'payable')
        where l.period_id is not null
          and not exists (select from ledger.journal_entries e where e.organization_id = l.organization_id and e.id = l.entry_id and e.source = 'ledger.legal_entities')
        union all
        select i.organization_id, case i.direction when 'out' then 'receivable' else 'payable' end, i.party_id, i.currency,
            x.sign * (i.gross - i.relieved), x.sign * (i.base_gross - i.base_settled), false
        from finance.invoices i cross join lateral (select case when (i.direction = 'out') = (i.kind <> 'CREDIT_NOTE') then 1 else -1 end as sign) x
        where i.base_gross is not null and i.kind not in ('PROFORMA', 'RECEIPT')
        union all
        select p.organization_id, case p.direction when 'out' then 'payable' else 'receivable' end, p.party_id, p.currency,
            x.sign * (p.amount - coalesce((select sum(a.amount) from finance.payment_allocations a where a.organization_id = p.organization_id and a.payment_id = p.id
                and a.base_payment is not null and a.reversed_on is null and a.deleted_at is null), 0)), x.sign * (p.base_amount - p.base_allocated), false
        from finance.payments p cross join lateral (select case p.direction when 'in' then -1 else 1 end as sign) x
        where p.base_amount is not null and p.status = 'completed'
    ) q left join parties.parties n on n.organization_id = q.organization_id and n.id = q.party_id
    group by q.organization_id, q.purpose, q.party_id, n.name, q.currency
    having coalesce(sum(q.amount) filter (where q.is_line), 0) <> coalesce(sum(q.amount) filter (where not q.is_line), 0)
        or coalesce(sum(q.base) filter (where q.is_line), 0) <> coalesce(sum(q.base) filter (where not q.is_line), 0)
    union all
    select l.organization_id, format('order line %s: invoiced is %s, its invoices say %s', l.id, l.invoiced_quantity, coalesce(i.sum, 0))
    from sales.order_lines l
    left join (select x.organization_id, x.order_line_id, sum(case when finance.counts(i.direction, i.kind, i.status, i.deleted_at) then x.quantity
                   when i.direction = 'out' and i.kind = 'CREDIT_NOTE' and i.number is not null and i.credited_invoice_id is not null then -x.quantity else 0 end)
               from finance.invoice_lines x join finance.invoices i on i.organization_id = x.organization_id and i.id = x.invoice_id
               where x.order_line_id is not null and x.deleted_at is null group by 1, 2) i on i.organization_id = l.organization_id and i.order_line_id = l.id
    where l.invoiced_quantity <> coalesce(i.sum, 0)
    union all
    -- Of series that the counters keep; numbers that came in with a file are theirs.
    select c.organization_id, format('%s: %s numbers were given, %s are there', n.prefix, c.last, count(distinct n.n))
    from app.counters c join numbers n on n.organization_id = c.organization_id and n.prefix = c.series || '-'
    where c.period = '' and n.n <= c.last group by 1, n.prefix, c.last having count(distinct n.n) <> c.last;
end $$;
comment on function finance.verify() is 'Balances that are not the sum of what made them, and numbers that are missing.';

-- An invoice that is due in parts, as its terms of payment say. What settles it settles the first part first.
create table finance.instalments (
    like app.record including all,
    invoice_id  uuid not null,
    position    integer not null,
    due_on      date not null,
    amount      app.money not null constraint amount_is_positive check (amount > 0),
    constraint instalments_invoice foreign key (organization_id, invoice_id) references finance.invoices on delete cascade
);
comment on table finance.instalments is 'A part of an invoice that is due on a day of its own.';
comment on constraint amount_is_positive on finance.instalments is 'An amount must be more than nothing.';
select app.enroll_part('finance.instalments', 'finance.invoices', 'invoice_id');
select app.derive('finance.instalments', '{position,due_on,amount}');
create trigger stays before insert or update or delete on finance.instalments for each row when (current_user = 'app_user')
    execute function app.refuse('Instalments follow from the terms of payment.');

-- For other modules: the parts that a draft is due in when it is posted; the last of them is its due date. Adding up is
-- theirs to see to, and checked here.
create function finance.set_instalments(of_invoice uuid, on_day date, days date[], amounts numeric[]) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = of_invoice for no key update;
    if i.status is distinct from 'draft' then raise exception 'Only a draft can be given terms of payment.' using errcode = 'AP001'; end if;
    if (select sum(a) from unnest(amounts) a) <> i.gross then raise exception 'The instalments do not come to the whole of the invoice.' using errcode = 'AP001'; end if;
    delete from finance.instalments x where x.organization_id = here and x.invoice_id = of_invoice;
    insert into finance.instalments (invoice_id, position, due_on, amount)
    select of_invoice, row_number() over (order by d, n), d, a from unnest(days, amounts) with ordinality u (d, a, n) where a > 0 and cardinality(days) > 1;
    update finance.invoices x set issued_on = on_day, due_on = (select max(d) from unnest(days) d) where x.organization_id = here and x.id = of_invoice;
end $$;
revoke execute on function finance.set_instalments(uuid, date, date[], numeric[]) from public;

-- For other modules: a draft with its lines, each as the API takes it.
create function finance.draft(head jsonb, lines jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid := app.new_id();
begin
    insert into finance.invoices (id, direction, kind, party_id, assigned_to, workspace_id, issued_on, due_on, supplied_on, payment_terms, currency, exchange_rate,
        prices_include_tax, supplier_number, po_number, contract_number, reference, terms, note)
    select made, coalesce(h.direction, 'out'), coalesce(h.kind, 'STANDARD'), h.party_id, h.assigned_to, h.workspace_id, h.issued_on, h.due_on, h.supplied_on, h.payment_terms,
        h.currency, h.exchange_rate, h.prices_include_tax, h.supplier_number, h.po_number, h.contract_number, h.reference, h.terms, h.note
    from jsonb_populate_record(null::finance.invoices, head) h;
    insert into finance.invoice_lines (invoice_id, position, product_id, name, description, unit, quantity, price, discount_percent, discount_amount, tax_id, tax_rate,
        price_includes_tax, tax_adjustment, account_id)
    select made, u.n, l.product_id, l.name, l.description, l.unit, coalesce(l.quantity, 1), l.price, coalesce(l.discount_percent, 0), coalesce(l.discount_amount, 0), l.tax_id, l.tax_rate,
        l.price_includes_tax, coalesce(l.tax_adjustment, 0), l.account_id
    from jsonb_array_elements(lines) with ordinality u (line, n), jsonb_populate_record(null::finance.invoice_lines, u.line) l order by u.n;
    return made;
end $$;
revoke execute on function finance.draft(jsonb, jsonb) from public;

-- For other modules: what became of the electronic invoice.
create function finance.note_esf(of_invoice uuid, of_number text, of_status text, on_day date) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoices i set esf_number = coalesce(of_number, i.esf_number), esf_status = of_status, esf_on = on_day
    where i.organization_id = app.organization() and i.id = of_invoice;
end $$;
revoke execute on function finance.note_esf(uuid, text, text, date) from public;
