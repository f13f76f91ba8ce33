-- Payment runs pay in the days of a discount, less the discount; payments that wait for approval hold the file of the bank back.
alter table banking.payment_run_lines add column discount app.money not null default 0;
comment on column banking.payment_run_lines.amount is 'Empty: all that is open, less the discount for paying early.';
comment on column banking.payment_run_lines.discount is 'Not paid, for it is paid in the days of its discount.';
select app.derive('banking.payment_run_lines', '{discount}');
create or replace function banking.entry_of(payment uuid, out entry uuid, out account uuid) language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    -- The money comes first, what its method keeps of it last.
    select e.id, l.account_id into entry, account from ledger.journal_entries e
    join ledger.journal_entry_lines l on l.organization_id = e.organization_id and l.entry_id = e.id
    join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id and (a.purpose is null or a.purpose not in ('receivable', 'payable'))
    where e.organization_id = here and l.organization_id = here and a.organization_id = here and e.source = 'finance.payments' and e.source_id = payment and e.event = 'complete'
      and e.reverses_id is null and not e.is_reversed
    order by l.position limit 1;
end $$;

create or replace function banking.match(of_line uuid, items jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); l banking.statement_lines; b banking.bank_accounts; item jsonb; rest numeric; part numeric; match uuid; entry uuid; account uuid;
    p finance.payments; i finance.invoices; g record; payment uuid; open_part numeric; written uuid; bodies jsonb := '[]'; run uuid; worth numeric;
