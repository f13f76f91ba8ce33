-- Invoices, payments, what settles what and what is written off are entries in the books, those of before too.

alter table finance.invoices
    drop column balance,
    drop constraint paid_within_gross,
    drop constraint settled_not_negative,
    alter column exchange_rate drop default,
    alter column exchange_rate drop not null,
    add column written_off app.money not null default 0,
    add column legal_entity_id uuid,
    add column base_gross app.money,
    add column base_settled app.money not null default 0,
    add column relieved app.money not null default 0;
alter table finance.invoices
    add column balance app.money generated always as (case when kind in ('PROFORMA', 'RECEIPT') then 0 else gross - paid - credit_applied - written_off end) stored,
    add constraint paid_within_gross check (paid + credit_applied + written_off <= gross),
    add constraint settled_not_negative check (paid >= 0 and credited >= 0 and credit_applied >= 0 and written_off >= 0),
    add constraint invoices_legal_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities;
create index invoices_legal_entity_id_fk on finance.invoices (organization_id, legal_entity_id);
create index invoices_due on finance.invoices (organization_id, due_on) where balance > 0 and number is not null;
comment on column finance.invoices.written_off is 'What nobody expects any more: bad debts, discounts for paying early, small differences.';
comment on column finance.invoices.legal_entity_id is 'In whose books it is; empty: the default one.';
comment on column finance.invoices.base_gross is 'The whole in the currency of the books, since it was posted.';
comment on column finance.invoices.base_settled is 'How much of that has been settled.';
comment on column finance.invoices.relieved is 'The same in its own currency.';
comment on column finance.invoices.balance is 'What is still to be paid, or of a credit note, still to be paid back.';
comment on column finance.invoices.exchange_rate is 'What one unit of the invoice''s currency is worth in the currency of our books; empty: that of the day.';
comment on constraint paid_within_gross on finance.invoices is 'No more can be paid on an invoice than is open.';
comment on constraint settled_not_negative on finance.invoices is 'Less than nothing cannot be paid or credited.';

alter table finance.invoice_lines
    add column account_id uuid,
    add column project_id uuid,
    add column department_id uuid,
    add constraint invoice_lines_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    add constraint invoice_lines_project foreign key (organization_id, project_id) references ledger.dimensions,
    add constraint invoice_lines_department foreign key (organization_id, department_id) references ledger.dimensions;
create index invoice_lines_account_id_fk on finance.invoice_lines (organization_id, account_id);
create index invoice_lines_project_id_fk on finance.invoice_lines (organization_id, project_id);
create index invoice_lines_department_id_fk on finance.invoice_lines (organization_id, department_id);
comment on column finance.invoice_lines.account_id is 'Where it is written; empty: where its product''s category says, or on the account for sales or purchases.';

-- What a payment is worth in the books is known when it counts, no sooner.
alter table finance.payments
    drop column base_amount,
    alter column exchange_rate drop default,
    alter column exchange_rate drop not null,
    add column base_amount app.money,
    add column base_allocated app.money not null default 0,
    add column legal_entity_id uuid,
    add column account_id uuid,
    add constraint payments_legal_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    add constraint payments_account foreign key (organization_id, account_id) references ledger.ledger_accounts;
create index payments_legal_entity_id_fk on finance.payments (organization_id, legal_entity_id);
create index payments_account_id_fk on finance.payments (organization_id, account_id);
comment on column finance.payments.exchange_rate is 'What one unit of its currency is worth in the currency of our books; empty: that of the day.';
comment on column finance.payments.base_amount is 'In the currency of the books, since it counts.';
comment on column finance.payments.base_allocated is 'How much of that is allocated.';
comment on column finance.payments.legal_entity_id is 'In whose books it is; empty: the default one.';
comment on column finance.payments.account_id is 'The bank account or cash desk; empty: the one for the method.';

alter table finance.payment_allocations add column base_invoice app.money, add column base_payment app.money;
comment on column finance.payment_allocations.base_invoice is 'What it settles of the invoice, in the currency of the books.';
comment on column finance.payment_allocations.base_payment is 'What it takes of the payment, in the currency of the books.';

create table finance.write_offs (
    like app.record including all,
    invoice_id   uuid not null,
    kind         text not null default 'bad_debt' check (kind in ('bad_debt', 'discount', 'difference')),
    amount       app.money not null constraint amount_is_positive check (amount > 0),
    taken_on     date not null default current_date,
    reason       text constraint reason_is_short check (length(reason) <= 500),
    reversed_on  date,
    base_amount  app.money,
    constraint write_offs_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint reversed_after_taken check (reversed_on >= taken_on)
);
comment on table finance.write_offs is 'What is not expected of an invoice any more: a bad debt, a discount for paying early, a small difference.';
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
select app.enroll('finance.write_offs');
select app.enroll('finance.category_accounts');
select app.derive('finance.invoices', '{written_off,base_gross,base_settled,relieved}');
select app.derive('finance.payments', '{base_amount,base_allocated}');
select app.derive('finance.payment_allocations', '{base_invoice,base_payment}');
select app.derive('finance.write_offs', '{invoice_id,kind,amount,taken_on,reason,reversed_on,base_amount}');

