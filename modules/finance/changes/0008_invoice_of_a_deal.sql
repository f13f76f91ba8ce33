-- A deal that was won becomes an invoice.
alter table finance.invoices add column deal_id uuid;
alter table finance.invoices add constraint invoices_deal foreign key (organization_id, deal_id) references crm.deals;
comment on column finance.invoices.deal_id is 'The deal that it is for.';
select app.derive('finance.invoices', '{deal_id}');
create unique index invoices_of_deal on finance.invoices (organization_id, deal_id) where status <> 'cancelled' and deleted_at is null;
comment on index finance.invoices_of_deal is 'This deal has its invoice already.';
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
-- Money for a deal pays the deal's invoice, whichever of the two comes first.
create function finance.lock_deal(of_deal uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform 1 from finance.payments x where x.organization_id = app.organization() and x.deal_id = of_deal and x.status = 'completed' and x.unallocated > 0
        order by x.id for no key update;
end $$;
revoke execute on function finance.lock_deal(uuid) from public;
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
create or replace function finance.follow_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function finance.prepare(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.lock_deal(i.deal_id) from finance.invoices i where i.organization_id = app.organization() and i.id = of_invoice and i.deal_id is not null;
    update finance.invoices i set issued_on = current_date where i.organization_id = app.organization() and i.id = of_invoice and i.status = 'draft' and i.issued_on is null;
    perform finance.tell_modules('invoice_posts', of_invoice);
end $$;
drop index finance.invoices_due;
create index invoices_due on finance.invoices (organization_id, due_on) where status in ('sent', 'viewed', 'partial');
create or replace function finance.open_invoices(of_direction text, as_of date)
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
-- What is no product has no account of its own, and need not be looked for.
create or replace function finance.product_account(of_product uuid, of_direction text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
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
-- down
create or replace function finance.open_invoices(of_direction text, as_of date)
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
    ), back as materialized (
        select m.invoice_id, sum(m.amount) as amount, sum(m.base) as base from moved m group by 1
    )
    select i.id, i.party_id, i.currency, i.kind = 'CREDIT_NOTE', i.issued_on, i.due_on, i.gross::numeric, i.balance + coalesce(b.amount, 0),
        coalesce(i.base_gross - i.base_settled, round(i.balance * i.exchange_rate, 2)) + coalesce(b.base, 0)
    from finance.invoices i left join back b on b.invoice_id = i.id
    where i.organization_id = here and i.direction = of_direction and i.number is not null and i.issued_on <= as_of and i.balance > 0 and i.deleted_at is null
    union all
    select i.id, i.party_id, i.currency, i.kind = 'CREDIT_NOTE', i.issued_on, i.due_on, i.gross::numeric, b.amount, coalesce(i.base_gross - i.base_settled, 0) + coalesce(b.base, 0)
    from back b join finance.invoices i on i.organization_id = here and i.id = b.invoice_id
    where i.organization_id = here and i.direction = of_direction and i.issued_on <= as_of and i.balance = 0 and b.amount <> 0 and i.deleted_at is null;
end $$;
drop index finance.invoices_due;
create index invoices_due on finance.invoices (organization_id, due_on) where balance > 0 and number is not null;
create or replace function finance.prepare(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoices i set issued_on = current_date where i.organization_id = app.organization() and i.id = of_invoice and i.status = 'draft' and i.issued_on is null;
    perform finance.tell_modules('invoice_posts', of_invoice);
end $$;
create or replace function finance.follow_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.status = 'completed' then
        if new.reverses_id is not null then perform finance.take_back(new.reverses_id, new.amount); end if;
        perform finance.tell_modules('payment_counts', new.id);
        if new.verified_at is not null and new.direction = 'in' then perform finance.receipt(new.id); end if;
    end if;
    if old.status = 'submitted' then perform finance.tell_payment(new); end if;
    return null;
end $$;
drop trigger settles_deal on finance.invoices;
drop function finance.settle_posted();
drop function finance.settle_deal(uuid);
drop function finance.lock_deal(uuid);
drop function finance.invoice_deal(uuid, jsonb);
alter table finance.invoices drop column deal_id;
update app.entities set derived = array_remove(derived, 'deal_id') where name = 'finance.invoices';
create or replace function finance.product_account(of_product uuid, of_direction text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
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