begin
    select * into l from banking.statement_lines x where x.organization_id = here and x.id = of_line for no key update;
    if l.status <> 'open' then raise exception 'This line is matched already.' using errcode = 'AP001'; end if;
    select * into strict b from banking.bank_accounts x where x.organization_id = here and x.id = l.bank_account_id;
    if jsonb_typeof(items) is distinct from 'array' or jsonb_array_length(items) not between 1 and 100 or exists (select from jsonb_array_elements(items) x
        where jsonb_typeof(x) <> 'object' or num_nonnulls(x ->> 'payment_id', x ->> 'entry_id', x ->> 'invoice_id', coalesce(x ->> 'account_id', case when not x ? 'invoice_id' then x ->> 'party_id' end)) <> 1) then
        raise exception 'Say what the line is: payments, invoices, a party, accounts.' using errcode = 'AP001', column = 'items';
    end if;
    rest := l.amount;
    for item in select x from jsonb_array_elements(items) with ordinality u (x, n)
        -- What has an amount of its own comes before what takes the rest.
        order by (x ->> 'amount' is null and (x ? 'account_id' or x ? 'party_id')), n
    loop
        match := app.new_id();
        part := round(sales.read_number(item, 'amount'), b.digits);
        if part = 0 then raise exception 'A part of nothing is no part.' using errcode = 'AP001', column = 'amount'; end if;
        if item ->> 'payment_id' is not null then
            select * into p from finance.payments x where x.organization_id = here and x.id = sales.read_id(item, 'payment_id') for no key update;
            if not found or p.status <> all ('{pending,processing,completed}') then
                raise exception 'Only a payment that is under way or completed is on a statement.' using errcode = 'AP001', column = 'payment_id';
            end if;
            if p.currency <> b.currency then
                raise exception 'The payment is in %, the account in %.', p.currency, b.currency using errcode = 'AP001', column = 'payment_id';
            end if;
            if p.status <> 'completed' then perform finance.finish_payment(p.id, l.booked_on, b.account_id); end if;
            select e.entry, e.account into entry, account from banking.entry_of(p.id) e;
            -- What the bank sees is without the fee that the method has kept.
            select sum(x.currency_amount), sum(x.debit - x.credit) into part, worth from ledger.journal_entry_lines x
            where x.organization_id = here and x.entry_id = entry and x.account_id = account;
            if account <> b.account_id then     -- it was entered for another account of money: it moves to this one
                select * into p from finance.payments x where x.organization_id = here and x.id = p.id;
                entry := ledger.post(b.legal_entity_id, 'money', greatest(l.booked_on, p.paid_on), p.number, null, 'banking.line_matches', match, 'move', array[
                    banking.posting(b.account_id, worth, b.currency, part, p.party_id, null),
                    banking.posting(account, -worth, b.currency, -part, p.party_id, null)]);
                perform banking.remember(l, b, part, entry, p.id, null, null, 'entry', match);
            else
                perform banking.remember(l, b, part, entry, p.id, null, null, 'nothing', match);
            end if;
            perform banking.learn(p.party_id, l);
            for run in select x.run_id from banking.payment_run_lines x where x.organization_id = here and x.payment_id = p.id loop perform banking.follow_run(run); end loop;
        elsif item ->> 'entry_id' is not null then
            select e.id, sum(x.currency_amount) into entry, part from ledger.journal_entries e join ledger.journal_entry_lines x on x.organization_id = e.organization_id and x.entry_id = e.id
            where e.organization_id = here and x.organization_id = here and e.id = sales.read_id(item, 'entry_id') and e.status = 'posted' and not e.is_reversed and e.reverses_id is null
              and x.account_id = b.account_id and x.currency = b.currency group by e.id;
            if entry is null or part = 0 then raise exception 'This entry is not on this account.' using errcode = 'AP001', column = 'entry_id'; end if;
            perform banking.remember(l, b, part, entry, null, null, null, 'nothing', match);
        elsif item ->> 'invoice_id' is not null then
            select * into i from finance.invoices x where x.organization_id = here and x.id = sales.read_id(item, 'invoice_id') for no key update;
            if not found or i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then
                raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001', column = 'invoice_id';
            end if;
            open_part := coalesce(sales.read_number(item, 'invoice_amount'), case when i.currency = b.currency and part is not null then abs(part) else i.balance - coalesce(sales.read_number(item, 'write_off'), 0) end);
            part := coalesce(part, case when i.currency = b.currency then case finance.paid_by(i.direction, i.kind) when 'in' then open_part else -open_part end else rest end);
            if (part > 0) <> (finance.paid_by(i.direction, i.kind) = 'in') then
                raise exception 'Money that comes in pays our invoices, money that goes out those of suppliers, a refund credit notes.' using errcode = 'AP001', column = 'invoice_id';
            end if;
            if i.currency = b.currency and open_part <> abs(part) then
                raise exception 'The amount of the invoice and that of the line differ: both are in %.', b.currency using errcode = 'AP001', column = 'invoice_amount';
            end if;
            if sales.read_number(item, 'write_off') > 0 then
                written := finance.write_off(i.id, jsonb_build_object('amount', item ->> 'write_off', 'kind', coalesce(item ->> 'write_off_kind', 'difference'), 'taken_on', greatest(l.booked_on, i.issued_on)));
            else
                written := null;
            end if;
            bodies := bodies || jsonb_build_object('party', i.party_id, 'way', finance.paid_by(i.direction, i.kind), 'currency', i.currency, 'invoice_id', i.id, 'amount', open_part::text,
                'part', part, 'written', written, 'number', i.number);
        elsif item ->> 'account_id' is not null then
            part := coalesce(part, rest);
            entry := banking.book_on(b, item, part, l.booked_on, coalesce(l.reference, (select s.number from banking.statements s where s.organization_id = here and s.id = l.statement_id)),
                coalesce(l.text, l.counterparty), 'banking.line_matches', match);
            perform banking.remember(l, b, part, entry, null, null, null, 'entry', match);
        else
            part := coalesce(part, rest);
            bodies := bodies || jsonb_build_object('party', sales.read_id(item, 'party_id'), 'way', case when part > 0 then 'in' else 'out' end, 'currency', b.currency, 'amount', abs(part)::text, 'part', part);
        end if;
        rest := rest - part;
    end loop;
    if rest <> 0 then
        raise exception 'The parts come to %, the line to %.', trim_scale(l.amount - rest), trim_scale(l.amount) using errcode = 'AP001', column = 'items';
    end if;
    -- The invoices of one party are one payment.
    for g in
        select x ->> 'party' as party, x ->> 'way' as way, x ->> 'currency' as currency, sum((x ->> 'amount')::numeric) as amount, sum((x ->> 'part')::numeric) as part,
            coalesce(jsonb_agg(jsonb_build_object('invoice_id', x ->> 'invoice_id', 'amount', x ->> 'amount')) filter (where x ->> 'invoice_id' is not null), '[]') as allocations,
            string_agg(x ->> 'number', ', ') as numbers, min(x ->> 'invoice_id') as invoice, array_remove(array_agg((x ->> 'written')::uuid), null) as written
        from jsonb_array_elements(bodies) x group by 1, 2, 3 order by 1, 2, 3
    loop
        match := app.new_id();
        payment := finance.enter_payment(jsonb_build_object('direction', g.way, 'party_id', g.party, 'amount', g.amount::text, 'currency', g.currency, 'paid_on', l.booked_on,
            'account_id', case when g.currency = b.currency then b.account_id else ledger.account('conversion') end, 'legal_entity_id', b.legal_entity_id,
            'method', case b.kind when 'gateway' then 'CARD' when 'cash' then 'CASH' else 'BANK_TRANSFER' end, 'reference', left(coalesce(g.numbers, l.text), 255),
            'bank_reference', l.reference, 'allocations', g.allocations));
        if g.currency = b.currency then
            entry := (banking.entry_of(payment)).entry;
        else
            entry := banking.convert(b, g.part, (select sign(g.part) * x.base_amount from finance.payments x where x.organization_id = here and x.id = payment), l.booked_on,
                (select x.number from finance.payments x where x.organization_id = here and x.id = payment), g.party::uuid, match);
        end if;
        perform banking.remember(l, b, g.part, entry, payment, g.invoice::uuid, g.written[1], 'payment', match);
        for n in 2 .. cardinality(g.written) loop
            raise exception 'One difference is written off at a time.' using errcode = 'AP001', column = 'items';
        end loop;
        perform banking.learn(g.party::uuid, l);
    end loop;
    update banking.statement_lines x set status = 'matched', matched_by = app.actor(), matched_at = now() where x.organization_id = here and x.id = l.id;
    update banking.statements x set matched_count = x.matched_count + 1 where x.organization_id = here and x.id = l.statement_id;
