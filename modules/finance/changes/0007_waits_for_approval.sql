-- What an action makes waits where a rule of approval holds it back; modules follow invoices too.
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

create trigger moves_on_insert after insert on finance.invoices for each row when (new.status = 'draft') execute function finance.follow_invoice('invoice_made');
create trigger moves_on after update on finance.invoices for each row when (old.status = 'draft' and new.number is not null) execute function finance.follow_invoice('invoice_posted');

-- down
drop trigger moves_on_insert on finance.invoices;
drop trigger moves_on on finance.invoices;
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

drop function finance.tell_modules(text, uuid);
drop function finance.follow_invoice();
drop function finance.prepare(uuid);
drop function finance.post(uuid);
drop function finance.complete(uuid);
drop function finance.counts_at_once(uuid);
