-- Money that somebody else has looked at: payments are submitted and verified, belong to deals, and are reversed.
alter table finance.payments drop constraint allocated_within_amount;
alter table finance.payments drop column unallocated;
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
create index payments_deal_id_fk on finance.payments (organization_id, deal_id);
create index payments_submitted_by_fk on finance.payments (organization_id, submitted_by);
create index payments_verified_by_fk on finance.payments (organization_id, verified_by);
create index payments_reverses_id_fk on finance.payments (organization_id, reverses_id);
alter table finance.payments drop constraint status_is_known, add constraint status_is_known check (status = any ('{pending,processing,completed,failed,cancelled,submitted,rejected,returned}'));
insert into app.transitions (entity, field, source, target, action, sort) values
    ('finance.payments', 'status', 'pending', 'submitted', 'submit', 9),
    ('finance.payments', 'status', 'rejected', 'submitted', 'submit', 10),
    ('finance.payments', 'status', 'returned', 'submitted', 'submit', 11),
    ('finance.payments', 'status', 'submitted', 'completed', 'verify', 12),
    ('finance.payments', 'status', 'submitted', 'rejected', 'reject', 13),
    ('finance.payments', 'status', 'submitted', 'returned', 'return', 14),
    ('finance.payments', 'status', 'rejected', 'cancelled', 'cancel', 15),
    ('finance.payments', 'status', 'returned', 'cancelled', 'cancel', 16);
select app.derive('finance.payments', '{reverses_id,reversal,decision,submitted_by,submitted_at,verified_by,verified_at,completed_at,reversed}');
drop trigger closed on finance.payments;
drop trigger closed_throw on finance.payments;
drop trigger closed_delete on finance.payments;
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.check_closed('status', 'decision', 'submitted_by', 'submitted_at', 'verified_by', 'verified_at', 'verification_status', 'completed_at', 'reversed', 'allocated', 'unallocated', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
create trigger closed_throw before update on finance.payments for each row
    when (old.status <> all ('{pending,processing,rejected,returned}') and new.deleted_at is distinct from old.deleted_at)
    execute function app.refuse('A payment that has been made stays; void it instead.');
create trigger closed_delete before delete on finance.payments for each row when (old.status <> all ('{pending,processing,rejected,returned}'))
    execute function app.refuse('A payment that has been made stays; void it instead.');
create or replace function finance.needs_verification(direction text, in_workspace uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return direction <> 'out' and coalesce(app.setting('finance.payments_need_verification', in_workspace) = 'true', false);
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
create or replace function finance.allocate(payment uuid, body jsonb) returns numeric language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function finance.receipt(payment uuid) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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
create or replace function finance.party_exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(round(case when i.kind = 'CREDIT_NOTE' then -i.balance else i.balance end * i.exchange_rate, 2)), 0) from finance.invoices i
            where i.organization_id = app.organization() and i.party_id = party and i.direction = 'out' and i.number is not null and i.deleted_at is null)
         - (select coalesce(sum(round(p.unallocated * p.exchange_rate, 2)), 0) from finance.payments p
            where p.organization_id = app.organization() and p.party_id = party and p.direction = 'in' and p.status = 'completed' and p.deleted_at is null);
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

-- What follows when a payment counts, in the same transaction. Modules that follow payments say so by a function of the
-- name <module>.payment_counts(payment); it is found by its name, so that this module has to know of none. The number of
-- the receipt comes last.
create function finance.follow_payment() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
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
    if not finance.needs_verification('in', d.workspace_id) then
        update finance.payments p set status = 'completed' where p.organization_id = here and p.id = made;
    end if;
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
    update finance.payments x set status = case when finance.needs_verification('refund', p.workspace_id) then 'submitted' else 'completed' end
    where x.organization_id = here and x.id = made;
    return made;
end $$;