end $$;

create or replace function banking.check_run_line() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := (coalesce(new, old)).organization_id; state text; b banking.bank_accounts; i finance.invoices; a banking.party_accounts; early numeric;
begin
    -- Gone with its run, which could be thrown away.
    select r.status into state from banking.payment_runs r where r.organization_id = here and r.id = (coalesce(new, old)).run_id for no key update;
    if not found then return coalesce(new, old); end if;
    if tg_op = 'UPDATE' and to_jsonb(new) - '{payment_id,is_live,version,updated_at,updated_by,custom}'::text[]
        = to_jsonb(old) - '{payment_id,is_live,version,updated_at,updated_by,custom}'::text[] then
        return new;
    end if;
    if state <> 'draft' then raise exception 'The record that this belongs to is no longer open.' using errcode = 'AP001'; end if;
    if tg_op = 'DELETE' then return old; end if;
    select x.* into b from banking.payment_runs r join banking.bank_accounts x on x.organization_id = r.organization_id and x.id = r.bank_account_id
    where r.organization_id = here and x.organization_id = here and r.id = new.run_id;
    select * into i from finance.invoices x where x.organization_id = here and x.id = new.invoice_id;
    if i.direction is distinct from 'in' or i.number is null or i.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
        raise exception 'Only posted bills of suppliers are paid together.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if i.currency <> b.currency then
        raise exception 'The invoice is in %, the account in %.', i.currency, b.currency using errcode = 'AP001', column = 'invoice_id';
    end if;
    new.party_id := i.party_id;
    early := coalesce(receivables.early_discount(i.id, (select greatest(r.execute_on, current_date) from banking.payment_runs r where r.organization_id = here and r.id = new.run_id)), 0);
    if early >= i.balance then early := 0; end if;
    new.amount := coalesce(new.amount, i.balance - early);
    new.discount := case when new.amount = i.balance - early then early else 0 end;
    if new.amount > i.balance or new.amount <> round(new.amount, b.digits) then
        raise exception 'No more than % is open.', trim_scale(i.balance) using errcode = 'AP001', column = 'amount';
    end if;
    new.party_account_id := coalesce(new.party_account_id, (select x.id from banking.party_accounts x where x.organization_id = here and x.party_id = i.party_id
        and not x.is_learned and x.deleted_at is null order by x.is_default desc, x.created_at limit 1));
    select * into a from banking.party_accounts x where x.organization_id = here and x.id = new.party_account_id;
    if a.party_id <> i.party_id then raise exception 'This account is that of another party.' using errcode = 'AP001', column = 'party_account_id'; end if;
    return new;
end $$;

