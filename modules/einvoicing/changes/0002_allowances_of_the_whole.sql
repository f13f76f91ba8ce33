-- Allowances and charges of a whole document come in with its bill.
create or replace function einvoicing.bill(of_exchange uuid, told jsonb) returns text language plpgsql security definer set search_path = pg_catalog as $$
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

-- down
create or replace function einvoicing.bill(of_exchange uuid, told jsonb) returns text language plpgsql security definer set search_path = pg_catalog as $$
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
        (select jsonb_agg(jsonb_build_object('name', left(l ->> 'name', 500), 'description', l ->> 'description', 'quantity', q.quantity, 'price', q.price,
                'discount_amount', round(q.quantity * q.price - q.net, 6), 'tax_rate', coalesce((l ->> 'rate')::numeric, 0), 'price_includes_tax', false) order by n)
         from jsonb_array_elements(told -> 'lines') with ordinality u (l, n)
         cross join lateral (select (l ->> 'quantity')::numeric as quantity, (l ->> 'net')::numeric as net,
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

