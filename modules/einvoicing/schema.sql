create schema einvoicing;
comment on schema einvoicing is 'Invoices as files that other programs read, and what became of them.';

-- What a rate of nothing means. A rate above nothing is always the standard category.
create table einvoicing.tax_categories (
    like app.record including all,
    tax_id    uuid not null,
    category  text not null default 'Z' check (category in ('Z', 'E', 'K')),
    reason    text constraint reason_is_short check (length(reason) <= 200),
    constraint tax_categories_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint tax_categories_once unique (organization_id, tax_id),
    constraint exempt_has_a_reason check (category = 'Z' or reason ~ '\S')
);
comment on table einvoicing.tax_categories is 'Why a tax is nothing: zero rated, exempt, or supplied within the European Union.';
comment on column einvoicing.tax_categories.category is 'As EN 16931 calls it.';
comment on constraint reason_is_short on einvoicing.tax_categories is 'A reason has at most 200 characters.';
comment on constraint tax_categories_once on einvoicing.tax_categories is 'This tax has its category already.';
comment on constraint exempt_has_a_reason on einvoicing.tax_categories is 'What is exempt needs a reason.';
select app.enroll('einvoicing.tax_categories');

create table einvoicing.exchanges (
    like app.record including all,
    number          text not null default app.next_number('EX'),
    direction       text not null default 'in' check (direction in ('out', 'in')),
    format          text not null default 'UBL' check (format in ('UBL', 'ESF')),
    status          text not null,
    invoice_id      uuid,
    party_id        uuid,
    content         app.textarea not null constraint content_is_a_document check (length(content) between 1 and 5000000),
    not_understood  app.textarea,
    registration    text constraint registration_is_short check (length(registration) <= 200),
    answered_on     date,
    reason          text constraint reason_is_short check (length(reason) <= 500),
    handed_over_at  timestamptz,
    note            app.textarea,
    constraint exchanges_number unique (organization_id, number),
    constraint exchanges_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint exchanges_party foreign key (organization_id, party_id) references parties.parties
);
comment on table einvoicing.exchanges is 'An invoice as a file: ours on its way to an exchange, or one that came in.';
comment on column einvoicing.exchanges.content is 'The file. One that came in becomes a draft bill when it is read in.';
comment on column einvoicing.exchanges.party_id is 'Whose bill it is; empty: found by the numbers and the name in it.';
comment on column einvoicing.exchanges.not_understood is 'What the file says and the bill does not.';
comment on column einvoicing.exchanges.registration is 'The number that the exchange gave it.';
comment on column einvoicing.exchanges.handed_over_at is 'When the exchange took it.';
comment on constraint content_is_a_document on einvoicing.exchanges is 'A file has 1 to 5,000,000 characters.';
comment on constraint registration_is_short on einvoicing.exchanges is 'A number has at most 200 characters.';
comment on constraint reason_is_short on einvoicing.exchanges is 'A reason has at most 500 characters.';
comment on constraint exchanges_number on einvoicing.exchanges is 'This number is already taken.';
create table einvoicing.exchange_messages (
    like app.record including all,
    exchange_id  uuid not null,
    kind         text not null check (kind in ('request', 'answer')),
    said         text not null check (said in ('created', 'sent', 'handed_over', 'accepted', 'declined', 'revoked', 'received')),
    text         text,
    constraint exchange_messages_exchange foreign key (organization_id, exchange_id) references einvoicing.exchanges on delete cascade
);
comment on table einvoicing.exchange_messages is 'What was asked of an exchange, and what it answered.';
select app.enroll('einvoicing.exchanges');
select app.enroll_part('einvoicing.exchange_messages', 'einvoicing.exchanges', 'exchange_id');
select app.workflow('einvoicing.exchanges', 'status', $$
    created  -> received : read_in
    created  -> sent     : send
    sent     -> accepted : accept
    sent     -> declined : decline
    sent     -> revoked  : revoke
    accepted -> revoked  : revoke
$$);
create unique index exchanges_live on einvoicing.exchanges (organization_id, invoice_id, format)
    where direction = 'out' and status in ('created', 'sent', 'accepted') and deleted_at is null;
comment on index einvoicing.exchanges_live is 'This invoice is on its way already; it must be declined or revoked first.';
select app.editable_in('einvoicing.exchanges', 'status', '{created}', keep => '{note,registration,answered_on,reason,handed_over_at}');
select app.derive('einvoicing.exchanges', '{number,direction,invoice_id,not_understood,registration,answered_on,reason,handed_over_at}');
select app.derive('einvoicing.exchange_messages', '{kind,said,text}');
drop trigger closed on einvoicing.exchange_messages;
create trigger stays before insert or update or delete on einvoicing.exchange_messages for each row when (current_user = 'app_user')
    execute function app.refuse('What an exchange was told and answered is written by the program.');