create or replace function banking.propose(run uuid, body jsonb) returns integer language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r banking.payment_runs; n integer;
begin
    select * into strict r from banking.payment_runs x where x.organization_id = here and x.id = run for no key update;
    insert into banking.payment_run_lines (run_id, invoice_id)
    select run, i.id from finance.invoices i join banking.bank_accounts b on b.organization_id = i.organization_id and b.id = r.bank_account_id
    where i.organization_id = here and b.organization_id = here and i.direction = 'in' and i.number is not null and i.deleted_at is null and i.kind not in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT')
      and i.balance > 0 and i.currency = b.currency
      and coalesce(receivables.discount_until(i.id, greatest(r.execute_on, current_date)), i.due_on) <= coalesce(sales.read_date(body, 'due_by'), r.execute_on)
      and (body ->> 'party_id' is null or i.party_id = sales.read_id(body, 'party_id'))
      and not exists (select from banking.payment_run_lines l where l.organization_id = here and l.invoice_id = i.id and l.is_live and l.deleted_at is null)
      and not exists (select from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
          where a.organization_id = here and p.organization_id = here and a.invoice_id = i.id and p.status in ('pending', 'processing') and a.reversed_on is null)
    order by i.due_on, i.number limit 1000;
    get diagnostics n = row_count;
    return n;
end $$;

create or replace function banking.move_run() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; b banking.bank_accounts; x record;
begin
    if new.status in ('submitted', 'approved') then
        select coalesce(i.supplier_number, i.number) as number into x from banking.payment_run_lines l join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
        where l.organization_id = here and i.organization_id = here and l.run_id = new.id and l.deleted_at is null and l.discount > 0
          and coalesce(receivables.early_discount(i.id, greatest(new.execute_on, current_date)), 0) < l.discount limit 1;
        if found then raise exception 'The discount on % ends before the bank pays it; change its amount.', x.number using errcode = 'AP001', column = 'lines'; end if;
    end if;
    if new.status = 'submitted' then
        select q.name into x from banking.payment_run_lines l join parties.parties q on q.organization_id = l.organization_id and q.id = l.party_id
            left join banking.party_accounts a on a.organization_id = l.organization_id and a.id = l.party_account_id and not a.is_learned and a.deleted_at is null
        where l.organization_id = here and q.organization_id = here and l.run_id = new.id and l.deleted_at is null and a.id is null limit 1;
        if found then raise exception 'There is no confirmed bank account of %.', x.name using errcode = 'AP001', column = 'lines'; end if;
        if new.amount <= 0 then raise exception 'There is nothing to pay in this run.' using errcode = 'AP001', column = 'lines'; end if;
        new.submitted_by := app.actor();
    elsif new.status = 'draft' then
        new.submitted_by := null;
    elsif new.status = 'approved' then
        if app.actor() is null or app.actor() in (new.created_by, new.submitted_by) or exists (select from app.audit a where a.organization_id = here and a.actor_id = app.actor()
            and (a.entity = 'banking.payment_runs' and a.record_id = new.id and (a.action = 'insert' or a.new ?| '{bank_account_id,execute_on}')
                or a.entity = 'banking.payment_run_lines' and a.record_id in (select l.id from banking.payment_run_lines l where l.organization_id = here and l.run_id = new.id))) then
            raise exception 'Whoever prepared a payment run does not approve it.' using errcode = 'AP001';
        end if;
        new.approved_by := app.actor();
        new.approved_at := now();
        select * into strict b from banking.bank_accounts y where y.organization_id = here and y.id = new.bank_account_id;
        for x in select l.id, l.party_id, l.invoice_id, l.amount, coalesce(i.supplier_number, i.number) as number from banking.payment_run_lines l
            join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
            where l.organization_id = here and i.organization_id = here and l.run_id = new.id and l.deleted_at is null order by l.invoice_id
        loop
            update banking.payment_run_lines l set payment_id = finance.enter_payment(jsonb_build_object('direction', 'out', 'party_id', x.party_id, 'amount', x.amount::text,
                'currency', b.currency, 'paid_on', greatest(new.execute_on, current_date), 'account_id', b.account_id, 'legal_entity_id', b.legal_entity_id, 'reference', x.number,
                'bank_reference', new.number, 'complete', false, 'allocations', jsonb_build_array(jsonb_build_object('invoice_id', x.invoice_id, 'amount', x.amount::text))))
            where l.organization_id = here and l.id = x.id;
        end loop;
    elsif new.status = 'cancelled' then
        if exists (select from banking.payment_run_lines l join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
            where l.organization_id = here and p.organization_id = here and l.run_id = new.id and p.status = 'completed') then
            raise exception 'The bank has paid some of this run already.' using errcode = 'AP001';
        end if;
        for x in select l.id, l.payment_id from banking.payment_run_lines l where l.organization_id = here and l.run_id = new.id order by l.payment_id loop
            if x.payment_id is not null then perform finance.cancel_payment(x.payment_id); end if;
            update banking.payment_run_lines l set is_live = false where l.organization_id = here and l.id = x.id;
        end loop;
    end if;
    return new;
