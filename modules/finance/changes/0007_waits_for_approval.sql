-- What an action makes waits where a rule of approval holds it back; modules follow invoices too; what a payment method keeps is in the books.
alter table finance.payments add column fee app.money not null default 0;
comment on column finance.payments.fee is 'What its payment method keeps of it.';
select app.derive('finance.payments', '{fee}');
create trigger checks before insert or update of fee_percent, fee_amount, fee_account_id on finance.payment_methods for each row
    when (coalesce(new.fee_percent, 0) + coalesce(new.fee_amount, 0) > 0 and new.fee_account_id is null) execute function app.refuse('Say on which account the fee is written.');
drop trigger closed on finance.payments;
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.check_closed('status', 'decision', 'submitted_by', 'submitted_at', 'verified_by', 'verified_at', 'verification_status', 'completed_at', 'reversed', 'allocated', 'unallocated', 'base_amount', 'base_allocated', 'fee', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
create or replace function finance.check_verification() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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

create function finance.tell_modules(what text, of_record uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare f regproc;
begin
    for f in select p.oid from pg_proc p where p.proname = what and p.proargtypes = array['uuid'::regtype::oid]::oidvector order by p.pronamespace::regnamespace::text loop
        execute format('select %s($1)', f) using of_record;
    end loop;
end $$;

create function finance.follow_invoice() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.tell_modules(tg_argv[0], new.id);
    return null;
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

create or replace function finance.pay_deal(deal uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d crm.deals; made uuid := app.new_id();
begin
    select * into d from crm.deals x where x.organization_id = here and x.id = deal;
    insert into finance.payments (id, direction, party_id, deal_id, amount, currency, method, paid_on, reference, transaction_id, cheque_number, bank_reference, note, workspace_id)
    values (made, 'in', d.customer_id, d.id, coalesce(sales.read_number(body, 'amount'), d.balance), d.currency, coalesce(body ->> 'method', d.payment_method, 'BANK_TRANSFER'),
        coalesce(sales.read_date(body, 'paid_on'), current_date), coalesce(body ->> 'reference', d.number), body ->> 'transaction_id', body ->> 'cheque_number',
        body ->> 'bank_reference', body ->> 'note', d.workspace_id);
    return made;
end $$;

create or replace function finance.reverse(payment uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.book_payment(p finance.payments) returns void language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function finance.value_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
    return made;
end $$;

create or replace function finance.credit(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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

create function finance.prepare(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.invoices i set issued_on = current_date where i.organization_id = app.organization() and i.id = of_invoice and i.status = 'draft' and i.issued_on is null;
    perform finance.tell_modules('invoice_posts', of_invoice);
end $$;

create function finance.post(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform finance.prepare(of_invoice);
    update finance.invoices i set status = 'sent' where i.organization_id = app.organization() and i.id = of_invoice;
end $$;

create function finance.complete(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.payments p set status = 'completed' where p.organization_id = app.organization() and p.id = payment;
end $$;

create function finance.counts_at_once(payment uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select not finance.needs_verification(p.direction, p.workspace_id) from finance.payments p where p.organization_id = app.organization() and p.id = payment);
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
    return made;
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

create trigger moves_on_insert after insert on finance.invoices for each row when (new.status = 'draft') execute function finance.follow_invoice('invoice_made');
create trigger moves_on after update on finance.invoices for each row when (old.status = 'draft' and new.number is not null) execute function finance.follow_invoice('invoice_posted');

-- down
drop trigger moves_on_insert on finance.invoices;
drop trigger moves_on on finance.invoices;
create or replace function finance.check_verification() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare needed constant boolean := finance.needs_verification(new.direction, new.workspace_id); d crm.deals;
begin
    if tg_op = 'INSERT' then
        new.submitted_by := null; new.submitted_at := null; new.verified_by := null; new.verified_at := null;
        if needed and new.status <> all ('{pending,failed,cancelled}') then
            raise exception 'A payment is verified by a person, not brought in as verified.' using errcode = 'AP001', column = 'status';
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

create or replace function finance.follow_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare f regproc;
begin
    if new.status = 'completed' then
        if new.reverses_id is not null then perform finance.take_back(new.reverses_id, new.amount); end if;
        for f in select p.oid from pg_proc p where p.proname = 'payment_counts' and p.proargtypes = array['uuid'::regtype::oid]::oidvector order by p.pronamespace::regnamespace::text loop
            execute format('select %s($1)', f) using new.id;
        end loop;
        if new.verified_at is not null and new.direction = 'in' then perform finance.receipt(new.id); end if;
    end if;
    if old.status = 'submitted' then perform finance.tell_payment(new); end if;
    return null;
end $$;

create or replace function finance.pay_deal(deal uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d crm.deals; made uuid := app.new_id();
begin
    select * into d from crm.deals x where x.organization_id = here and x.id = deal;
    insert into finance.payments (id, direction, party_id, deal_id, amount, currency, method, paid_on, reference, transaction_id, cheque_number, bank_reference, note, workspace_id)
    values (made, 'in', d.customer_id, d.id, coalesce(sales.read_number(body, 'amount'), d.balance), d.currency, coalesce(body ->> 'method', d.payment_method, 'BANK_TRANSFER'),
        coalesce(sales.read_date(body, 'paid_on'), current_date), coalesce(body ->> 'reference', d.number), body ->> 'transaction_id', body ->> 'cheque_number',
        body ->> 'bank_reference', body ->> 'note', d.workspace_id);
    if not finance.needs_verification('in', d.workspace_id) then
        update finance.payments p set status = 'completed' where p.organization_id = here and p.id = made;
    end if;
    return made;
end $$;

create or replace function finance.reverse(payment uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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
    update finance.payments x set status = case when finance.needs_verification('refund', p.workspace_id) then 'submitted' else 'completed' end
    where x.organization_id = here and x.id = made;
    return made;
end $$;

create or replace function finance.book_payment(p finance.payments) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare sign constant integer := case p.direction when 'in' then 1 else -1 end; books constant uuid := coalesce(p.legal_entity_id, ledger.home());
begin
    perform ledger.post(books, 'money', p.paid_on, p.number, (select q.name from parties.parties q where q.organization_id = p.organization_id and q.id = p.party_id),
        'finance.payments', p.id, 'complete', array[
        row (coalesce(p.account_id, ledger.account(case p.method when 'CASH' then 'cash' else 'bank' end)), sign * p.base_amount, p.currency, sign * p.amount, p.party_id,
            null, null, null, null, null, null, null, p.reference)::ledger.posting,
        row (ledger.account(case p.direction when 'out' then 'payable' else 'receivable' end), -sign * p.base_amount, p.currency, -sign * p.amount, p.party_id,
            null, null, null, null, null, null, null, p.reference)::ledger.posting]);
end $$;

create or replace function finance.value_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.legal_entity_id := coalesce(new.legal_entity_id, ledger.home());
    new.exchange_rate := coalesce(new.exchange_rate, finance.rate(new.legal_entity_id, new.currency, new.paid_on));
    if new.exchange_rate is null then
        raise exception 'There is no exchange rate of % for %.', new.currency, new.paid_on using errcode = 'AP001', column = 'exchange_rate';
    end if;
    if new.status = 'completed' then new.base_amount := finance.in_books(new.legal_entity_id, new.amount, new.exchange_rate); end if;
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
    -- What was ordered at the rate of one day is taxed at that of the day of supply.
    update finance.invoice_lines x set tax_rate = null, tax_adjustment = 0 from finance.invoices n
    where x.organization_id = here and n.organization_id = here and x.invoice_id = made and n.id = made and x.tax_id is not null
      and x.tax_rate = products.tax_rate(x.tax_id, o.ordered_on) and x.tax_rate <> products.tax_rate(x.tax_id, coalesce(n.supplied_on, n.issued_on, current_date));
    if body ->> 'post' = 'true' then update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made; end if;
    return made;
end $$;

create or replace function finance.credit(invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    i finance.invoices; l record; s record; made uuid := app.new_id();
    wanted numeric := sales.read_number(body, 'amount'); given numeric := 0; weight numeric := 0; piece numeric; by_lines numeric;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = invoice for no key update;
    if i.number is null or i.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
        raise exception 'Only a posted invoice can be credited.' using errcode = 'AP001';
    end if;
    if i.credited >= i.gross then raise exception 'All of this invoice has been credited.' using errcode = 'AP001'; end if;
    if wanted <= 0 or wanted <> round(wanted, i.digits) then
        raise exception 'This is not an amount in %.', i.currency using errcode = 'AP001', column = 'amount';
    end if;
    if wanted > i.gross - i.credited then raise exception 'No more than % can be credited.', trim_scale(i.gross - i.credited) using errcode = 'AP001', column = 'amount'; end if;
    -- After a credit of an amount, the rest is an amount too.
    select coalesce(sum(x.gross), 0) into by_lines from finance.invoice_lines x join finance.invoices n on n.organization_id = x.organization_id and n.id = x.invoice_id
    where x.organization_id = here and n.organization_id = here and n.credited_invoice_id = invoice and n.number is not null and x.credited_line_id is not null and x.deleted_at is null;
    if wanted is null and not body ? 'lines' and by_lines <> i.credited then wanted := i.gross - i.credited; end if;

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
                from finance.invoice_lines y join finance.invoices n on n.organization_id = y.organization_id and n.id = y.invoice_id and n.number is not null
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
    update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made;
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

drop function finance.tell_modules(text, uuid);
drop function finance.follow_invoice();
drop function finance.prepare(uuid);
drop function finance.post(uuid);
drop function finance.complete(uuid);
drop function finance.counts_at_once(uuid);
drop trigger checks on finance.payment_methods;
drop trigger closed on finance.payments;
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.check_closed('status', 'decision', 'submitted_by', 'submitted_at', 'verified_by', 'verified_at', 'verification_status', 'completed_at', 'reversed', 'allocated', 'unallocated', 'base_amount', 'base_allocated', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
alter table finance.payments drop column fee;
update app.entities set derived = array_remove(derived, 'fee') where name = 'finance.payments';
