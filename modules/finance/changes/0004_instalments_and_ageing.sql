-- What a party owes us, less what we owe it back, in the currency of the books, see parties.exposure.
create or replace function finance.party_exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(case when i.kind = 'CREDIT_NOTE' then -1 else 1 end * coalesce(i.base_gross - i.base_settled, round(i.balance * i.exchange_rate, 2))), 0) from finance.invoices i
            where i.organization_id = app.organization() and i.party_id = party and i.direction = 'out' and i.number is not null and i.balance > 0 and i.deleted_at is null)
         - (select coalesce(sum(case p.direction when 'in' then 1 else -1 end * coalesce(p.base_amount - p.base_allocated, round((p.amount - p.allocated) * p.exchange_rate, 2))), 0)
            from finance.payments p where p.organization_id = app.organization() and p.party_id = party and p.direction in ('in', 'refund') and p.status = 'completed'
              and p.amount <> p.allocated and p.deleted_at is null);
end $$;

drop function finance.invoice_aging(text, date, text, integer[]);

alter table finance.payment_allocations add column counts_on date, add column paid_on date, add column issued_on date;
comment on column finance.payment_allocations.counts_on is 'When both were there, the payment and the invoice, and the one was for the other.';
comment on column finance.payment_allocations.paid_on is 'Of the payment, and the next of the invoice: so that what was open on a day is found without them.';
select app.derive('finance.payment_allocations', '{counts_on,paid_on,issued_on}');
create or replace function finance.check_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function finance.book_allocation(of_allocation uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
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
alter table finance.payment_allocations disable trigger user;
update finance.payment_allocations a set counts_on = greatest(a.allocated_on, p.paid_on, i.issued_on), paid_on = p.paid_on, issued_on = i.issued_on
from finance.payments p, finance.invoices i
where p.organization_id = a.organization_id and p.id = a.payment_id and i.organization_id = a.organization_id and i.id = a.invoice_id and a.base_invoice is not null;
alter table finance.payment_allocations enable trigger user;

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

-- down
drop function finance.note_esf(uuid, text, text, date);
drop function finance.draft(jsonb, jsonb);
drop function finance.set_instalments(uuid, date, date[], numeric[]);
drop table finance.instalments;
delete from app.entities where name = 'finance.instalments';
drop function finance.control_balance(text, date);
drop function finance.invoice_aging(text, date, text, integer[], text, boolean);
drop function finance.loose_payments(text, date);
drop function finance.open_invoices(text, date);
drop index finance.allocations_day, finance.allocations_reversed, finance.invoices_credits, finance.payments_loose, finance.payments_voided;
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
create or replace function finance.book_allocation(of_allocation uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
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
update app.entities e set derived = array(select d from unnest(e.derived) d where d <> all ('{counts_on,paid_on,issued_on}')) where e.name = 'finance.payment_allocations';
select app.log('finance.payment_allocations');
alter table finance.payment_allocations drop column counts_on, drop column paid_on, drop column issued_on;
-- What a party owes us, less what we owe it back, see parties.exposure.
create or replace function finance.party_exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(round(case when i.kind = 'CREDIT_NOTE' then -i.balance else i.balance end * i.exchange_rate, 2)), 0) from finance.invoices i
            where i.organization_id = app.organization() and i.party_id = party and i.direction = 'out' and i.number is not null and i.deleted_at is null)
         - (select coalesce(sum(round(p.unallocated * p.exchange_rate, 2)), 0) from finance.payments p
            where p.organization_id = app.organization() and p.party_id = party and p.direction = 'in' and p.status = 'completed' and p.deleted_at is null);
end $$;

-- DEFINITIONS 8. What was open on a day, by how long it was due then. `limits` are the upper ends of the buckets. Runs
-- with the rights of whoever asks. Credit that settles nothing and money that is not allocated stand apart, negative.
create function finance.invoice_aging(of_direction text, as_of date, basis text, limits integer[])
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