end $$;

create function banking.payment_counts(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); x record;
begin
    for x in select l.invoice_id, least(l.discount, i.balance) as discount, greatest(p.paid_on, i.issued_on) as taken_on, p.number from banking.payment_run_lines l
        join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
        join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
        where l.organization_id = here and i.organization_id = here and p.organization_id = here and l.payment_id = payment and l.discount > 0 and i.balance > 0
    loop
        perform finance.write_off(x.invoice_id, jsonb_build_object('kind', 'discount', 'amount', x.discount::text, 'taken_on', x.taken_on, 'reason', x.number));
    end loop;
end $$;

create function banking.held_back(run uuid) returns text language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    return (select p.number from banking.payment_run_lines l join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
        where l.organization_id = here and p.organization_id = here and l.run_id = run and l.deleted_at is null and p.status in ('pending', 'processing')
          and exists (select from app.approval_requests r where r.organization_id = here and r.entity = 'finance.payments' and r.record_id = p.id and r.action = 'complete')
        order by p.number limit 1);
end $$;

-- down
create or replace function banking.entry_of(payment uuid, out entry uuid, out account uuid) language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    select e.id, l.account_id into entry, account from ledger.journal_entries e
    join ledger.journal_entry_lines l on l.organization_id = e.organization_id and l.entry_id = e.id
    join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id and (a.purpose is null or a.purpose not in ('receivable', 'payable'))
    where e.organization_id = here and l.organization_id = here and a.organization_id = here and e.source = 'finance.payments' and e.source_id = payment and e.event = 'complete'
      and e.reverses_id is null and not e.is_reversed;
end $$;

create or replace function banking.match(of_line uuid, items jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); l banking.statement_lines; b banking.bank_accounts; item jsonb; rest numeric; part numeric; match uuid; entry uuid; account uuid;
    p finance.payments; i finance.invoices; g record; payment uuid; open_part numeric; written uuid; bodies jsonb := '[]'; run uuid;