drop trigger closed on finance.invoices;
create trigger closed after update on finance.invoices for each row when (old.status <> all ('{draft}'))
    execute function app.check_closed('paid', 'credited', 'credit_applied', 'written_off', 'balance', 'base_gross', 'base_settled', 'relieved', 'assigned_to', 'note', 'internal_note', 'tags', 'esf_number', 'esf_status', 'esf_on', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');

create function finance.rate(of_entity uuid, of_currency text, on_day date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); books text;
begin
    select e.currency into books from ledger.legal_entities e where e.organization_id = here and e.deleted_at is null
        and (e.id = of_entity or of_entity is null and e.is_default);
    books := coalesce(books, parties.home_currency(here));
    return case when of_currency = books then 1 else ledger.rate(of_currency, books, coalesce(on_day, current_date)) end;
end $$;

create function finance.in_books(of_entity uuid, amount numeric, rate numeric) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select round(amount * rate, e.digits) from ledger.legal_entities e where e.organization_id = app.organization() and e.id = of_entity);
end $$;

create function finance.product_account(of_product uuid, of_direction text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); shelf uuid; found_one uuid;
begin
    select p.category_id into shelf from products.products p where p.organization_id = here and p.id = of_product;
    while shelf is not null loop
        select a.account_id into found_one from finance.category_accounts a
        where a.organization_id = here and a.category_id = shelf and a.direction = of_direction and a.deleted_at is null;
        if found then return found_one; end if;
        select c.parent_id into shelf from products.categories c where c.organization_id = here and c.id = shelf;
    end loop;
    return null;
end $$;

create function finance.book_invoice(i finance.invoices) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := i.organization_id;
    sign constant integer := case when (i.direction = 'out') = (i.kind <> 'CREDIT_NOTE') then 1 else -1 end;
    books ledger.legal_entities; control uuid; usual uuid; sides record; shares numeric[]; postings ledger.posting[]; old_business boolean;