-- Whoever writes a file by hand brings one that came in; those that go out are made out of their invoice.
create function einvoicing.check_exchange() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.status = 'sent' and new.direction = 'in' then
        raise exception 'A file that came in is not sent.' using errcode = 'AP001';
    end if;
    if new.content is distinct from old.content and old.direction = 'out' or (new.direction, new.format) is distinct from (old.direction, old.format) then
        raise exception 'The file stays as it was made.' using errcode = 'AP001', column = 'content';
    end if;
    return new;
end $$;
create trigger checks before update on einvoicing.exchanges for each row execute function einvoicing.check_exchange();

create function einvoicing.tell() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into einvoicing.exchange_messages (exchange_id, kind, said, text)
    values (new.id, case when new.status in ('accepted', 'declined', 'received') then 'answer' else 'request' end, new.status,
        nullif(concat_ws(' · ', case when new.status = 'accepted' then new.registration end, case when new.status in ('declined', 'revoked') then new.reason end), ''));
    if new.format = 'ESF' and new.direction = 'out' then
        perform finance.note_esf(new.invoice_id, new.registration, new.status, coalesce(new.answered_on, current_date));
    end if;
    return null;
end $$;
create trigger tells after insert on einvoicing.exchanges for each row when (new.direction = 'out') execute function einvoicing.tell();
create trigger tells_on after update on einvoicing.exchanges for each row when (old.status <> new.status) execute function einvoicing.tell();

create function einvoicing.make(of_invoice uuid, of_format text, text text) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid := app.new_id();
begin
    insert into einvoicing.exchanges (id, direction, format, invoice_id, party_id, content)
    select made, 'out', of_format, i.id, i.party_id, make.text from finance.invoices i where i.organization_id = app.organization() and i.id = of_invoice;
    return made;
end $$;