begin
    select * into l from banking.statement_lines x where x.organization_id = here and x.id = of_line for no key update;
    if l.status <> 'open' then raise exception 'This line is matched already.' using errcode = 'AP001'; end if;
    select * into strict b from banking.bank_accounts x where x.organization_id = here and x.id = l.bank_account_id;
    if jsonb_typeof(items) is distinct from 'array' or jsonb_array_length(items) not between 1 and 100 or exists (select from jsonb_array_elements(items) x
        where jsonb_typeof(x) <> 'object' or num_nonnulls(x ->> 'payment_id', x ->> 'entry_id', x ->> 'invoice_id', coalesce(x ->> 'account_id', case when not x ? 'invoice_id' then x ->> 'party_id' end)) <> 1) then
        raise exception 'Say what the line is: payments, invoices, a party, accounts.' using errcode = 'AP001', column = 'items';
    end if;
    rest := l.amount;
    for item in select x from jsonb_array_elements(items) with ordinality u (x, n)
        -- What has an amount of its own comes before what takes the rest.
        order by (x ->> 'amount' is null and (x ? 'account_id' or x ? 'party_id')), n
    loop
        match := app.new_id();
        part := round(sales.read_number(item, 'amount'), b.digits);
        if part = 0 then raise exception 'A part of nothing is no part.' using errcode = 'AP001', column = 'amount'; end if;
        if item ->> 'payment_id' is not null then
            select * into p from finance.payments x where x.organization_id = here and x.id = sales.read_id(item, 'payment_id') for no key update;
            if not found or p.status <> all ('{pending,processing,completed}') then
                raise exception 'Only a payment that is under way or completed is on a statement.' using errcode = 'AP001', column = 'payment_id';
            end if;
            if p.currency <> b.currency then
                raise exception 'The payment is in %, the account in %.', p.currency, b.currency using errcode = 'AP001', column = 'payment_id';
            end if;
            part := case p.direction when 'in' then p.amount else -p.amount end;
            if p.status <> 'completed' then perform finance.finish_payment(p.id, l.booked_on, b.account_id); end if;
            select e.entry, e.account into entry, account from banking.entry_of(p.id) e;
            if account <> b.account_id then     -- it was entered for another account of money: it moves to this one
                select * into p from finance.payments x where x.organization_id = here and x.id = p.id;
                entry := ledger.post(b.legal_entity_id, 'money', greatest(l.booked_on, p.paid_on), p.number, null, 'banking.line_matches', match, 'move', array[
                    banking.posting(b.account_id, sign(part) * p.base_amount, b.currency, part, p.party_id, null),
                    banking.posting(account, -sign(part) * p.base_amount, b.currency, -part, p.party_id, null)]);
                perform banking.remember(l, b, part, entry, p.id, null, null, 'entry', match);
            else
                perform banking.remember(l, b, part, entry, p.id, null, null, 'nothing', match);
            end if;
            perform banking.learn(p.party_id, l);
            for run in select x.run_id from banking.payment_run_lines x where x.organization_id = here and x.payment_id = p.id loop perform banking.follow_run(run); end loop;
        elsif item ->> 'entry_id' is not null then
            select e.id, sum(x.currency_amount) into entry, part from ledger.journal_entries e join ledger.journal_entry_lines x on x.organization_id = e.organization_id and x.entry_id = e.id
            where e.organization_id = here and x.organization_id = here and e.id = sales.read_id(item, 'entry_id') and e.status = 'posted' and not e.is_reversed and e.reverses_id is null
              and x.account_id = b.account_id and x.currency = b.currency group by e.id;
            if entry is null or part = 0 then raise exception 'This entry is not on this account.' using errcode = 'AP001', column = 'entry_id'; end if;
            perform banking.remember(l, b, part, entry, null, null, null, 'nothing', match);
        elsif item ->> 'invoice_id' is not null then
            select * into i from finance.invoices x where x.organization_id = here and x.id = sales.read_id(item, 'invoice_id') for no key update;
            if not found or i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then
                raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001', column = 'invoice_id';
            end if;
            open_part := coalesce(sales.read_number(item, 'invoice_amount'), case when i.currency = b.currency and part is not null then abs(part) else i.balance - coalesce(sales.read_number(item, 'write_off'), 0) end);
            part := coalesce(part, case when i.currency = b.currency then case finance.paid_by(i.direction, i.kind) when 'in' then open_part else -open_part end else rest end);
            if (part > 0) <> (finance.paid_by(i.direction, i.kind) = 'in') then
                raise exception 'Money that comes in pays our invoices, money that goes out those of suppliers, a refund credit notes.' using errcode = 'AP001', column = 'invoice_id';
            end if;
            if i.currency = b.currency and open_part <> abs(part) then
                raise exception 'The amount of the invoice and that of the line differ: both are in %.', b.currency using errcode = 'AP001', column = 'invoice_amount';
            end if;
            if sales.read_number(item, 'write_off') > 0 then
                written := finance.write_off(i.id, jsonb_build_object('amount', item ->> 'write_off', 'kind', coalesce(item ->> 'write_off_kind', 'difference'), 'taken_on', greatest(l.booked_on, i.issued_on)));
            else
                written := null;
            end if;
            bodies := bodies || jsonb_build_object('party', i.party_id, 'way', finance.paid_by(i.direction, i.kind), 'currency', i.currency, 'invoice_id', i.id, 'amount', open_part::text,
                'part', part, 'written', written, 'number', i.number);
        elsif item ->> 'account_id' is not null then
            part := coalesce(part, rest);
            entry := banking.book_on(b, item, part, l.booked_on, coalesce(l.reference, (select s.number from banking.statements s where s.organization_id = here and s.id = l.statement_id)),
                coalesce(l.text, l.counterparty), 'banking.line_matches', match);
            perform banking.remember(l, b, part, entry, null, null, null, 'entry', match);
        else
            part := coalesce(part, rest);
            bodies := bodies || jsonb_build_object('party', sales.read_id(item, 'party_id'), 'way', case when part > 0 then 'in' else 'out' end, 'currency', b.currency, 'amount', abs(part)::text, 'part', part);
        end if;
        rest := rest - part;
    end loop;
    if rest <> 0 then
        raise exception 'The parts come to %, the line to %.', trim_scale(l.amount - rest), trim_scale(l.amount) using errcode = 'AP001', column = 'items';
    end if;
    -- The invoices of one party are one payment.
    for g in
        select x ->> 'party' as party, x ->> 'way' as way, x ->> 'currency' as currency, sum((x ->> 'amount')::numeric) as amount, sum((x ->> 'part')::numeric) as part,
            coalesce(jsonb_agg(jsonb_build_object('invoice_id', x ->> 'invoice_id', 'amount', x ->> 'amount')) filter (where x ->> 'invoice_id' is not null), '[]') as allocations,
            string_agg(x ->> 'number', ', ') as numbers, min(x ->> 'invoice_id') as invoice, array_remove(array_agg((x ->> 'written')::uuid), null) as written
        from jsonb_array_elements(bodies) x group by 1, 2, 3 order by 1, 2, 3
    loop
        match := app.new_id();
        payment := finance.enter_payment(jsonb_build_object('direction', g.way, 'party_id', g.party, 'amount', g.amount::text, 'currency', g.currency, 'paid_on', l.booked_on,
            'account_id', case when g.currency = b.currency then b.account_id else ledger.account('conversion') end, 'legal_entity_id', b.legal_entity_id,
            'method', case b.kind when 'gateway' then 'CARD' when 'cash' then 'CASH' else 'BANK_TRANSFER' end, 'reference', left(coalesce(g.numbers, l.text), 255),
            'bank_reference', l.reference, 'allocations', g.allocations));
        if g.currency = b.currency then
            entry := (banking.entry_of(payment)).entry;
        else
            entry := banking.convert(b, g.part, (select sign(g.part) * x.base_amount from finance.payments x where x.organization_id = here and x.id = payment), l.booked_on,
                (select x.number from finance.payments x where x.organization_id = here and x.id = payment), g.party::uuid, match);
        end if;
        perform banking.remember(l, b, g.part, entry, payment, g.invoice::uuid, g.written[1], 'payment', match);
        for n in 2 .. cardinality(g.written) loop
            raise exception 'One difference is written off at a time.' using errcode = 'AP001', column = 'items';
        end loop;
        perform banking.learn(g.party::uuid, l);
    end loop;
    update banking.statement_lines x set status = 'matched', matched_by = app.actor(), matched_at = now() where x.organization_id = here and x.id = l.id;
    update banking.statements x set matched_count = x.matched_count + 1 where x.organization_id = here and x.id = l.statement_id;
