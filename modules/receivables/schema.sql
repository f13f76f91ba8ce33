create schema receivables;
comment on schema receivables is 'When customers owe what, what they are told about it, and what they are billed again and again.';

create table receivables.payment_terms (
    like app.record including all,
    code              text not null constraint terms_have_a_code check (code ~ '\S' and length(code) <= 30),
    name              text not null constraint terms_have_a_name check (name ~ '\S' and length(name) <= 100),
    discount_percent  app.percent constraint discount_is_a_part check (discount_percent > 0 and discount_percent < 100),
    discount_days     integer constraint discount_days_are_few check (discount_days between 0 and 365),
    is_active         boolean not null default true,
    note              app.textarea,
    constraint discount_has_its_days check ((discount_percent is null) = (discount_days is null))
);
comment on table receivables.payment_terms is 'In which parts an invoice is due, and what is taken off for paying early.';
comment on column receivables.payment_terms.discount_percent is 'Off the whole, for whoever pays all that is open within the days of the discount.';
comment on column receivables.payment_terms.discount_days is 'After the day of the invoice; the last of them still counts.';
comment on constraint terms_have_a_code on receivables.payment_terms is 'A code has 1 to 30 characters.';
comment on constraint terms_have_a_name on receivables.payment_terms is 'A name has 1 to 100 characters.';
comment on constraint discount_is_a_part on receivables.payment_terms is 'A discount is more than 0 and less than 100 percent.';
comment on constraint discount_days_are_few on receivables.payment_terms is 'A discount is for 0 to 365 days.';
comment on constraint discount_has_its_days on receivables.payment_terms is 'A discount for paying early needs a percentage and its days.';
create unique index payment_terms_code on receivables.payment_terms (organization_id, code) where deleted_at is null;
comment on index receivables.payment_terms_code is 'There are terms with this code already.';
select app.enroll('receivables.payment_terms');

create table receivables.payment_term_lines (
    like app.record including all,
    terms_id      uuid not null,
    percent       app.percent not null constraint percent_is_a_part check (percent > 0 and percent <= 100),
    months        integer not null default 0 constraint months_are_few check (months between 0 and 60),
    days          integer not null default 0 constraint days_are_few check (days between 0 and 1000),
    end_of_month  boolean not null default false,
    day_of_month  smallint constraint day_is_in_a_month check (day_of_month between 1 and 31),
    constraint payment_term_lines_terms foreign key (organization_id, terms_id) references receivables.payment_terms on delete cascade
);
comment on table receivables.payment_term_lines is 'One part: how much of the whole, and when.';
comment on column receivables.payment_term_lines.months is 'After the day of the invoice: a month after 31 January is the last of February.';
comment on column receivables.payment_term_lines.days is 'After these months.';
comment on column receivables.payment_term_lines.end_of_month is 'Then to the end of that month.';
comment on column receivables.payment_term_lines.day_of_month is 'Then to the next day of this number; the 31st is the last of a shorter month.';
comment on constraint percent_is_a_part on receivables.payment_term_lines is 'A part is more than 0 and at most 100 percent.';
comment on constraint months_are_few on receivables.payment_term_lines is 'Months go from 0 to 60.';
comment on constraint days_are_few on receivables.payment_term_lines is 'Days go from 0 to 1000.';
comment on constraint day_is_in_a_month on receivables.payment_term_lines is 'A day of the month is 1 to 31.';
select app.enroll_part('receivables.payment_term_lines', 'receivables.payment_terms', 'terms_id');

create table receivables.invoice_terms (
    like app.record including all,
    invoice_id  uuid not null,
    terms_id    uuid not null,
    instead_of  text,
    constraint invoice_terms_invoice foreign key (organization_id, invoice_id) references finance.invoices on delete cascade,
    constraint invoice_terms_terms foreign key (organization_id, terms_id) references receivables.payment_terms,
    constraint invoice_terms_once unique (organization_id, invoice_id)
);
comment on table receivables.invoice_terms is 'The terms of payment that an invoice was given.';
comment on column receivables.invoice_terms.instead_of is 'They are those of the party, and stand for this on the draft until somebody changes it; empty: somebody gave them to it.';
comment on constraint invoice_terms_once on receivables.invoice_terms is 'This invoice has its terms already.';
select app.enroll('receivables.invoice_terms');
select app.derive('receivables.invoice_terms', '{invoice_id,terms_id}');
select app.derive('receivables.invoice_terms', '{instead_of}');

create table receivables.party_terms (
    like app.record including all,
    party_id   uuid not null,
    direction  text not null default 'out' check (direction in ('out', 'in')),
    terms_id   uuid not null,
    constraint party_terms_party foreign key (organization_id, party_id) references parties.parties,
    constraint party_terms_terms foreign key (organization_id, terms_id) references receivables.payment_terms
);
comment on table receivables.party_terms is 'The terms of payment of a customer or supplier: new drafts take them, those that are there stay as they are.';
comment on column receivables.party_terms.direction is 'What he owes us, or what we owe him.';
create unique index party_terms_once on receivables.party_terms (organization_id, party_id, direction) where deleted_at is null;
comment on index receivables.party_terms_once is 'This party has terms of payment already.';
select app.enroll('receivables.party_terms');

-- The terms of an order, that its invoices take.
create table receivables.order_terms (
    like app.record including all,
    order_id    uuid not null,
    terms_id    uuid,
    constraint order_terms_order foreign key (organization_id, order_id) references sales.orders on delete cascade,
    constraint order_terms_terms foreign key (organization_id, terms_id) references receivables.payment_terms,
    constraint order_terms_once unique (organization_id, order_id)
);
comment on table receivables.order_terms is 'The terms of payment of the customer when the order was made: its invoices take them.';
comment on column receivables.order_terms.terms_id is 'Empty: he had none.';
comment on constraint order_terms_once on receivables.order_terms is 'This order has its terms already.';
select app.enroll('receivables.order_terms');
select app.derive('receivables.order_terms', '{order_id,terms_id}');