-- The exchange's answer. Body: {registration?, on?, reason?}.
create function einvoicing.answer(of_exchange uuid, becomes text, body jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    if becomes in ('declined', 'revoked') and coalesce(body ->> 'reason', '') !~ '\S' then
        raise exception 'Say why.' using errcode = 'AP001', column = 'reason';
    end if;
    update einvoicing.exchanges x set status = becomes, registration = coalesce(body ->> 'registration', x.registration), reason = coalesce(body ->> 'reason', x.reason),
        answered_on = coalesce(sales.read_date(body, 'on'), current_date)
    where x.organization_id = app.organization() and x.id = of_exchange;
end $$;

-- The answer may have been quicker.
create function einvoicing.hand_over(of_exchange uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    update einvoicing.exchanges x set handed_over_at = now() where x.organization_id = here and x.id = of_exchange and x.handed_over_at is null;
    if found then insert into einvoicing.exchange_messages (exchange_id, kind, said) values (of_exchange, 'request', 'handed_over'); end if;
end $$;

-- An amount as a file writes it: with the digits of its currency, two at least.
create function einvoicing.money(amount numeric, digits integer) returns text language sql immutable parallel safe
return round(amount, greatest(digits, 2))::text;

-- A tax id as EN 16931 has it, with the country before it.
create function einvoicing.vat_id(tax_id text, country text) returns text language sql immutable parallel safe
return case when tax_id ~ '^[A-Z]{2}' then tax_id else country || nullif(tax_id, '') end;

-- All that a file says of an invoice, as texts. BR-CO-10 to 17: the tax of each category is reckoned from its whole and
-- rounded; what our lines have otherwise is the rounding of the document, so that what is to be paid is what we say.
create function einvoicing.document(of_invoice uuid) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); i finance.invoices; e ledger.legal_entities; o tenancy.organizations; told jsonb;
begin
    select * into i from finance.invoices x where x.organization_id = here and x.id = of_invoice;
    if i.number is null or i.direction <> 'out' or i.kind in ('PROFORMA', 'RECEIPT') then
        raise exception 'Only an invoice that was posted to a customer becomes a file.' using errcode = 'AP001';
    end if;
    select * into strict e from ledger.legal_entities x where x.organization_id = here and x.id = i.legal_entity_id;
    select * into strict o from tenancy.organizations x where x.id = here;
    with lines as (
        select l.*, case when l.tax_rate > 0 then 'S' else coalesce(c.category, case when l.tax_id is null then 'E' else 'Z' end) end as category,
            case when l.tax_rate > 0 then null else coalesce(c.reason, case when l.tax_id is null then 'Not subject to tax' end) end as exemption,
            p.kind = 'service' as is_service, row_number() over (order by l.position, l.id) as n
        from finance.invoice_lines l left join einvoicing.tax_categories c on c.organization_id = here and c.tax_id = l.tax_id and c.deleted_at is null
        left join products.products p on p.organization_id = here and p.id = l.product_id
        where l.organization_id = here and l.invoice_id = of_invoice and l.deleted_at is null
    ), groups as (
        select l.category, case when l.tax_rate > 0 then l.tax_rate else 0 end as rate, max(l.exemption) as exemption, sum(l.net) as base,
            round(sum(l.net) * max(l.tax_rate) / 100, i.digits) as tax
        from lines l group by 1, 2
    ), sums as (select sum(g.base) as net, sum(g.tax) as tax from groups g)
    select jsonb_build_object(
        'number', i.number, 'kind', i.kind, 'issued_on', i.issued_on, 'due_on', i.due_on, 'supplied_on', coalesce(i.supplied_on, i.issued_on), 'currency', i.currency,
        'digits', i.digits, 'rate', trim_scale(i.exchange_rate)::text, 'note', i.note, 'terms', i.terms, 'po_number', i.po_number, 'contract_number', i.contract_number,
        'credits', (select jsonb_build_object('number', x.number, 'issued_on', x.issued_on, 'registration', x.esf_number) from finance.invoices x
                    where x.organization_id = here and x.id = i.credited_invoice_id),
        'seller', jsonb_build_object('name', e.name, 'country', coalesce(e.country, o.country), 'bin', e.bin, 'vat_id', einvoicing.vat_id(e.tax_id, coalesce(e.country, o.country)),
            'street', o.address, 'email', o.email),
        'buyer', jsonb_build_object('name', i.party_name, 'country', coalesce(i.party_country, e.country, o.country), 'bin', i.party_bin,
            'vat_id', einvoicing.vat_id(i.party_tax_id, coalesce(i.party_country, e.country, o.country)), 'street', i.party_street, 'city', i.party_city, 'postal_code', i.party_postal_code),
        'lines', (select jsonb_agg(jsonb_build_object('n', l.n, 'name', l.name, 'description', l.description, 'code', l.code, 'unit', l.unit, 'is_service', coalesce(l.is_service, false),
                'quantity', trim_scale(l.quantity)::text, 'net', einvoicing.money(l.net, i.digits), 'tax', einvoicing.money(l.tax, i.digits), 'gross', einvoicing.money(l.gross, i.digits),
                'price', trim_scale(case when not l.price_includes_tax and round(l.quantity * l.price, i.digits) = l.net then l.price else l.net end)::text,
                -- Where no price of one gives the line, it is the price of all.
                'per', trim_scale(case when not l.price_includes_tax and round(l.quantity * l.price, i.digits) = l.net then 1 else l.quantity end)::text,
                'category', l.category, 'rate', trim_scale(l.tax_rate)::text) order by l.n) from lines l),
        'groups', (select jsonb_agg(jsonb_build_object('category', g.category, 'rate', trim_scale(g.rate)::text, 'exemption', g.exemption,
                'base', einvoicing.money(g.base, i.digits), 'tax', einvoicing.money(g.tax, i.digits)) order by g.category, g.rate) from groups g),
        'net', einvoicing.money(s.net, i.digits), 'tax', einvoicing.money(s.tax, i.digits), 'inclusive', einvoicing.money(s.net + s.tax, i.digits),
        'rounding', case when i.gross <> s.net + s.tax then einvoicing.money(i.gross - s.net - s.tax, i.digits) end,
        'payable', einvoicing.money(i.gross, i.digits), 'lines_tax', einvoicing.money(i.tax, i.digits)) into told
    from sums s;
    return told;
end $$;

-- A draft bill out of what was read in a file. What is taken off the whole is taken off the lines of its tax rate, each by its
-- share, so that the sum of every rate is the paper's. Answers what does not come to what the file says.
create function einvoicing.bill(of_exchange uuid, told jsonb) returns text language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); x einvoicing.exchanges; supplier uuid; made uuid; i finance.invoices; off numeric; wanted numeric; places integer; big uuid;
begin
    select * into strict x from einvoicing.exchanges w where w.organization_id = here and w.id = of_exchange for no key update;
    if x.direction <> 'in' or x.status <> 'created' then raise exception 'Only a file that came in is read in, and once.' using errcode = 'AP001'; end if;
    supplier := x.party_id;
    if supplier is null then
        select p.id into supplier from parties.parties p where p.organization_id = here and p.deleted_at is null and p.merged_into is null
            and (p.bin = any (array(select jsonb_array_elements_text(told -> 'seller' -> 'ids'))) or p.tax_id = any (array(select jsonb_array_elements_text(told -> 'seller' -> 'ids')))
                 or lower(told -> 'seller' ->> 'name') in (lower(p.name), lower(p.legal_name)))
        order by p.is_supplier desc, p.created_at limit 1;
    end if;
    if supplier is null then
        raise exception 'Nobody here has the name % or its numbers: say whose bill it is.', told -> 'seller' ->> 'name' using errcode = 'AP001', column = 'party_id';
    end if;
    places := app.digits(told ->> 'currency');
    if places is null then raise exception 'There is no currency %.', told ->> 'currency' using errcode = 'AP001', column = 'content'; end if;
    made := finance.draft(
        jsonb_build_object('direction', 'in', 'kind', told ->> 'kind', 'party_id', supplier, 'supplier_number', told ->> 'number', 'issued_on', told ->> 'issued_on',
            'due_on', greatest(told ->> 'due_on', told ->> 'issued_on'), 'supplied_on', told ->> 'supplied_on', 'currency', told ->> 'currency', 'po_number', told ->> 'po_number',
            'contract_number', told ->> 'contract_number', 'terms', told ->> 'terms', 'note', told ->> 'note', 'prices_include_tax', false,
            'assigned_to', (select m.id from iam.memberships m where m.organization_id = here and m.id = app.actor())),
        (with lines as (
             select l, n, (l ->> 'net')::numeric as net, coalesce((l ->> 'rate')::numeric, 0) as rate from jsonb_array_elements(told -> 'lines') with ordinality u (l, n)
         ), parts as (
             select p.n, p.part from (
                 select array_agg(y.n order by y.n) as ns, ledger.shares(t.amount, array_agg(y.net order by y.n), places) as parts
                 from lines y join (select coalesce((a ->> 'rate')::numeric, 0) as rate, sum((a ->> 'amount')::numeric) as amount
                                    from jsonb_array_elements(told -> 'allowances') a group by 1) t using (rate)
                 group by rate, t.amount having sum(y.net) >= t.amount) s cross join unnest(s.ns, s.parts) p (n, part)
         )
         select jsonb_agg(jsonb_build_object('name', left(l ->> 'name', 500), 'description', l ->> 'description', 'quantity', q.quantity, 'price', q.price,
                'discount_amount', round(q.quantity * q.price - q.net, 6), 'tax_rate', rate, 'price_includes_tax', false) order by n)
         from lines left join parts using (n)
         cross join lateral (select (l ->> 'quantity')::numeric as quantity, lines.net - coalesce(parts.part, 0) as net,
             -- Of one, so that no discount is less than nothing.
             greatest(ceil((l ->> 'price')::numeric / coalesce(nullif((l ->> 'per')::numeric, 0), 1) * 1000000) / 1000000,
                 ceil((l ->> 'net')::numeric / (l ->> 'quantity')::numeric * 1000000) / 1000000) as price) q));
    update einvoicing.exchanges w set invoice_id = made, party_id = supplier where w.organization_id = here and w.id = of_exchange;
    select * into strict i from finance.invoices w where w.organization_id = here and w.id = made;
    wanted := (told ->> 'payable')::numeric;
    -- Taxes that the file reckons of the whole are a rounding off ours; the largest line takes it up.
    off := wanted - i.gross;
    if off <> 0 and abs(off) <= 1 then
        select l.id into big from finance.invoice_lines l where l.organization_id = here and l.invoice_id = made order by l.tax desc, l.net desc, l.id limit 1;
        update finance.invoice_lines l set tax_adjustment = off where l.organization_id = here and l.id = big;
        off := 0;
    end if;
    if off <> 0 then return format('PayableAmount: %s, the lines come to %s', wanted, trim_scale(i.gross)); end if;
    return null;
end $$;

create function einvoicing.read_in(of_exchange uuid, left_over text) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare bill uuid;
begin
    update einvoicing.exchanges x set status = 'received', not_understood = nullif(left_over, '') where x.organization_id = app.organization() and x.id = of_exchange
    returning x.invoice_id into bill;
    return bill;
end $$;