end $$;

create or replace function banking.check_run_line() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := (coalesce(new, old)).organization_id; state text; b banking.bank_accounts; i finance.invoices; a banking.party_accounts;
begin
    -- Gone with its run, which could be thrown away.
    select r.status into state from banking.payment_runs r where r.organization_id = here and r.id = (coalesce(new, old)).run_id for no key update;
    if not found then return coalesce(new, old); end if;
    if tg_op = 'UPDATE' and to_jsonb(new) - '{payment_id,is_live,version,updated_at,updated_by,custom}'::text[]
        = to_jsonb(old) - '{payment_id,is_live,version,updated_at,updated_by,custom}'::text[] then
        return new;
    end if;
    if state <> 'draft' then raise exception 'The record that this belongs to is no longer open.' using errcode = 'AP001'; end if;
    if tg_op = 'DELETE' then return old; end if;
    select x.* into b from banking.payment_runs r join banking.bank_accounts x on x.organization_id = r.organization_id and x.id = r.bank_account_id
    where r.organization_id = here and x.organization_id = here and r.id = new.run_id;
    select * into i from finance.invoices x where x.organization_id = here and x.id = new.invoice_id;
    if i.direction is distinct from 'in' or i.number is null or i.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
        raise exception 'Only posted bills of suppliers are paid together.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if i.currency <> b.currency then
        raise exception 'The invoice is in %, the account in %.', i.currency, b.currency using errcode = 'AP001', column = 'invoice_id';
    end if;
    new.party_id := i.party_id;
    new.amount := coalesce(new.amount, i.balance);
    if new.amount > i.balance or new.amount <> round(new.amount, b.digits) then
        raise exception 'No more than % is open.', trim_scale(i.balance) using errcode = 'AP001', column = 'amount';
    end if;
    new.party_account_id := coalesce(new.party_account_id, (select x.id from banking.party_accounts x where x.organization_id = here and x.party_id = i.party_id
        and not x.is_learned and x.deleted_at is null order by x.is_default desc, x.created_at limit 1));
    select * into a from banking.party_accounts x where x.organization_id = here and x.id = new.party_account_id;
    if a.party_id <> i.party_id then raise exception 'This account is that of another party.' using errcode = 'AP001', column = 'party_account_id'; end if;
    return new;
end $$;