-- down: who verified what, reversals and the deals of payments are lost
drop trigger verifies on finance.payments;
drop trigger counts_insert on finance.payments;
drop trigger counts_delete on finance.payments;
drop trigger counts_update on finance.payments;
drop trigger moves_on on finance.payments;
drop trigger closed on finance.payments;
drop trigger closed_throw on finance.payments;
drop trigger closed_delete on finance.payments;
create trigger closed after update on finance.payments for each row when (old.status <> all ('{pending,processing}'))
    execute function app.check_closed('status', 'allocated', 'unallocated', 'note', 'internal_note', 'tags', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text');
create trigger closed_throw before update on finance.payments for each row
    when (old.status <> all ('{pending,processing}') and new.deleted_at is distinct from old.deleted_at)
    execute function app.refuse('A payment that has been made stays; void it instead.');
create trigger closed_delete before delete on finance.payments for each row when (old.status <> all ('{pending,processing}'))
    execute function app.refuse('A payment that has been made stays; void it instead.');
create or replace function finance.check_allocation() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare p finance.payments; i finance.invoices; r finance.payment_allocations := coalesce(new, old);
begin
    select * into p from finance.payments x where x.organization_id = r.organization_id and x.id = r.payment_id for no key update;
    if not found then return r; end if;     -- gone with its payment, which was still open
    if tg_op <> 'INSERT' and p.status not in ('pending', 'processing') then
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
    update finance.payments p set status = 'completed' where p.organization_id = here and p.id = made;
    return made;
end $$;
create or replace function finance.allocate(payment uuid, body jsonb) returns numeric language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    p finance.payments; i finance.invoices; wanted jsonb; a record; left_over numeric; piece numeric; given numeric := 0;
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is null or p.status in ('failed', 'cancelled') then raise exception 'A payment that is % pays nothing.', p.status using errcode = 'AP001'; end if;
    left_over := p.amount - p.allocated;
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
create or replace function finance.receipt(payment uuid) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); p finance.payments; made uuid := app.new_id();
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment for no key update;
    if p.status is distinct from 'completed' or p.direction <> 'in' then
        raise exception 'A receipt is given for money that has come in.' using errcode = 'AP001';
    end if;
    insert into finance.invoices (id, direction, kind, party_id, payment_id, workspace_id, currency, exchange_rate, issued_on, payment_terms, reference)
    values (made, 'out', 'RECEIPT', p.party_id, p.id, p.workspace_id, p.currency, p.exchange_rate, greatest(p.paid_on, current_date), 'NET_0', p.number);
    insert into finance.invoice_lines (invoice_id, name, price, tax_rate, price_includes_tax) values (made, concat_ws(' ', p.number, p.reference), p.amount, 0, true);
    update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made;
    return made;
end $$;
create or replace function finance.party_exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(round(case when i.kind = 'CREDIT_NOTE' then -i.balance else i.balance end * i.exchange_rate, 2)), 0) from finance.invoices i
            where i.organization_id = app.organization() and i.party_id = party and i.direction = 'out' and i.number is not null and i.deleted_at is null)
         - (select coalesce(sum(round((p.amount - p.allocated) * p.exchange_rate, 2)), 0) from finance.payments p
            where p.organization_id = app.organization() and p.party_id = party and p.direction = 'in' and p.status = 'completed' and p.deleted_at is null);
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
        from finance.payments p
        where p.organization_id = app.organization() and p.status = 'completed' and p.paid_on <= as_of and p.deleted_at is null
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
drop function finance.reverse(uuid, jsonb);
drop function finance.pay_deal(uuid, jsonb);
drop function finance.follow_payment();
drop function finance.tell_payment(finance.payments);
drop function finance.take_back(uuid, numeric);
drop function finance.count_payment();
drop function finance.check_verification();
drop function finance.needs_verification(text, uuid);
delete from app.transitions where entity = 'finance.payments' and (source in ('submitted', 'rejected', 'returned') or target = 'submitted');
alter table finance.payments
    drop column verification_status, drop column unallocated, drop column deal_id, drop column reverses_id, drop column reversal, drop column decision,
    drop column submitted_by, drop column submitted_at, drop column verified_by, drop column verified_at, drop column completed_at, drop column reversed,
    add column unallocated app.money generated always as (amount - allocated) stored,
    add constraint allocated_within_amount check (allocated <= greatest(amount, 0)),
    drop constraint status_is_known, add constraint status_is_known check (status = any ('{pending,processing,completed,failed,cancelled}'));
comment on constraint allocated_within_amount on finance.payments is 'No more can be allocated than was paid.';
update app.entities set derived = '{digits,allocated}' where name = 'finance.payments';
select app.log('finance.payments');
