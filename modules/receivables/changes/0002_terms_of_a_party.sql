-- Terms of payment are a party's, and its documents take them; letters of the daily run have their paper with them.
alter table receivables.invoice_terms add column instead_of text;
comment on column receivables.invoice_terms.instead_of is 'They are those of the party, and stand for this on the draft until somebody changes it; empty: somebody gave them to it.';
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

create function receivables.invoice_made(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; taken uuid;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = of_invoice;
    if i.due_on is not null or i.kind not in ('STANDARD', 'RECURRING', 'DEBIT_NOTE') then return; end if;
    select x.terms_id into taken from receivables.order_terms x where x.organization_id = here and x.order_id = i.order_id;
    if not found then taken := receivables.terms_of(i.party_id, i.direction, i.payment_terms); end if;
    if taken is not null then insert into receivables.invoice_terms (invoice_id, terms_id, instead_of) values (i.id, taken, i.payment_terms); end if;
end $$;

create or replace function receivables.use_terms(of_invoice uuid, of_terms uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    if not exists (select from receivables.payment_terms t where t.organization_id = here and t.id = of_terms and t.is_active and t.deleted_at is null) then
        raise exception 'There are no such terms, or they are no longer used.' using errcode = 'AP001', column = 'terms_id';
    end if;
    insert into receivables.invoice_terms as x (invoice_id, terms_id) values (of_invoice, of_terms)
    on conflict on constraint invoice_terms_once do update set terms_id = excluded.terms_id, instead_of = null;
end $$;

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

create function receivables.discount_until(of_invoice uuid, on_day date) returns date language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    return (select i.issued_on + t.discount_days
            from finance.invoices i join receivables.invoice_terms x on x.organization_id = here and x.invoice_id = i.id
            join receivables.payment_terms t on t.organization_id = here and t.id = x.terms_id
            where i.organization_id = here and i.id = of_invoice and receivables.early_discount(of_invoice, on_day) is not null);
end $$;

create or replace function receivables.send_letter(of_letter uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function receivables.bill(of_recurring uuid, as_of date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
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

create or replace function receivables.bill_due(as_of date) returns void language plpgsql security definer set search_path = pg_catalog as $$
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

drop function receivables.plan(uuid);

-- down
create function receivables.plan(of_invoice uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; q record; issued date;
begin
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

create or replace function receivables.use_terms(of_invoice uuid, of_terms uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    if not exists (select from receivables.payment_terms t where t.organization_id = here and t.id = of_terms and t.is_active and t.deleted_at is null) then
        raise exception 'There are no such terms, or they are no longer used.' using errcode = 'AP001', column = 'terms_id';
    end if;
    insert into receivables.invoice_terms as x (invoice_id, terms_id) values (of_invoice, of_terms)
    on conflict on constraint invoice_terms_once do update set terms_id = excluded.terms_id;
end $$;

create or replace function receivables.send_letter(of_letter uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d receivables.dunning_letters; listed text;
begin
    select * into d from receivables.dunning_letters x where x.organization_id = here and x.id = of_letter for no key update;
    if d.status is distinct from 'made' then raise exception 'This letter was sent already, or cancelled.' using errcode = 'AP001'; end if;
    if d.email is null then raise exception 'Nobody knows the customer''s e-mail address.' using errcode = 'AP001', column = 'email'; end if;
    select string_agg(format('%s · %s · %s', l.number, to_char(l.due_on, 'DD.MM.YYYY'), receivables.money(l.amount, d.currency)), chr(10) order by l.due_on, l.number) into listed
    from receivables.dunning_letter_lines l where l.organization_id = here and l.letter_id = of_letter and l.deleted_at is null;
    perform app.send_mail(d.email, concat_ws(' · ', (select v.name from receivables.dunning_levels v where v.organization_id = here and v.id = d.level_id), d.number,
        (select o.name from tenancy.organizations o where o.id = here)), concat_ws(chr(10) || chr(10), nullif(d.message, ''), listed));
    update receivables.dunning_letters x set status = 'sent', sent_on = current_date where x.organization_id = here and x.id = of_letter;
end $$;

create or replace function receivables.bill(of_recurring uuid, as_of date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); system constant text := coalesce(current_setting('app.system', true), '');
    r receivables.recurring_invoices; p parties.parties; made_one uuid; i finance.invoices; spoken text;
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
    if r.post_at_once then
        perform receivables.plan(made_one);
        update finance.invoices x set status = 'sent' where x.organization_id = here and x.id = made_one returning x.* into i;
        select * into p from parties.parties x where x.organization_id = here and x.id = r.party_id;
        if r.send_at_once and p.email is not null then
            spoken := p.language;
            perform app.send_mail(p.email, concat_ws(' · ', i.number, (select o.name from tenancy.organizations o where o.id = here)),
                format(case spoken when 'ru' then E'%s\n\nСчёт %s на сумму %s. Оплатить до %s.' when 'kk' then E'%s\n\n%s шоты, сомасы %s. Төлеу мерзімі: %s.'
                    else E'%s\n\nInvoice %s over %s is due on %s.' end, coalesce(r.title, p.name), i.number, receivables.money(i.gross, i.currency), to_char(i.due_on, 'DD.MM.YYYY')));
        end if;
    end if;
    perform set_config('app.system', system, true);
    update receivables.recurring_invoices x set next_on = receivables.next_period(r, r.next_on + 1), made = x.made + 1, problem = null
    where x.organization_id = here and x.id = r.id;
    return made_one;
end $$;

create or replace function receivables.bill_due(as_of date) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); system constant text := coalesce(current_setting('app.system', true), ''); r record; why text;
begin
    for r in select x.id from receivables.recurring_invoices x where x.organization_id = here and x.status = 'active' and x.next_on <= as_of and x.deleted_at is null order by x.id loop
        begin
            while receivables.bill(r.id, as_of) is not null loop null; end loop;
        exception when others then
            get stacked diagnostics why = message_text;
            perform set_config('app.system', system, true);
            update receivables.recurring_invoices x set problem = why where x.organization_id = here and x.id = r.id;
        end;
    end loop;
end $$;

drop function receivables.terms_of(uuid, text, text);
drop function receivables.order_made(uuid);
drop function receivables.invoice_made(uuid);
drop function receivables.invoice_posts(uuid);
drop function receivables.discount_until(uuid, date);
drop function receivables.invoice_posted(uuid);
delete from app.entities where name in ('receivables.party_terms', 'receivables.order_terms');
drop table receivables.order_terms;
drop table receivables.party_terms;
alter table receivables.invoice_terms drop column instead_of;
update app.entities set derived = array_remove(derived, 'instead_of') where name = 'receivables.invoice_terms';