create or replace function banking.propose(run uuid, body jsonb) returns integer language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r banking.payment_runs; n integer;
begin
    select * into strict r from banking.payment_runs x where x.organization_id = here and x.id = run for no key update;
    insert into banking.payment_run_lines (run_id, invoice_id)
    select run, i.id from finance.invoices i join banking.bank_accounts b on b.organization_id = i.organization_id and b.id = r.bank_account_id
    where i.organization_id = here and b.organization_id = here and i.direction = 'in' and i.number is not null and i.deleted_at is null and i.kind not in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT')
      and i.balance > 0 and i.currency = b.currency and i.due_on <= coalesce(sales.read_date(body, 'due_by'), r.execute_on)
      and (body ->> 'party_id' is null or i.party_id = sales.read_id(body, 'party_id'))
      and not exists (select from banking.payment_run_lines l where l.organization_id = here and l.invoice_id = i.id and l.is_live and l.deleted_at is null)
      and not exists (select from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
          where a.organization_id = here and p.organization_id = here and a.invoice_id = i.id and p.status in ('pending', 'processing') and a.reversed_on is null)
    order by i.due_on, i.number limit 1000;
    get diagnostics n = row_count;
    return n;
end $$;

create or replace function banking.move_run() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; b banking.bank_accounts; x record;
begin
    if new.status = 'submitted' then
        select q.name into x from banking.payment_run_lines l join parties.parties q on q.organization_id = l.organization_id and q.id = l.party_id
            left join banking.party_accounts a on a.organization_id = l.organization_id and a.id = l.party_account_id and not a.is_learned and a.deleted_at is null
        where l.organization_id = here and q.organization_id = here and l.run_id = new.id and l.deleted_at is null and a.id is null limit 1;
        if found then raise exception 'There is no confirmed bank account of %.', x.name using errcode = 'AP001', column = 'lines'; end if;
        if new.amount <= 0 then raise exception 'There is nothing to pay in this run.' using errcode = 'AP001', column = 'lines'; end if;
        new.submitted_by := app.actor();
    elsif new.status = 'draft' then
        new.submitted_by := null;
    elsif new.status = 'approved' then
        if app.actor() is null or app.actor() in (new.created_by, new.submitted_by) or exists (select from app.audit a where a.organization_id = here and a.actor_id = app.actor()
            and (a.entity = 'banking.payment_runs' and a.record_id = new.id and (a.action = 'insert' or a.new ?| '{bank_account_id,execute_on}')
                or a.entity = 'banking.payment_run_lines' and a.record_id in (select l.id from banking.payment_run_lines l where l.organization_id = here and l.run_id = new.id))) then
            raise exception 'Whoever prepared a payment run does not approve it.' using errcode = 'AP001';
        end if;
        new.approved_by := app.actor();
        new.approved_at := now();
        select * into strict b from banking.bank_accounts y where y.organization_id = here and y.id = new.bank_account_id;
        for x in select l.id, l.party_id, l.invoice_id, l.amount, coalesce(i.supplier_number, i.number) as number from banking.payment_run_lines l
            join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
            where l.organization_id = here and i.organization_id = here and l.run_id = new.id and l.deleted_at is null order by l.invoice_id
        loop
            update banking.payment_run_lines l set payment_id = finance.enter_payment(jsonb_build_object('direction', 'out', 'party_id', x.party_id, 'amount', x.amount::text,
                'currency', b.currency, 'paid_on', greatest(new.execute_on, current_date), 'account_id', b.account_id, 'legal_entity_id', b.legal_entity_id, 'reference', x.number,
                'bank_reference', new.number, 'complete', false, 'allocations', jsonb_build_array(jsonb_build_object('invoice_id', x.invoice_id, 'amount', x.amount::text))))
            where l.organization_id = here and l.id = x.id;
        end loop;
    elsif new.status = 'cancelled' then
        if exists (select from banking.payment_run_lines l join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
            where l.organization_id = here and p.organization_id = here and l.run_id = new.id and p.status = 'completed') then
            raise exception 'The bank has paid some of this run already.' using errcode = 'AP001';
        end if;
        for x in select l.id, l.payment_id from banking.payment_run_lines l where l.organization_id = here and l.run_id = new.id order by l.payment_id loop
            if x.payment_id is not null then perform finance.cancel_payment(x.payment_id); end if;
            update banking.payment_run_lines l set is_live = false where l.organization_id = here and l.id = x.id;
        end loop;
    end if;
    return new;
end $$;

drop function banking.payment_counts(uuid);
drop function banking.held_back(uuid);
alter table banking.payment_run_lines drop column discount;
comment on column banking.payment_run_lines.amount is 'Empty: all that is open.';
update app.entities set derived = array_remove(derived, 'discount') where name = 'banking.payment_run_lines';