-- Those of a party whose documents are due as it says.
create function receivables.terms_of(of_party uuid, of_direction text, due_as text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select t.id from receivables.party_terms x join receivables.payment_terms t on t.organization_id = x.organization_id and t.id = x.terms_id and t.is_active and t.deleted_at is null
            join parties.parties p on p.organization_id = x.organization_id and p.id = x.party_id and p.payment_terms = due_as
            where x.organization_id = app.organization() and x.party_id = of_party and x.direction = of_direction and x.deleted_at is null);
end $$;

create function receivables.order_made(of_order uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into receivables.order_terms (order_id, terms_id)
    select o.id, receivables.terms_of(o.customer_id, 'out', o.payment_terms) from sales.orders o where o.organization_id = app.organization() and o.id = of_order;
end $$;

-- A new draft without a due date of its own takes the terms of its order, or of its party.
create function receivables.invoice_made(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; taken uuid;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = of_invoice;
    if i.due_on is not null or i.kind not in ('STANDARD', 'RECURRING', 'DEBIT_NOTE') then return; end if;
    select x.terms_id into taken from receivables.order_terms x where x.organization_id = here and x.order_id = i.order_id;
    if not found then taken := receivables.terms_of(i.party_id, i.direction, i.payment_terms); end if;
    if taken is not null then insert into receivables.invoice_terms (invoice_id, terms_id, instead_of) values (i.id, taken, i.payment_terms); end if;
end $$;

create function receivables.month_end(day date) returns date language sql immutable strict parallel safe
return (date_trunc('month', day::timestamp) + interval '1 month' - interval '1 day')::date;

-- When a part of an invoice of that day is due.
create function receivables.due(issued date, months integer, days integer, end_of_month boolean, day_of_month integer) returns date
language plpgsql immutable parallel safe set search_path = pg_catalog as $$
declare day date := (issued + make_interval(months => due.months))::date + due.days; month date;
begin
    if due.end_of_month then day := receivables.month_end(day); end if;
    if due.day_of_month is null then return day; end if;
    month := date_trunc('month', day)::date;
    if least(month + due.day_of_month - 1, receivables.month_end(month)) < day then month := (month + interval '1 month')::date; end if;
    return least(month + due.day_of_month - 1, receivables.month_end(month));
end $$;

create function receivables.check_terms(of_terms uuid) returns void language plpgsql stable security definer set search_path = pg_catalog as $$
declare whole numeric;
begin
    select sum(l.percent) into whole from receivables.payment_term_lines l where l.organization_id = app.organization() and l.terms_id = of_terms and l.deleted_at is null;
    if whole <> 100 then
        raise exception 'The parts come to % percent, not to 100.', trim_scale(whole) using errcode = 'AP001', column = 'lines';
    end if;
end $$;

create function receivables.use_terms(of_invoice uuid, of_terms uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    if not exists (select from receivables.payment_terms t where t.organization_id = here and t.id = of_terms and t.is_active and t.deleted_at is null) then
        raise exception 'There are no such terms, or they are no longer used.' using errcode = 'AP001', column = 'terms_id';
    end if;
    insert into receivables.invoice_terms as x (invoice_id, terms_id) values (of_invoice, of_terms)
    on conflict on constraint invoice_terms_once do update set terms_id = excluded.terms_id, instead_of = null;
end $$;

-- Before an invoice is posted: its parts, as the terms say that it was given. Percentages are shared out by largest
-- remainder, so that the parts come to the whole.
create function receivables.invoice_posts(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; q record; issued date;
begin
    -- What the draft took of itself gives way to what somebody wrote on it.
    delete from receivables.invoice_terms t using finance.invoices x
    where t.organization_id = here and x.organization_id = here and t.invoice_id = of_invoice and x.id = of_invoice and x.status = 'draft'
      and t.instead_of is not null and (x.due_on is not null or x.payment_terms is distinct from t.instead_of);
    select x.* into i from finance.invoices x join receivables.invoice_terms t on t.organization_id = here and t.invoice_id = x.id
    where x.organization_id = here and x.id = of_invoice and x.status = 'draft' and x.kind in ('STANDARD', 'RECURRING', 'DEBIT_NOTE');
    if not found or i.gross <= 0 then return; end if;
    issued := coalesce(i.issued_on, current_date);
    select t.terms_id as id, array_agg(l.percent order by d.day, l.id) as parts, array_agg(d.day order by d.day, l.id) as days into q
    from receivables.invoice_terms t join receivables.payment_term_lines l on l.organization_id = here and l.terms_id = t.terms_id and l.deleted_at is null
    cross join lateral receivables.due(issued, l.months, l.days, l.end_of_month, l.day_of_month) d (day)
    where t.organization_id = here and t.invoice_id = of_invoice group by 1;
    if q.id is null then raise exception 'These terms of payment have no parts yet.' using errcode = 'AP001'; end if;
    perform receivables.check_terms(q.id);
    perform finance.set_instalments(of_invoice, issued, q.days, ledger.shares(i.gross, q.parts, i.digits));
end $$;

-- Until when and how much less is enough. Null: nothing is taken off.
create function receivables.early_discount(of_invoice uuid, on_day date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    return (select least(round(i.gross * t.discount_percent / 100, i.digits), i.balance)
            from finance.invoices i join receivables.invoice_terms x on x.organization_id = here and x.invoice_id = i.id
            join receivables.payment_terms t on t.organization_id = here and t.id = x.terms_id and t.discount_percent is not null
            where i.organization_id = here and i.id = of_invoice and on_day between i.issued_on and i.issued_on + t.discount_days);
end $$;

-- The last day of a discount that whoever pays on a day still gets. Null: there is none.
create function receivables.discount_until(of_invoice uuid, on_day date) returns date language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    return (select i.issued_on + t.discount_days
            from finance.invoices i join receivables.invoice_terms x on x.organization_id = here and x.invoice_id = i.id
            join receivables.payment_terms t on t.organization_id = here and t.id = x.terms_id
            where i.organization_id = here and i.id = of_invoice and receivables.early_discount(of_invoice, on_day) is not null);
end $$;

-- All that is open less the discount is paid, and the discount is written off; the payment does not count yet. Body: as finance.pay, without an amount.
create function receivables.pay_early(of_invoice uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; on_day constant date := coalesce(sales.read_date(body, 'paid_on'), current_date); off numeric;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = of_invoice for no key update;
    if i.number is null or i.kind in ('PROFORMA', 'RECEIPT', 'CREDIT_NOTE') or i.balance <= 0 then
        raise exception 'Nothing is open here that a discount could be taken off.' using errcode = 'AP001';
    end if;
    off := receivables.early_discount(of_invoice, on_day);
    if off is null then raise exception 'There is no discount for paying on %.', on_day using errcode = 'AP001', column = 'paid_on'; end if;
    if finance.needs_verification(finance.paid_by(i.direction, i.kind), i.workspace_id) then
        raise exception 'Payments are verified here: enter the payment, and write the discount off when it is verified.' using errcode = 'AP001';
    end if;
    perform finance.write_off(of_invoice, jsonb_build_object('kind', 'discount', 'amount', off::text, 'taken_on', on_day));
    if i.balance = off then return null; end if;
    return finance.pay(of_invoice, body - 'amount');
end $$;

-- What a customer is told: every document and payment in one currency, with what was open before and after.
create function receivables.movements(party uuid, of_currency text, from_on date, to_on date)
returns table (on_day date, kind text, number text, due_on date, debit numeric, credit numeric, balance numeric, invoice_id uuid, payment_id uuid)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := app.organization();
begin
    return query
    with all_of as (
        select i.issued_on as on_day, case i.kind when 'CREDIT_NOTE' then 'credit' else 'invoice' end as kind, i.number, i.due_on,
            case i.kind when 'CREDIT_NOTE' then 0 else i.gross end as debit, case i.kind when 'CREDIT_NOTE' then i.gross else 0 end as credit, i.id as invoice_id, null::uuid as payment_id, 1 as place
        from finance.invoices i where i.organization_id = here and i.party_id = party and i.currency = of_currency and i.direction = 'out' and i.number is not null
          and i.kind not in ('PROFORMA', 'RECEIPT') and i.issued_on <= to_on and i.deleted_at is null
        union all
        select p.paid_on, case p.direction when 'in' then 'payment' else 'refund' end, p.number, null, case p.direction when 'in' then 0 else p.amount end,
            case p.direction when 'in' then p.amount else 0 end, null, p.id, 2
        from finance.payments p where p.organization_id = here and p.party_id = party and p.currency = of_currency and p.direction in ('in', 'refund') and p.status = 'completed'
          and p.paid_on <= to_on and p.deleted_at is null
        union all
        select x.on_day, 'write_off', i.number, null, x.debit, x.credit, i.id, null, 3
        from finance.invoices i join finance.write_offs w on w.organization_id = here and w.invoice_id = i.id
        cross join lateral (values (w.taken_on, 0::numeric, w.amount::numeric), (w.reversed_on, w.amount, 0)) x (on_day, debit, credit)
        where i.organization_id = here and i.party_id = party and i.currency = of_currency and i.direction = 'out' and x.on_day <= to_on
    ), told as (
        select from_on as on_day, 'opening' as kind, null::text as number, null::date as due_on, 0::numeric as debit, 0::numeric as credit,
            coalesce(sum(a.debit - a.credit), 0) as change, null::uuid as invoice_id, null::uuid as payment_id, 0 as place from all_of a where a.on_day < from_on
        union all
        select a.on_day, a.kind, a.number, a.due_on, a.debit, a.credit, a.debit - a.credit, a.invoice_id, a.payment_id, a.place from all_of a where a.on_day >= from_on
    )
    select t.on_day, t.kind, t.number, t.due_on, t.debit, t.credit, sum(t.change) over (order by t.place = 0 desc, t.on_day, t.place, t.number rows unbounded preceding),
        t.invoice_id, t.payment_id
    from told t order by t.place = 0 desc, t.on_day, t.place, t.number;
end $$;

create table receivables.statements (
    like app.record including all,
    number      text not null default app.next_number('ST'),
    party_id    uuid not null,
    currency    text references app.currencies,
    digits      smallint not null default 2,
    from_on     date not null default (date_trunc('month', current_date) - interval '1 month')::date,
    to_on       date not null default current_date,
    opening     app.money not null default 0,
    closing     app.money not null default 0,
    not_due     app.money not null default 0,
    due_30      app.money not null default 0,
    due_60      app.money not null default 0,
    due_90      app.money not null default 0,
    due_120     app.money not null default 0,
    older       app.money not null default 0,
    unallocated app.money not null default 0,
    note        app.textarea,
    constraint statements_number unique (organization_id, number),
    constraint statements_party foreign key (organization_id, party_id) references parties.parties,
    constraint statement_has_a_span check (to_on >= from_on)
);
comment on table receivables.statements is 'What a customer was told of his account: what was open, what came and went, what is open now.';
comment on column receivables.statements.currency is 'Each has a statement of its own; empty: the customer''s.';
comment on column receivables.statements.unallocated is 'Money and credit that settle nothing yet.';
comment on constraint statements_number on receivables.statements is 'There is a statement with this number already.';
comment on constraint statements_currency_fkey on receivables.statements is 'There is no such currency.';
comment on constraint statement_has_a_span on receivables.statements is 'A statement ends on or after the day it begins.';
create table receivables.statement_lines (
    like app.record including all,
    statement_id  uuid not null,
    position      integer,
    on_day        date,
    kind          text check (kind in ('opening', 'invoice', 'credit', 'payment', 'refund', 'write_off')),
    number        text,
    due_on        date,
    debit         app.money not null default 0,
    credit        app.money not null default 0,
    balance       app.money not null default 0,
    invoice_id    uuid,
    payment_id    uuid,
    constraint statement_lines_statement foreign key (organization_id, statement_id) references receivables.statements on delete cascade,
    constraint statement_lines_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint statement_lines_payment foreign key (organization_id, payment_id) references finance.payments
);
comment on table receivables.statement_lines is 'A document or payment on a statement, and what was open after it.';
select app.enroll('receivables.statements');
select app.enroll_part('receivables.statement_lines', 'receivables.statements', 'statement_id');
select app.derive('receivables.statements', '{number,digits,opening,closing,not_due,due_30,due_60,due_90,due_120,older,unallocated}');
select app.derive('receivables.statement_lines', '{position,on_day,kind,number,due_on,debit,credit,balance,invoice_id,payment_id}');

create function receivables.statement_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' then
        if (new.party_id, new.currency, new.from_on, new.to_on) is distinct from (old.party_id, old.currency, old.from_on, old.to_on) then
            raise exception 'A statement stays as it is; make another one.' using errcode = 'AP001';
        end if;
        return new;
    end if;
    new.currency := coalesce(new.currency, (select p.currency from parties.parties p where p.organization_id = new.organization_id and p.id = new.party_id),
        parties.home_currency(new.organization_id));
    new.digits := coalesce(app.digits(new.currency), new.digits);
    return new;
end $$;
create trigger defaults before insert or update on receivables.statements for each row execute function receivables.statement_defaults();

-- What it says is found out by whoever makes it, with his own rights: as invoker.
create function receivables.fill_statement(of_statement uuid) returns void language plpgsql set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); s receivables.statements; told jsonb; a record;
begin
    select * into strict s from receivables.statements x where x.organization_id = here and x.id = of_statement;
    select jsonb_agg(to_jsonb(m) order by m.n) into told from (
        select x.*, row_number() over () as n from receivables.movements(s.party_id, s.currency, s.from_on, s.to_on) x) m;
    select x.not_due, x.buckets, x.unallocated into a from finance.invoice_aging('out', s.to_on, 'due', '{30,60,90,120}', 'customer', false) x
    where x.party_id = s.party_id and x.currency = s.currency;
    perform receivables.write_statement(of_statement, told, coalesce(a.not_due, 0), coalesce(a.buckets, '{0,0,0,0,0}'), coalesce(a.unallocated, 0));
end $$;

create function receivables.write_statement(of_statement uuid, told jsonb, fresh numeric, aged numeric[], loose numeric) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    if exists (select from receivables.statement_lines l where l.organization_id = here and l.statement_id = of_statement) then return; end if;
    insert into receivables.statement_lines (statement_id, position, on_day, kind, number, due_on, debit, credit, balance, invoice_id, payment_id)
    select of_statement, m.n, m.on_day, m.kind, m.number, m.due_on, m.debit, m.credit, m.balance, m.invoice_id, m.payment_id
    from jsonb_to_recordset(told) m (n integer, on_day date, kind text, number text, due_on date, debit numeric, credit numeric, balance numeric, invoice_id uuid, payment_id uuid);
    update receivables.statements s set opening = (told -> 0 ->> 'balance')::numeric, closing = (told -> -1 ->> 'balance')::numeric, not_due = fresh,
        due_30 = aged[1], due_60 = aged[2], due_90 = aged[3], due_120 = aged[4], older = aged[5], unallocated = loose
    where s.organization_id = here and s.id = of_statement;
end $$;

create table receivables.dunning_levels (
    like app.record including all,
    position        integer not null constraint level_counts_from_one check (position between 1 and 9),
    name            text not null constraint level_has_a_name check (name ~ '\S' and length(name) <= 100),
    days_overdue    integer not null constraint level_has_days check (days_overdue between 1 and 1000),
    fee             app.money not null default 0 constraint fee_not_negative check (fee >= 0),
    minimum_amount  app.money not null default 0 constraint minimum_not_negative check (minimum_amount >= 0),
    text_en         app.textarea,
    text_ru         app.textarea,
    text_kk         app.textarea
);
comment on table receivables.dunning_levels is 'How one reminds of what is overdue: when, with which words, at which fee.';
comment on column receivables.dunning_levels.days_overdue is 'From that many days after the due date on.';
comment on column receivables.dunning_levels.fee is 'Asked for with the letter; it is billed only when you bill it.';
comment on column receivables.dunning_levels.minimum_amount is 'Below it nobody is written to.';
comment on column receivables.dunning_levels.text_en is 'Of the letter; {party}, {amount} and {days} stand for what they say.';
comment on constraint level_counts_from_one on receivables.dunning_levels is 'Levels are 1 to 9.';
comment on constraint level_has_a_name on receivables.dunning_levels is 'A name has 1 to 100 characters.';
comment on constraint level_has_days on receivables.dunning_levels is 'A level begins 1 to 1000 days after the due date.';
comment on constraint fee_not_negative on receivables.dunning_levels is 'A fee cannot be negative.';
comment on constraint minimum_not_negative on receivables.dunning_levels is 'An amount cannot be negative.';
create unique index dunning_levels_position on receivables.dunning_levels (organization_id, position) where deleted_at is null;
comment on index receivables.dunning_levels_position is 'There is this level already.';
create unique index dunning_levels_days on receivables.dunning_levels (organization_id, days_overdue) where deleted_at is null;
comment on index receivables.dunning_levels_days is 'Another level begins on that day already.';
select app.enroll('receivables.dunning_levels');

create table receivables.dunning_stops (
    like app.record including all,
    party_id    uuid not null,
    invoice_id  uuid,
    reason      text not null constraint stop_has_a_reason check (reason ~ '\S' and length(reason) <= 500),
    until_on    date,
    constraint dunning_stops_party foreign key (organization_id, party_id) references parties.parties,
    constraint dunning_stops_invoice foreign key (organization_id, invoice_id) references finance.invoices
);
comment on table receivables.dunning_stops is 'A customer who is not reminded, or one of his invoices that is disputed.';
comment on column receivables.dunning_stops.invoice_id is 'Empty: of none of them.';
comment on column receivables.dunning_stops.until_on is 'The last day; empty: until it is taken away.';
comment on constraint stop_has_a_reason on receivables.dunning_stops is 'Say why, in at most 500 characters.';
select app.enroll('receivables.dunning_stops');

create table receivables.dunning_letters (
    like app.record including all,
    number     text not null,
    party_id   uuid not null,
    level_id   uuid not null,
    status     text not null,
    currency   text not null references app.currencies,
    digits     smallint not null default 2,
    language   text not null default 'en' check (language in ('en', 'ru', 'kk')),
    dunned_on  date not null default current_date,
    email      app.email,
    amount     app.money not null default 0,
    fee        app.money not null default 0,
    total      app.money generated always as (amount + fee) stored,
    message    app.textarea,
    sent_on    date,
    note       app.textarea,
    constraint dunning_letters_number unique (organization_id, number),
    constraint dunning_letters_party foreign key (organization_id, party_id) references parties.parties,
    constraint dunning_letters_level foreign key (organization_id, level_id) references receivables.dunning_levels
);
comment on table receivables.dunning_letters is 'What a customer was reminded of.';
comment on column receivables.dunning_letters.amount is 'Overdue on the day of the letter.';
comment on column receivables.dunning_letters.total is 'With the fee.';
comment on constraint dunning_letters_number on receivables.dunning_letters is 'There is a letter with this number already.';
comment on constraint dunning_letters_currency_fkey on receivables.dunning_letters is 'There is no such currency.';
create table receivables.dunning_letter_lines (
    like app.record including all,
    letter_id     uuid not null,
    level_id      uuid not null,
    invoice_id    uuid not null,
    number        text,
    issued_on     date,
    due_on        date,
    days_overdue  integer,
    amount        app.money not null,
    constraint dunning_lines_letter foreign key (organization_id, letter_id) references receivables.dunning_letters on delete cascade,
    constraint dunning_lines_level foreign key (organization_id, level_id) references receivables.dunning_levels,
    constraint dunning_lines_invoice foreign key (organization_id, invoice_id) references finance.invoices
);
comment on table receivables.dunning_letter_lines is 'An overdue invoice in a letter.';
comment on column receivables.dunning_letter_lines.due_on is 'Of the first part of it that is open.';
create unique index dunning_lines_once on receivables.dunning_letter_lines (organization_id, invoice_id, level_id) where deleted_at is null;
comment on index receivables.dunning_lines_once is 'This invoice has been dunned at this level already.';
select app.enroll('receivables.dunning_letters');
select app.enroll_part('receivables.dunning_letter_lines', 'receivables.dunning_letters', 'letter_id');
select app.workflow('receivables.dunning_letters', 'status', $$
    made -> sent      : send
    made -> cancelled : cancel
$$);
select app.editable_in('receivables.dunning_letters', 'status', '{made}', keep => '{note,sent_on}');
select app.derive('receivables.dunning_letters', '{number,party_id,level_id,currency,digits,dunned_on,amount,fee,sent_on}');
select app.derive('receivables.dunning_letter_lines', '{level_id,invoice_id,number,issued_on,due_on,days_overdue,amount}');

create function receivables.money(amount numeric, currency text) returns text language plpgsql stable set search_path = pg_catalog as $$
begin
    return round(amount, app.digits(currency)) || ' ' || currency;
end $$;

-- Who is to be written to on a day, at which level: the highest that an invoice has come to and was not dunned at, or above,
-- before. One letter for each customer, currency and level. Found with the rights of whoever asks.
create function receivables.overdue(as_of date)
returns table (party_id uuid, currency text, level_id uuid, invoice_id uuid, number text, issued_on date, due_on date, days integer, amount numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := app.organization();
begin
    return query
    with late as (
        select a.party_id, a.currency, a.invoice_id, min(a.due_on) as due_on, as_of - min(a.due_on) as days, sum(a.total) as amount
        from finance.invoice_aging('out', as_of, 'due', '{30}', 'instalment', false) a
        where a.invoice_id is not null and a.due_on < as_of and a.total > 0 group by 1, 2, 3
    ), found as (
        select l.*, v.id as level_id, v.minimum_amount, sum(l.amount) over (partition by l.party_id, l.currency, v.id) as whole
        from late l join lateral (select x.id, x.position, x.minimum_amount from receivables.dunning_levels x
            where x.organization_id = here and x.days_overdue <= l.days and x.deleted_at is null order by x.days_overdue desc limit 1) v on true
        where not exists (select from receivables.dunning_letter_lines d join receivables.dunning_levels x on x.organization_id = here and x.id = d.level_id
                          where d.organization_id = here and d.invoice_id = l.invoice_id and x.position >= v.position and d.deleted_at is null)
          and not exists (select from receivables.dunning_stops s where s.organization_id = here and s.party_id = l.party_id and coalesce(s.invoice_id, l.invoice_id) = l.invoice_id
                          and coalesce(s.until_on >= as_of, true) and s.deleted_at is null)
    )
    select f.party_id, f.currency, f.level_id, f.invoice_id, i.number, i.issued_on, f.due_on, f.days, f.amount
    from found f join finance.invoices i on i.organization_id = here and i.id = f.invoice_id
    where f.whole >= f.minimum_amount order by f.party_id, f.currency, f.level_id, f.due_on, i.number;
end $$;

-- Of the whole company, whoever asks: that is a matter of the right to run it.
create function receivables.dun(as_of date) returns uuid[] language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); g record; v receivables.dunning_levels; p parties.parties; made uuid; all_made uuid[] := '{}'; spoken text;
begin
    -- Two runs at once would write to the same people.
    perform pg_advisory_xact_lock(hashtextextended('receivables.dun ' || here, 0));
    for g in select o.party_id, o.currency, o.level_id, sum(o.amount) as amount, max(o.days) as days, jsonb_agg(to_jsonb(o)) as lines
        from receivables.overdue(as_of) o group by 1, 2, 3 order by 1, 2, 3
    loop
        select * into strict v from receivables.dunning_levels x where x.organization_id = here and x.id = g.level_id;
        select * into strict p from parties.parties x where x.organization_id = here and x.id = g.party_id;
        spoken := case when p.language in ('en', 'ru', 'kk') then p.language else 'en' end;
        made := app.new_id();
        insert into receivables.dunning_letters (id, number, party_id, level_id, currency, digits, language, dunned_on, email, amount, fee, message)
        values (made, app.next_number('DUN', as_of), g.party_id, g.level_id, g.currency, app.digits(g.currency), spoken, as_of, p.email, g.amount, v.fee,
            replace(replace(replace(coalesce(case spoken when 'ru' then v.text_ru when 'kk' then v.text_kk end, v.text_en, ''), '{party}', p.name),
                '{amount}', receivables.money(g.amount, g.currency)), '{days}', g.days::text));
        insert into receivables.dunning_letter_lines (letter_id, level_id, invoice_id, number, issued_on, due_on, days_overdue, amount)
        select made, g.level_id, l.invoice_id, l.number, l.issued_on, l.due_on, l.days, l.amount
        from jsonb_to_recordset(g.lines) l (invoice_id uuid, number text, issued_on date, due_on date, days integer, amount numeric) order by l.due_on, l.number;
        all_made := all_made || made;
    end loop;
    return all_made;
end $$;

-- A letter that is taken back never was: its invoices may be dunned at its level again.
create function receivables.cancel_letter() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform set_config('app.importing', 'yes', true);    -- the letter is closed already
    update receivables.dunning_letter_lines l set deleted_at = now() where l.organization_id = new.organization_id and l.letter_id = new.id;
    perform set_config('app.importing', '', true);
    return null;
end $$;
create trigger cancels after update on receivables.dunning_letters for each row when (old.status <> 'cancelled' and new.status = 'cancelled')
    execute function receivables.cancel_letter();

-- Sent: by mail with the paper, in the customer's language.
create function receivables.send_letter(of_letter uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d receivables.dunning_letters; listed text;
begin
    select * into d from receivables.dunning_letters x where x.organization_id = here and x.id = of_letter for no key update;
    if d.status is distinct from 'made' then raise exception 'This letter was sent already, or cancelled.' using errcode = 'AP001'; end if;
    if d.email is null then raise exception 'Nobody knows the customer''s e-mail address.' using errcode = 'AP001', column = 'email'; end if;
    select string_agg(format('%s · %s · %s', l.number, to_char(l.due_on, 'DD.MM.YYYY'), receivables.money(l.amount, d.currency)), chr(10) order by l.due_on, l.number) into listed
    from receivables.dunning_letter_lines l where l.organization_id = here and l.letter_id = of_letter and l.deleted_at is null;
    perform app.send_paper('receivables.dunning_letters', d.id, d.email, concat_ws(' · ', (select v.name from receivables.dunning_levels v where v.organization_id = here and v.id = d.level_id), d.number,
        (select o.name from tenancy.organizations o where o.id = here)), concat_ws(chr(10) || chr(10), nullif(d.message, ''), listed), d.language);
    update receivables.dunning_letters x set status = 'sent', sent_on = current_date where x.organization_id = here and x.id = of_letter;
end $$;

create table receivables.recurring_invoices (
    like app.record including all,
    number         text not null default app.next_number('RI'),
    party_id       uuid not null,
    title          text constraint title_is_short check (length(title) <= 200),
    status         text not null,
    frequency      text not null default 'monthly' check (frequency in ('weekly', 'monthly', 'quarterly', 'yearly')),
    every          integer not null default 1 constraint every_is_more_than_nothing check (every between 1 and 60),
    day_of_month   smallint constraint day_is_in_a_month check (day_of_month between 1 and 31),
    starts_on      date not null default current_date,
    ends_on        date,
    next_on        date,
    made           integer not null default 0,
    currency       text references app.currencies,
    terms_id       uuid,
    post_at_once   boolean not null default true,
    send_at_once   boolean not null default false,
    assigned_to    uuid default app.actor(),
    problem        text,
    note           app.textarea,
    constraint recurring_number unique (organization_id, number),
    constraint recurring_party foreign key (organization_id, party_id) references parties.parties,
    constraint recurring_terms foreign key (organization_id, terms_id) references receivables.payment_terms,
    constraint recurring_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint ends_after_it_starts check (ends_on >= starts_on)
);
comment on table receivables.recurring_invoices is 'What a customer is billed again and again. A change of it is for the invoices to come.';
comment on column receivables.recurring_invoices.every is 'Every so many weeks, months, quarters or years.';
comment on column receivables.recurring_invoices.day_of_month is 'Empty: that of the start. The 31st is the last of a shorter month.';
comment on column receivables.recurring_invoices.next_on is 'The first period that has no invoice yet.';
comment on column receivables.recurring_invoices.post_at_once is 'Otherwise its invoices wait as drafts.';
comment on column receivables.recurring_invoices.send_at_once is 'The customer is told by mail when it is posted.';
comment on column receivables.recurring_invoices.problem is 'Why the last one could not be made.';
comment on constraint recurring_number on receivables.recurring_invoices is 'This number is already taken.';
comment on constraint title_is_short on receivables.recurring_invoices is 'A title has at most 200 characters.';
comment on constraint every_is_more_than_nothing on receivables.recurring_invoices is 'Say every how many: 1 to 60.';
comment on constraint day_is_in_a_month on receivables.recurring_invoices is 'A day of the month is 1 to 31.';
comment on constraint recurring_invoices_currency_fkey on receivables.recurring_invoices is 'There is no such currency.';
comment on constraint ends_after_it_starts on receivables.recurring_invoices is 'It ends on or after the day it starts.';
create table receivables.recurring_invoice_lines (
    like app.record including all,
    recurring_id      uuid not null,
    position          integer,
    product_id        uuid,
    name              text constraint name_is_short check (length(name) <= 500),
    description       app.textarea,
    quantity          app.quantity not null default 1 constraint quantity_is_positive check (quantity > 0),
    price             app.money constraint line_price_not_negative check (price >= 0),
    discount_percent  app.percent not null default 0 constraint discount_is_0_to_100 check (discount_percent between 0 and 100),
    tax_id            uuid,
    constraint recurring_lines_recurring foreign key (organization_id, recurring_id) references receivables.recurring_invoices on delete cascade,
    constraint recurring_lines_product foreign key (organization_id, product_id) references products.products,
    constraint recurring_lines_tax foreign key (organization_id, tax_id) references products.taxes
);
comment on table receivables.recurring_invoice_lines is 'One thing that is billed each time.';
comment on column receivables.recurring_invoice_lines.price is 'Empty: that of the product on the day.';
comment on column receivables.recurring_invoice_lines.tax_id is 'Empty: that of the product.';
comment on constraint name_is_short on receivables.recurring_invoice_lines is 'A name has at most 500 characters.';
comment on constraint quantity_is_positive on receivables.recurring_invoice_lines is 'A quantity must be more than nothing.';
comment on constraint line_price_not_negative on receivables.recurring_invoice_lines is 'A price cannot be negative.';
comment on constraint discount_is_0_to_100 on receivables.recurring_invoice_lines is 'A discount goes from 0 to 100 percent.';
create table receivables.recurring_periods (
    like app.record including all,
    recurring_id  uuid not null,
    period_on     date not null,
    invoice_id    uuid,
    constraint recurring_periods_recurring foreign key (organization_id, recurring_id) references receivables.recurring_invoices on delete cascade,
    constraint recurring_periods_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint recurring_periods_once unique (organization_id, recurring_id, period_on)
);
comment on table receivables.recurring_periods is 'A period that has been billed: once, however often one tries.';
comment on constraint recurring_periods_once on receivables.recurring_periods is 'This period has been billed already.';
select app.enroll('receivables.recurring_invoices', owner => 'assigned_to');
select app.enroll_part('receivables.recurring_invoice_lines', 'receivables.recurring_invoices', 'recurring_id');
select app.enroll_part('receivables.recurring_periods', 'receivables.recurring_invoices', 'recurring_id');
select app.workflow('receivables.recurring_invoices', 'status', $$
    active -> paused : pause
    paused -> active : resume
    active -> ended  : end
    paused -> ended  : end
$$);
select app.derive('receivables.recurring_invoices', '{number,next_on,made,problem}');
select app.derive('receivables.recurring_periods', '{period_on,invoice_id}');

create trigger checks before insert or update on receivables.recurring_invoice_lines for each row
    when (new.product_id is null and (new.name is null or new.name !~ '\S' or new.price is null)) execute function app.refuse('A line needs a product, or a name and a price.');

-- The n-th period after the start, counted from none.
create function receivables.period(starts_on date, frequency text, every integer, day_of_month integer, n integer) returns date
language plpgsql immutable parallel safe set search_path = pg_catalog as $$
declare month date; day integer := coalesce(period.day_of_month, extract(day from starts_on)::integer);
begin
    if frequency = 'weekly' then return starts_on + 7 * every * n; end if;
    month := (date_trunc('month', starts_on) + make_interval(months => n * every * case frequency when 'monthly' then 1 when 'quarterly' then 3 else 12 end))::date;
    return least(month + day - 1, receivables.month_end(month));
end $$;

-- The first period from a day on; none after the end.
create function receivables.next_period(r receivables.recurring_invoices, from_on date) returns date language plpgsql immutable set search_path = pg_catalog as $$
declare day date; n integer := 0;
begin
    loop
        day := receivables.period(r.starts_on, r.frequency, r.every, r.day_of_month, n);
        exit when day >= greatest(from_on, r.starts_on);
        n := n + 1;
    end loop;
    return case when r.ends_on is null or day <= r.ends_on then day end;
end $$;

-- Next is what follows the last that was billed; what was missed while it rested is not made up for.
create function receivables.schedule() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare last date;
begin
    select max(p.period_on) into last from receivables.recurring_periods p where p.organization_id = new.organization_id and p.recurring_id = new.id;
    new.next_on := case when new.status <> 'active' then null
        else receivables.next_period(new, greatest(last + 1, case when tg_op = 'UPDATE' and old.status = 'paused' and new.status = 'active' then current_date end, new.starts_on,
            case when tg_op = 'UPDATE' and (new.starts_on, new.frequency, new.every, new.day_of_month) is not distinct from (old.starts_on, old.frequency, old.every, old.day_of_month)
                then old.next_on end)) end;
    return new;
end $$;
create trigger schedules before insert or update of starts_on, ends_on, frequency, every, day_of_month, status on receivables.recurring_invoices
    for each row execute function receivables.schedule();

-- Drafts the next invoice, if its day has come: the period is billed once, whoever tries at the same moment. It is dated the
-- day on which it is made; the supply is of its period.
create function receivables.bill(of_recurring uuid, as_of date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); system constant text := coalesce(current_setting('app.system', true), '');
    r receivables.recurring_invoices; made_one uuid;
begin
    select * into r from receivables.recurring_invoices x where x.organization_id = here and x.id = of_recurring for no key update;
    if r.status is distinct from 'active' or r.next_on is null or r.next_on > as_of or r.deleted_at is not null then return null; end if;
    perform set_config('app.system', '', true);
    made_one := finance.draft(
        jsonb_build_object('kind', 'RECURRING', 'party_id', r.party_id, 'currency', r.currency, 'assigned_to', r.assigned_to, 'issued_on', as_of, 'supplied_on', r.next_on,
            'reference', concat_ws(' ', r.number, r.title)),
        (select jsonb_agg(jsonb_build_object('product_id', l.product_id, 'name', l.name, 'description', l.description, 'quantity', l.quantity, 'price', l.price,
             'discount_percent', l.discount_percent, 'tax_id', l.tax_id) order by l.position, l.id)
         from receivables.recurring_invoice_lines l where l.organization_id = here and l.recurring_id = r.id and l.deleted_at is null));
    insert into receivables.recurring_periods (recurring_id, period_on, invoice_id) values (r.id, r.next_on, made_one);
    if r.terms_id is not null then perform receivables.use_terms(made_one, r.terms_id); end if;
    perform set_config('app.system', system, true);
    update receivables.recurring_invoices x set next_on = receivables.next_period(r, r.next_on + 1), made = x.made + 1, problem = null
    where x.organization_id = here and x.id = r.id;
    return made_one;
end $$;

-- Posted, by whatever way, an invoice goes to the customer with its paper where its recurring one says so.
create function receivables.invoice_posted(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; p parties.parties; r receivables.recurring_invoices;
begin
    select x.* into i from finance.invoices x where x.organization_id = here and x.id = of_invoice and x.kind = 'RECURRING';
    if not found then return; end if;
    select x.* into r from receivables.recurring_invoices x join receivables.recurring_periods t on t.organization_id = here and t.recurring_id = x.id and t.invoice_id = of_invoice
    where x.organization_id = here and x.send_at_once;
    select * into p from parties.parties x where x.organization_id = here and x.id = r.party_id;
    if p.email is null then return; end if;
    perform app.send_paper('finance.invoices', i.id, p.email, concat_ws(' · ', i.number, (select o.name from tenancy.organizations o where o.id = here)),
        format(case p.language when 'ru' then E'%s\n\nСчёт %s на сумму %s. Оплатить до %s.' when 'kk' then E'%s\n\n%s шоты, сомасы %s. Төлеу мерзімі: %s.'
            else E'%s\n\nInvoice %s over %s is due on %s.' end, coalesce(r.title, p.name), i.number, receivables.money(i.gross, i.currency), to_char(i.due_on, 'DD.MM.YYYY')), p.language);
end $$;

-- What is due by now, missed days included. What cannot be made says why, and stops no other. Where rules of approval hold
-- invoices back, whose recurring one it is asks.
create function receivables.bill_due(as_of date) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); system constant text := coalesce(current_setting('app.system', true), ''); r record; why text; bill uuid;
    asks constant boolean := app.approval_rules_of('finance.invoices', 'post', null) -> 'rules' <> '[]';
begin
    for r in select x.id, x.post_at_once, coalesce(x.assigned_to, x.created_by) as who from receivables.recurring_invoices x
        where x.organization_id = here and x.status = 'active' and x.next_on <= as_of and x.deleted_at is null order by x.id
    loop
        begin
            loop
                bill := receivables.bill(r.id, as_of);
                exit when bill is null;
                if r.post_at_once and asks then
                    perform app.act_later('finance.invoices', bill, 'post', r.who);
                elsif r.post_at_once then
                    perform set_config('app.system', '', true);
                    perform finance.post(bill);
                    perform set_config('app.system', system, true);
                end if;
            end loop;
        exception when others then
            get stacked diagnostics why = message_text;
            perform set_config('app.system', system, true);
            update receivables.recurring_invoices x set problem = why where x.organization_id = here and x.id = r.id;
        end;
    end loop;
end $$;
revoke execute on function receivables.bill_due(date) from public;

create function receivables.daily() returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform receivables.bill_due(current_date);
    if app.setting('receivables.dun_daily') = 'true' then perform receivables.dun(current_date); end if;
end $$;
revoke execute on function receivables.daily() from public;

-- For `fondaco verify`: what does not follow from what it should follow from. Whoever asks sees what he may see.
create function receivables.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    select i.organization_id, format('invoice %s: its instalments come to %s of %s', i.number, sum(n.amount), i.gross)
    from finance.instalments n join finance.invoices i on i.organization_id = n.organization_id and i.id = n.invoice_id
    where i.number is not null group by i.organization_id, i.id, i.number, i.gross having sum(n.amount) <> i.gross;
end $$;
comment on function receivables.verify() is 'Instalments that do not come to the whole of their invoice.';