begin
    select * into strict books from ledger.legal_entities e where e.organization_id = here and e.id = i.legal_entity_id;
    old_business := coalesce(i.issued_on < books.books_from, false);
    control := ledger.account(case when i.direction = 'out' then 'receivable' else 'payable' end);
    usual := ledger.account(case when old_business then 'opening' when i.direction = 'out' then 'sales' else 'purchases' end);
    select array_agg(q.account order by q.account, q.tax_id, q.tax_rate, q.is_tax) as account, array_agg(q.amount order by q.account, q.tax_id, q.tax_rate, q.is_tax) as amount,
        array_agg(q.base order by q.account, q.tax_id, q.tax_rate, q.is_tax) as base, array_agg(q.tax_id order by q.account, q.tax_id, q.tax_rate, q.is_tax) as tax,
        array_agg(q.tax_rate order by q.account, q.tax_id, q.tax_rate, q.is_tax) as rate, array_agg(q.is_tax order by q.account, q.tax_id, q.tax_rate, q.is_tax) as is_tax,
        array_agg(q.project_id order by q.account, q.tax_id, q.tax_rate, q.is_tax) as project, array_agg(q.department_id order by q.account, q.tax_id, q.tax_rate, q.is_tax) as department
    into sides from (
        select case when old_business then usual else coalesce(l.account_id, finance.product_account(l.product_id, i.direction), usual) end as account,
            l.tax_id, l.tax_rate, l.project_id, l.department_id, sum(case when old_business then l.gross else l.net end) as amount, null::numeric as base, false as is_tax
        from finance.invoice_lines l where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null group by 1, 2, 3, 4, 5
        union all
        select ledger.account(case when i.direction = 'out' then 'tax_out' else 'tax_in' end), l.tax_id, l.tax_rate, null, null, sum(l.tax), sum(l.net), true
        from finance.invoice_lines l where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null and not old_business group by l.tax_id, l.tax_rate having sum(l.tax) <> 0
    ) q;
    shares := ledger.shares(i.base_gross, sides.amount, books.digits);
    postings := array[row (control, sign * i.base_gross, i.currency, sign * i.gross, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting];
    for n in 1 .. cardinality(sides.account) loop
        postings := postings || row (sides.account[n], -sign * shares[n], i.currency, -sign * sides.amount[n], i.party_id, null, sides.project[n], sides.department[n],
            sides.tax[n], case when not old_business then sides.rate[n] end, -sign * finance.in_books(i.legal_entity_id, sides.base[n], i.exchange_rate),
            case when not old_business then coalesce(i.supplied_on, i.issued_on) end, null)::ledger.posting;
    end loop;
    perform ledger.post(i.legal_entity_id, case when old_business then 'opening' when i.direction = 'out' then 'sales' else 'purchases' end, i.issued_on, i.number,
        i.party_name, 'finance.invoices', i.id, 'post', postings);
    if i.credit_applied > 0 then perform finance.book_difference(i, i.issued_on, 'finance.invoices', i.id, i.number,
        finance.relieve(i.credited_invoice_id, i.credit_applied), finance.relieve(i.id, i.credit_applied)); end if;
end $$;

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

create function finance.book_difference(i finance.invoices, on_day date, from_source text, from_id uuid, of_number text, was numeric, becomes numeric)
returns void language plpgsql security definer set search_path = pg_catalog as $$
declare diff constant numeric := case when i.direction = 'out' then becomes - was else was - becomes end;
begin
    if diff = 0 then return; end if;
    perform ledger.post(i.legal_entity_id, 'exchange', on_day, of_number, i.number, from_source, from_id, 'settle', array[
        row (ledger.account(case when i.direction = 'out' then 'receivable' else 'payable' end), diff, i.currency, 0, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting,
        row (ledger.account(case when diff > 0 then 'exchange_gain' else 'exchange_loss' end), -diff, i.currency, 0, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting]);
end $$;

create function finance.book_payment(p finance.payments) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare sign constant integer := case p.direction when 'in' then 1 else -1 end; books constant uuid := coalesce(p.legal_entity_id, ledger.home());
begin
    perform ledger.post(books, 'money', p.paid_on, p.number, (select q.name from parties.parties q where q.organization_id = p.organization_id and q.id = p.party_id),
        'finance.payments', p.id, 'complete', array[
        row (coalesce(p.account_id, ledger.account(case p.method when 'CASH' then 'cash' else 'bank' end)), sign * p.base_amount, p.currency, sign * p.amount, p.party_id,
            null, null, null, null, null, null, null, p.reference)::ledger.posting,
        row (ledger.account(case p.direction when 'out' then 'payable' else 'receivable' end), -sign * p.base_amount, p.currency, -sign * p.amount, p.party_id,
            null, null, null, null, null, null, null, p.reference)::ledger.posting]);
end $$;

create function finance.value_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.legal_entity_id := coalesce(new.legal_entity_id, ledger.home());
    new.exchange_rate := coalesce(new.exchange_rate, finance.rate(new.legal_entity_id, new.currency, new.paid_on));
    if new.exchange_rate is null then
        raise exception 'There is no exchange rate of % for %.', new.currency, new.paid_on using errcode = 'AP001', column = 'exchange_rate';
    end if;
    if new.status = 'completed' then new.base_amount := finance.in_books(new.legal_entity_id, new.amount, new.exchange_rate); end if;
    return new;
end $$;

create function finance.book_new_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.book_payment(new);
    return null;
end $$;

create function finance.book_posted() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.book_invoice(new);
    return null;
end $$;

create function finance.book_allocation(of_allocation uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); a finance.payment_allocations; p finance.payments; i finance.invoices; of_invoice numeric; of_payment numeric; before numeric; places smallint;
begin
    select * into strict a from finance.payment_allocations x where x.organization_id = here and x.id = of_allocation;
    select * into strict p from finance.payments x where x.organization_id = here and x.id = a.payment_id;
    select * into strict i from finance.invoices x where x.organization_id = here and x.id = a.invoice_id;
    if i.base_gross is null or p.base_amount is null then return; end if;    -- came in with a file, and is not in the books yet
    select coalesce(sum(x.amount), 0) into before from finance.payment_allocations x
    where x.organization_id = here and x.payment_id = p.id and x.base_payment is not null and x.reversed_on is null and x.deleted_at is null;
    select e.digits into strict places from ledger.legal_entities e where e.organization_id = here and e.id = p.legal_entity_id;
    of_payment := case when before + a.amount >= p.amount then p.base_amount - p.base_allocated
        else least(round(p.base_amount * a.amount / p.amount, places), p.base_amount - p.base_allocated) end;
    of_invoice := finance.relieve(i.id, a.amount);
    update finance.payments x set base_allocated = x.base_allocated + of_payment where x.organization_id = here and x.id = p.id;
    update finance.payment_allocations x set base_invoice = of_invoice, base_payment = of_payment where x.organization_id = here and x.id = a.id;
    if i.direction = 'in' and p.direction = 'in' then   -- a supplier's money for his credit note: from the receivables to the payables
        perform ledger.post(i.legal_entity_id, 'money', greatest(a.allocated_on, p.paid_on), p.number, i.number, 'finance.payment_allocations', a.id, 'settle', array[
            row (ledger.account('receivable'), of_payment, i.currency, a.amount, p.party_id, null, null, null, null, null, null, null, null)::ledger.posting,
            row (ledger.account('payable'), -of_invoice, i.currency, -a.amount, i.party_id, null, null, null, null, null, null, null, null)::ledger.posting,
            row (ledger.account(case when of_payment > of_invoice then 'exchange_gain' else 'exchange_loss' end), of_invoice - of_payment, i.currency, 0, i.party_id,
                null, null, null, null, null, null, null, null)::ledger.posting]);
    else
        perform finance.book_difference(i, greatest(a.allocated_on, p.paid_on), 'finance.payment_allocations', a.id, p.number, of_invoice, of_payment);
    end if;
end $$;

create function finance.unbook_allocation(a finance.payment_allocations) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoices x set relieved = x.relieved - a.amount, base_settled = x.base_settled - a.base_invoice where x.organization_id = a.organization_id and x.id = a.invoice_id;
    update finance.payments x set base_allocated = x.base_allocated - a.base_payment where x.organization_id = a.organization_id and x.id = a.payment_id;
    perform finance.unbook('finance.payment_allocations', a.id, coalesce(a.reversed_on, current_date));
end $$;

create function finance.unbook(from_source text, from_id uuid, on_day date) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform ledger.reverse(e.id, greatest(on_day, e.entry_on), null) from ledger.journal_entries e
    where e.organization_id = app.organization() and e.source = from_source and e.source_id = from_id and e.reverses_id is null and not e.is_reversed;
end $$;

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
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT', 'CREDIT_NOTE') then
        raise exception 'Only a posted invoice can be written off.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if new.amount <> round(new.amount, i.digits) then raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount'; end if;
    if new.amount > i.balance then raise exception 'No more than % is open.', trim_scale(i.balance) using errcode = 'AP001', column = 'amount'; end if;
    if new.taken_on < i.issued_on then raise exception 'Nothing is written off before the invoice was issued.' using errcode = 'AP001', column = 'taken_on'; end if;
    return new;
end $$;

create function finance.book_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; i finance.invoices; sign integer; books ledger.legal_entities; base numeric; taxes record; parts numeric[]; bases numeric[]; postings ledger.posting[]; other text;
begin
    if tg_op = 'UPDATE' then
        update finance.invoices x set written_off = x.written_off - new.amount, relieved = x.relieved - new.amount, base_settled = x.base_settled - new.base_amount
        where x.organization_id = here and x.id = new.invoice_id;
        perform finance.unbook('finance.write_offs', new.id, new.reversed_on);
        return null;
    end if;
    update finance.invoices x set written_off = x.written_off + new.amount where x.organization_id = here and x.id = new.invoice_id returning x.* into i;
    base := finance.relieve(i.id, new.amount);
    select * into strict books from ledger.legal_entities e where e.organization_id = here and e.id = i.legal_entity_id;
    sign := case i.direction when 'out' then 1 else -1 end;
    other := case when i.direction = 'in' then 'discount_taken' when new.kind = 'discount' then 'discount_given' else 'bad_debts' end;
    if new.kind = 'discount' and i.tax > 0 then
        select array_agg(q.tax_id order by q.tax_id, q.tax_rate, q.is_tax) as id, array_agg(q.tax_rate order by q.tax_id, q.tax_rate, q.is_tax) as rate,
            array_agg(q.is_tax order by q.tax_id, q.tax_rate, q.is_tax) as is_tax, array_agg(q.amount order by q.tax_id, q.tax_rate, q.is_tax) as amount into taxes from (
            select l.tax_id, l.tax_rate, t as is_tax, sum(case when t then l.tax else l.net end) as amount from finance.invoice_lines l cross join unnest('{true,false}'::boolean[]) t
            where l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null group by 1, 2, 3) q;
        parts := ledger.shares(new.amount, taxes.amount, i.digits);
        bases := ledger.shares(base, taxes.amount, books.digits);
        for n in 1 .. cardinality(parts) loop
            postings := postings || row (ledger.account(case when taxes.is_tax[n] and i.direction = 'out' then 'tax_out' when taxes.is_tax[n] then 'tax_in' else other end),
                sign * bases[n], i.currency, sign * parts[n], i.party_id, null, null, null, taxes.id[n], taxes.rate[n], null, new.taken_on, new.reason)::ledger.posting;
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

create function finance.write_off(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid := app.new_id(); i finance.invoices;
begin
    select * into i from finance.invoices x where x.organization_id = app.organization() and x.id = invoice;
    insert into finance.write_offs (id, invoice_id, kind, amount, taken_on, reason)
    values (made, invoice, coalesce(body ->> 'kind', 'bad_debt'), coalesce(sales.read_number(body, 'amount'), i.balance), coalesce(sales.read_date(body, 'taken_on'), current_date), body ->> 'reason');
    return made;
end $$;

create or replace function finance.invoice_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.payment_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.post_invoice() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
        new.credit_applied := least(new.gross, o.balance);
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
        new.status := case when new.credit_applied = new.gross then 'paid' when new.credit_applied > 0 then 'partial' else 'sent' end;
    elsif new.kind = 'RECEIPT' then
        new.status := 'paid';
    end if;
    new.number := app.next_number(case when new.direction = 'in' then case new.kind when 'CREDIT_NOTE' then 'SCN' else 'BILL' end
        else case new.kind when 'CREDIT_NOTE' then 'CN' when 'DEBIT_NOTE' then 'DN' when 'PROFORMA' then 'PF' when 'RECEIPT' then 'RC' else 'INV' end end, new.issued_on);
    return new;
end $$;

create or replace function finance.settle() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    new.status := case when new.paid + new.credit_applied + new.written_off >= new.gross then 'paid' when new.paid + new.credit_applied + new.written_off > 0 then 'partial'
                       when old.status = 'viewed' then 'viewed' else 'sent' end;
    return new;
end $$;

create or replace function finance.check_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p finance.payments; i finance.invoices; r finance.payment_allocations := coalesce(new, old);
begin
    select * into p from finance.payments x where x.organization_id = r.organization_id and x.id = r.payment_id for no key update;
    if not found then return r; end if;     -- gone with its payment, which was still open
    if tg_op <> 'INSERT' and p.status not in ('pending', 'processing', 'rejected', 'returned') then
        if tg_op = 'DELETE' or (to_jsonb(new) - '{reversed_on,base_invoice,base_payment,version,updated_at,updated_by}'::text[]) <> (to_jsonb(old) - '{reversed_on,base_invoice,base_payment,version,updated_at,updated_by}'::text[])
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

create or replace function finance.apply_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.move_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.invoice_order(of_order uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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
    if body ->> 'post' = 'true' then update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made; end if;
    return made;
end $$;

create or replace function finance.pay(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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
    if not finance.needs_verification(finance.paid_by(i.direction, i.kind), i.workspace_id) then
        update finance.payments p set status = 'completed' where p.organization_id = here and p.id = made;
    end if;
    return made;
end $$;

create or replace function finance.invoice_aging(of_direction text, as_of date, basis text, limits integer[])
returns table (party_id uuid, party_name text, currency text, not_due numeric, buckets numeric[], unallocated numeric, total numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with open as (
        select i.party_id as party, i.currency as cur, i.kind = 'CREDIT_NOTE' as is_credit, as_of - case basis when 'issue' then i.issued_on else i.due_on end as age,
            i.gross
            - (select coalesce(sum(a.amount), 0) from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
               where a.organization_id = app.organization() and p.organization_id = app.organization() and a.invoice_id = i.id and p.status in ('completed', 'cancelled') and a.deleted_at is null
                 and (p.status = 'completed' or a.reversed_on is not null)
                 and greatest(a.allocated_on, p.paid_on) <= as_of and (a.reversed_on is null or a.reversed_on > as_of))
            - (select coalesce(sum(w.amount), 0) from finance.write_offs w where w.organization_id = app.organization() and w.invoice_id = i.id
               and w.taken_on <= as_of and (w.reversed_on is null or w.reversed_on > as_of))
            - case when i.kind = 'CREDIT_NOTE' then i.credit_applied
                   else (select coalesce(sum(n.credit_applied), 0) from finance.invoices n where n.organization_id = app.organization() and n.credited_invoice_id = i.id
                         and n.number is not null and n.issued_on <= as_of) end as amount
        from finance.invoices i
        where i.organization_id = app.organization() and i.direction = of_direction and i.number is not null and i.kind not in ('PROFORMA', 'RECEIPT')
          and i.issued_on <= as_of and i.deleted_at is null
        union all
        select p.party_id, p.currency, true, 0, p.amount - (select coalesce(sum(a.amount), 0) from finance.payment_allocations a
            where a.organization_id = app.organization() and a.payment_id = p.id and a.deleted_at is null and a.allocated_on <= as_of and (a.reversed_on is null or a.reversed_on > as_of))
            - (select coalesce(sum(r.amount), 0) from finance.payments r where r.organization_id = app.organization() and r.reverses_id = p.id
               and r.status = 'completed' and r.paid_on <= as_of and r.deleted_at is null)
        from finance.payments p
        where p.organization_id = app.organization() and p.status = 'completed' and p.paid_on <= as_of and p.deleted_at is null and p.reverses_id is null
          and p.direction = case of_direction when 'out' then 'in' else 'out' end
    ), summed as (
        select o.party, o.cur, coalesce(sum(o.amount) filter (where not o.is_credit and o.age <= 0), 0) as fresh,
            (select array_agg((select coalesce(sum(x.amount), 0) from open x where x.party = o.party and x.cur = o.cur and not x.is_credit
                               and x.age > case when n = 1 then 0 else limits[n - 1] end and (n > cardinality(limits) or x.age <= limits[n])) order by n)
             from generate_series(1, cardinality(limits) + 1) n) as aged,
            -coalesce(sum(o.amount) filter (where o.is_credit), 0) as loose,
            sum(case when o.is_credit then -o.amount else o.amount end) as whole, bool_or(o.amount <> 0) as is_any
        from open o group by 1, 2
    )
    select s.party, q.name, s.cur, s.fresh, s.aged, s.loose, s.whole
    from summed s join parties.parties q on q.organization_id = app.organization() and q.id = s.party
    where s.is_any order by s.whole desc, q.name;
end $$;

create or replace function finance.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
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

drop trigger settles on finance.invoices;
create trigger settles before update on finance.invoices for each row
    when (old.status not in ('draft', 'cancelled') and (old.paid, old.credit_applied, old.written_off) is distinct from (new.paid, new.credit_applied, new.written_off))
    execute function finance.settle();
drop trigger closed on finance.payments;
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.check_closed('status', 'decision', 'submitted_by', 'submitted_at', 'verified_by', 'verified_at', 'verification_status', 'completed_at', 'reversed', 'allocated', 'unallocated', 'base_amount', 'base_allocated', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
create trigger values_insert before insert on finance.payments for each row when (new.status = 'completed') execute function finance.value_payment();
create trigger values_update before update on finance.payments for each row when (new.status in ('submitted', 'completed') and old.status <> new.status)
    execute function finance.value_payment();
create trigger books_insert after insert on finance.payments for each row when (new.status = 'completed') execute function finance.book_new_payment();
create trigger books after update on finance.invoices for each row
    when (old.status = 'draft' and new.status not in ('draft', 'cancelled') and new.kind not in ('PROFORMA', 'RECEIPT')) execute function finance.book_posted();
create trigger unbooks before delete on finance.invoices for each row when (old.base_gross is not null) execute function finance.unbook_deleted('finance.invoices');
create trigger unbooks before delete on finance.payments for each row when (old.base_amount is not null) execute function finance.unbook_deleted('finance.payments');
create trigger checks before insert or update on finance.write_offs for each row execute function finance.check_write_off();
create trigger stays before delete on finance.write_offs for each row execute function app.refuse('What was written off can only be taken back.');
create trigger books after insert on finance.write_offs for each row execute function finance.book_write_off();
create trigger unbooks after update on finance.write_offs for each row when (old.reversed_on is null and new.reversed_on is not null)
    execute function finance.book_write_off();

-- What was posted and paid before, in the order that it happened, company by company.
do $$
declare company uuid; i finance.invoices; p finance.payments; a record;
begin
    for company in select distinct x.organization_id from (select organization_id from finance.invoices union all select organization_id from finance.payments) x loop
        perform set_config('app.context', format('%s %s %s ', company, '00000000-0000-0000-0000-000000000000', app.new_id()), true);
        perform set_config('app.system', 'yes', true);
        for i in select * from finance.invoices x where x.organization_id = company and x.number is not null and x.status <> 'cancelled' order by x.issued_on, x.created_at, x.id loop
            update finance.invoices x set exchange_rate = coalesce(x.exchange_rate, 1) where x.organization_id = company and x.id = i.id and x.exchange_rate is null;
            perform finance.book_imported(i.id);
        end loop;
        for p in select * from finance.payments x where x.organization_id = company and x.status = 'completed' order by x.paid_on, x.created_at, x.id loop
            update finance.payments x set legal_entity_id = ledger.home(), base_amount = finance.in_books(ledger.home(), x.amount, x.exchange_rate)
            where x.organization_id = company and x.id = p.id returning x.* into p;
            perform finance.book_payment(p);
            for a in select x.id from finance.payment_allocations x where x.organization_id = company and x.payment_id = p.id and x.reversed_on is null and x.deleted_at is null order by x.id loop
                perform finance.book_allocation(a.id);
            end loop;
        end loop;
    end loop;
    perform set_config('app.system', '', true);
    perform set_config('app.context', '', true);
end $$;

-- down: the entries stay in the books; what was written off is forgotten
drop trigger settles on finance.invoices;
create trigger settles before update on finance.invoices for each row
    when (old.status not in ('draft', 'cancelled') and (old.paid, old.credit_applied) is distinct from (new.paid, new.credit_applied))
    execute function finance.settle();
drop trigger closed on finance.payments;
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.check_closed('status', 'decision', 'submitted_by', 'submitted_at', 'verified_by', 'verified_at', 'verification_status', 'completed_at', 'reversed', 'allocated', 'unallocated', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
drop trigger values_insert on finance.payments;
drop trigger values_update on finance.payments;
drop trigger books_insert on finance.payments;
drop trigger books on finance.invoices;
drop trigger unbooks on finance.invoices;
drop trigger unbooks on finance.payments;
drop trigger checks on finance.write_offs;
drop trigger stays on finance.write_offs;
drop trigger books on finance.write_offs;
drop trigger unbooks on finance.write_offs;
create or replace function finance.invoice_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
    if tg_op = 'INSERT' and new.direction = 'out' and not importing then
        new.terms := coalesce(new.terms, app.setting('finance.invoice_terms', new.workspace_id) #>> '{}');
    end if;
    return new;
end $$;
create or replace function finance.payment_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p parties.parties;
begin
    if new.currency is null then
        select * into p from parties.parties x where x.organization_id = new.organization_id and x.id = new.party_id;
        new.currency := coalesce(p.currency, parties.home_currency(new.organization_id));
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    return new;
end $$;
create or replace function finance.post_invoice() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare o finance.invoices; l record; loose numeric;
begin
    if not exists (select from finance.invoice_lines x where x.organization_id = new.organization_id and x.invoice_id = new.id and x.deleted_at is null) then
        raise exception 'An invoice needs at least one line before it can be posted.' using errcode = 'AP001';
    end if;
    if new.gross <= 0 then raise exception 'An invoice over nothing cannot be posted.' using errcode = 'AP001'; end if;
    new.issued_on := coalesce(new.issued_on, current_date);
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
        new.credit_applied := least(new.gross, o.balance);
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
        new.status := case when new.credit_applied = new.gross then 'paid' when new.credit_applied > 0 then 'partial' else 'sent' end;
    elsif new.kind = 'RECEIPT' then
        new.status := 'paid';
    end if;
    new.number := app.next_number(case when new.direction = 'in' then case new.kind when 'CREDIT_NOTE' then 'SCN' else 'BILL' end
        else case new.kind when 'CREDIT_NOTE' then 'CN' when 'DEBIT_NOTE' then 'DN' when 'PROFORMA' then 'PF' when 'RECEIPT' then 'RC' else 'INV' end end, new.issued_on);
    return new;
end $$;
create or replace function finance.settle() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    new.status := case when new.paid + new.credit_applied >= new.gross then 'paid' when new.paid + new.credit_applied > 0 then 'partial'
                       when old.status = 'viewed' then 'viewed' else 'sent' end;
    return new;
end $$;
create or replace function finance.check_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p finance.payments; i finance.invoices; r finance.payment_allocations := coalesce(new, old);
begin
    select * into p from finance.payments x where x.organization_id = r.organization_id and x.id = r.payment_id for no key update;
    if not found then return r; end if;     -- gone with its payment, which was still open
    if tg_op <> 'INSERT' and p.status not in ('pending', 'processing', 'rejected', 'returned') then
        if tg_op = 'DELETE' or (to_jsonb(new) - '{reversed_on,version,updated_at,updated_by}'::text[]) <> (to_jsonb(old) - '{reversed_on,version,updated_at,updated_by}'::text[])
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
create or replace function finance.apply_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    r finance.payment_allocations := coalesce(new, old);
    was constant numeric := case when tg_op <> 'INSERT' and old.reversed_on is null and old.deleted_at is null then old.amount else 0 end;
    becomes constant numeric := case when tg_op <> 'DELETE' and new.reversed_on is null and new.deleted_at is null then new.amount else 0 end;
    state text;
begin
    update finance.payments p set allocated = p.allocated + becomes - was where p.organization_id = r.organization_id and p.id = r.payment_id
    returning p.status into state;
    if state = 'completed' then     -- then the invoice is still the same one
        update finance.invoices i set paid = i.paid + becomes - was where i.organization_id = r.organization_id and i.id = r.invoice_id;
    end if;
    return null;
end $$;
create or replace function finance.move_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare a record; sign integer := case when new.status = 'completed' then 1 when old.status = 'completed' then -1 else 0 end;
begin
    if sign <> 0 then
        for a in select x.invoice_id, sum(x.amount) as amount from finance.payment_allocations x
            where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null and x.deleted_at is null group by 1 order by 1
        loop
            update finance.invoices i set paid = i.paid + sign * a.amount where i.organization_id = new.organization_id and i.id = a.invoice_id;
        end loop;
    end if;
    if new.status in ('failed', 'cancelled') then
        update finance.payment_allocations x set reversed_on = greatest(current_date, x.allocated_on)
        where x.organization_id = new.organization_id and x.payment_id = new.id and x.reversed_on is null;
    end if;
    return null;
end $$;
create or replace function finance.invoice_order(of_order uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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
    values (made, 'out', 'STANDARD', o.customer_id, o.id, o.workspace_id, o.assigned_to, o.currency, o.exchange_rate, o.prices_include_tax, o.payment_terms,
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
    if body ->> 'post' = 'true' then update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made; end if;
    return made;
end $$;
create or replace function finance.pay(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; made uuid := app.new_id(); on_day date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = invoice;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001'; end if;
    if i.balance <= 0 then raise exception 'This invoice is settled already.' using errcode = 'AP001'; end if;
    insert into finance.payments (id, direction, party_id, amount, currency, exchange_rate, method, paid_on, reference, transaction_id, note, workspace_id)
    values (made, finance.paid_by(i.direction, i.kind), i.party_id, coalesce(sales.read_number(body, 'amount'), i.balance), i.currency, i.exchange_rate, coalesce(body ->> 'method', 'BANK_TRANSFER'), on_day,
        coalesce(body ->> 'reference', i.number), body ->> 'transaction_id', body ->> 'note', i.workspace_id);
    insert into finance.payment_allocations (payment_id, invoice_id, amount, allocated_on)
    select made, pay.invoice, p.amount, on_day from finance.payments p where p.organization_id = here and p.id = made;
    if not finance.needs_verification(finance.paid_by(i.direction, i.kind), i.workspace_id) then
        update finance.payments p set status = 'completed' where p.organization_id = here and p.id = made;
    end if;
    return made;
end $$;
create or replace function finance.invoice_aging(of_direction text, as_of date, basis text, limits integer[])
returns table (party_id uuid, party_name text, currency text, not_due numeric, buckets numeric[], unallocated numeric, total numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with open as (
        select i.party_id as party, i.currency as cur, i.kind = 'CREDIT_NOTE' as is_credit, as_of - case basis when 'issue' then i.issued_on else i.due_on end as age,
            i.gross
            - (select coalesce(sum(a.amount), 0) from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
               where a.organization_id = app.organization() and p.organization_id = app.organization() and a.invoice_id = i.id and p.status in ('completed', 'cancelled') and a.deleted_at is null
                 and (p.status = 'completed' or a.reversed_on is not null)
                 and greatest(a.allocated_on, p.paid_on) <= as_of and (a.reversed_on is null or a.reversed_on > as_of))
            - case when i.kind = 'CREDIT_NOTE' then i.credit_applied
                   else (select coalesce(sum(n.credit_applied), 0) from finance.invoices n where n.organization_id = app.organization() and n.credited_invoice_id = i.id
                         and n.number is not null and n.issued_on <= as_of) end as amount
        from finance.invoices i
        where i.organization_id = app.organization() and i.direction = of_direction and i.number is not null and i.kind not in ('PROFORMA', 'RECEIPT')
          and i.issued_on <= as_of and i.deleted_at is null
        union all
        select p.party_id, p.currency, true, 0, p.amount - (select coalesce(sum(a.amount), 0) from finance.payment_allocations a
            where a.organization_id = app.organization() and a.payment_id = p.id and a.deleted_at is null and a.allocated_on <= as_of and (a.reversed_on is null or a.reversed_on > as_of))
            - (select coalesce(sum(r.amount), 0) from finance.payments r where r.organization_id = app.organization() and r.reverses_id = p.id
               and r.status = 'completed' and r.paid_on <= as_of and r.deleted_at is null)
        from finance.payments p
        where p.organization_id = app.organization() and p.status = 'completed' and p.paid_on <= as_of and p.deleted_at is null and p.reverses_id is null
          and p.direction = case of_direction when 'out' then 'in' else 'out' end
    ), summed as (
        select o.party, o.cur, coalesce(sum(o.amount) filter (where not o.is_credit and o.age <= 0), 0) as fresh,
            (select array_agg((select coalesce(sum(x.amount), 0) from open x where x.party = o.party and x.cur = o.cur and not x.is_credit
                               and x.age > case when n = 1 then 0 else limits[n - 1] end and (n > cardinality(limits) or x.age <= limits[n])) order by n)
             from generate_series(1, cardinality(limits) + 1) n) as aged,
            -coalesce(sum(o.amount) filter (where o.is_credit), 0) as loose,
            sum(case when o.is_credit then -o.amount else o.amount end) as whole, bool_or(o.amount <> 0) as is_any
        from open o group by 1, 2
    )
    select s.party, q.name, s.cur, s.fresh, s.aged, s.loose, s.whole
    from summed s join parties.parties q on q.organization_id = app.organization() and q.id = s.party
    where s.is_any order by s.whole desc, q.name;
end $$;
create or replace function finance.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
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
drop trigger closed on finance.invoices;
create trigger closed after update on finance.invoices for each row when (old.status <> all ('{draft}'))
    execute function app.check_closed('paid', 'credited', 'credit_applied', 'balance', 'assigned_to', 'note', 'internal_note', 'tags', 'esf_number', 'esf_status', 'esf_on', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');
drop function finance.rate(uuid, text, date);
drop function finance.in_books(uuid, numeric, numeric);
drop function finance.product_account(uuid, text);
drop function finance.book_invoice(finance.invoices);
drop function finance.relieve(uuid, numeric);
drop function finance.book_difference(finance.invoices, date, text, uuid, text, numeric, numeric);
drop function finance.book_payment(finance.payments);
drop function finance.value_payment();
drop function finance.book_new_payment();
drop function finance.book_posted();
drop function finance.book_allocation(uuid);
drop function finance.unbook_allocation(finance.payment_allocations);
drop function finance.unbook(text, uuid, date);
drop function finance.book_imported(uuid);
drop function finance.unbook_deleted();
drop function finance.check_write_off();
drop function finance.book_write_off();
drop function finance.write_off(uuid, jsonb);
drop table finance.write_offs;
drop table finance.category_accounts;
delete from app.entities where name in ('finance.write_offs', 'finance.category_accounts');
alter table finance.payment_allocations drop column base_invoice, drop column base_payment;
update finance.payments set exchange_rate = 1 where exchange_rate is null;
alter table finance.payments
    drop column base_amount, drop column base_allocated, drop column legal_entity_id, drop column account_id,
    alter column exchange_rate set default 1, alter column exchange_rate set not null;
alter table finance.payments add column base_amount app.money generated always as (round(amount * exchange_rate, 2)) stored;
comment on column finance.payments.base_amount is 'In the currency of our books.';
alter table finance.invoice_lines drop column account_id, drop column project_id, drop column department_id;
update finance.invoices set exchange_rate = 1 where exchange_rate is null;
alter table finance.invoices
    drop column balance, drop constraint paid_within_gross, drop constraint settled_not_negative, drop column written_off, drop column legal_entity_id,
    drop column base_gross, drop column base_settled, drop column relieved, alter column exchange_rate set default 1, alter column exchange_rate set not null;
alter table finance.invoices
    add column balance app.money generated always as (case when kind in ('PROFORMA', 'RECEIPT') then 0 else gross - paid - credit_applied end) stored,
    add constraint paid_within_gross check (paid + credit_applied <= gross),
    add constraint settled_not_negative check (paid >= 0 and credited >= 0 and credit_applied >= 0);
create index invoices_due on finance.invoices (organization_id, due_on) where balance > 0 and number is not null;
comment on column finance.invoices.balance is 'What is still to be paid, or of a credit note, still to be paid back.';
comment on constraint paid_within_gross on finance.invoices is 'No more can be paid on an invoice than is open.';
comment on constraint settled_not_negative on finance.invoices is 'Less than nothing cannot be paid or credited.';
comment on column finance.invoices.exchange_rate is 'What one unit of the invoice''s currency is worth in the currency of our books.';
update app.entities e set derived = array(select d from unnest(e.derived) d where d <> all ('{written_off,base_gross,base_settled,relieved}')) where e.name = 'finance.invoices';
select app.log('finance.invoices');
update app.entities e set derived = array(select d from unnest(e.derived) d where d <> all ('{base_amount,base_allocated}')) where e.name = 'finance.payments';
select app.log('finance.payments');
update app.entities e set derived = array(select d from unnest(e.derived) d where d <> all ('{base_invoice,base_payment}')) where e.name = 'finance.payment_allocations';
select app.log('finance.payment_allocations');
