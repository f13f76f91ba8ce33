-- Several taxes on a line, each in the books by itself; what is withheld is not expected; a tax goes by the day of supply.
alter table finance.invoices add column withheld app.money not null default 0;
comment on column finance.invoices.withheld is 'Tax that whoever pays keeps back and pays to the treasury; it is not expected.';
select app.derive('finance.invoices', '{withheld}');
alter table finance.invoice_lines add column tax_parts jsonb;
comment on column finance.invoice_lines.tax_parts is 'What its tax is made of, where it is not simply one rate on the price.';
select app.derive('finance.invoice_lines', '{tax_parts}');
alter table finance.write_offs drop constraint write_offs_kind_check,
    add constraint write_offs_kind_check check (kind in ('bad_debt', 'discount', 'difference', 'withheld'));
comment on table finance.write_offs is 'What is not expected of an invoice any more: a bad debt, a discount for paying early, a small difference, a tax that was withheld.';

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

-- A tax is as high as on the day of supply: when that is put right, so are the lines that have the rate of the day before.
create function finance.pass_day() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoice_lines l set tax_rate = null where l.organization_id = new.organization_id and l.invoice_id = new.id and l.deleted_at is null and l.tax_id is not null
        and l.tax_rate = products.tax_rate(l.tax_id, coalesce(old.supplied_on, old.issued_on, l.created_at::date));
    return null;
end $$;
create trigger pass_day after update on finance.invoices
    for each row when (new.status = 'draft' and coalesce(old.supplied_on, old.issued_on) is distinct from coalesce(new.supplied_on, new.issued_on)) execute function finance.pass_day();
drop trigger closed on finance.invoices;
create trigger closed after update on finance.invoices for each row when (old.status <> all ('{draft}'))
    execute function app.check_closed('paid', 'credited', 'credit_applied', 'written_off', 'withheld', 'balance', 'base_gross', 'base_settled', 'relieved', 'assigned_to', 'note', 'internal_note', 'tags', 'esf_number', 'esf_status', 'esf_on', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');

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
    -- What was ordered at the rate of one day is taxed at that of the day of supply.
    update finance.invoice_lines x set tax_rate = null, tax_adjustment = 0 from finance.invoices n
    where x.organization_id = here and n.organization_id = here and x.invoice_id = made and n.id = made and x.tax_id is not null
      and x.tax_rate = products.tax_rate(x.tax_id, o.ordered_on) and x.tax_rate <> products.tax_rate(x.tax_id, coalesce(n.supplied_on, n.issued_on, current_date));
    if body ->> 'post' = 'true' then update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made; end if;
    return made;
end $$;

create or replace function finance.settle() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    new.status := case when new.paid + new.credit_applied + new.written_off >= new.gross then 'paid'
                       when new.paid + new.credit_applied + new.written_off > new.withheld then 'partial'
                       when old.status = 'viewed' then 'viewed' else 'sent' end;
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

create or replace function finance.book_invoice(i finance.invoices) returns void language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.check_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.book_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

-- down: what was posted stays as it was; which taxes were on a line together is lost
create or replace function finance.book_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function finance.check_write_off() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function finance.book_invoice(i finance.invoices) returns void language plpgsql security definer set search_path = pg_catalog as $$
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
drop trigger closed on finance.invoices;
create trigger closed after update on finance.invoices for each row when (old.status <> all ('{draft}'))
    execute function app.check_closed('paid', 'credited', 'credit_applied', 'written_off', 'balance', 'base_gross', 'base_settled', 'relieved', 'assigned_to', 'note', 'internal_note', 'tags', 'esf_number', 'esf_status', 'esf_on', 'status', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');
drop trigger pass_day on finance.invoices;
drop function finance.pass_day();
drop trigger parts on finance.invoice_lines;
drop function finance.line_parts();
drop function finance.line_taxes(finance.invoice_lines);
update finance.write_offs set kind = 'difference' where kind = 'withheld';
alter table finance.write_offs drop constraint write_offs_kind_check,
    add constraint write_offs_kind_check check (kind in ('bad_debt', 'discount', 'difference'));
comment on table finance.write_offs is 'What is not expected of an invoice any more: a bad debt, a discount for paying early, a small difference.';
alter table finance.invoice_lines drop column tax_parts;
alter table finance.invoices drop column withheld;
update app.entities e set derived = array(select d from unnest(e.derived) d where d <> 'withheld') where e.name = 'finance.invoices';
select app.log('finance.invoices');
update app.entities e set derived = array(select d from unnest(e.derived) d where d <> 'tax_parts') where e.name = 'finance.invoice_lines';
select app.log('finance.invoice_lines');
