-- A deal that was won becomes an invoice.
alter table finance.invoices add column deal_id uuid;
alter table finance.invoices add constraint invoices_deal foreign key (organization_id, deal_id) references crm.deals;
comment on column finance.invoices.deal_id is 'The deal that it is for.';
select app.derive('finance.invoices', '{deal_id}');
create unique index invoices_of_deal on finance.invoices (organization_id, deal_id) where status <> 'cancelled' and deleted_at is null;
comment on index finance.invoices_of_deal is 'This deal has its invoice already.';
-- The invoice of a deal that was won, as a draft: its lines, or its value where it has none. Body: {issued_on?, due_on?}.
create function finance.invoice_deal(of_deal uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d crm.deals; made constant uuid := app.new_id(); lines bigint;
begin
    select * into d from crm.deals x where x.organization_id = here and x.id = of_deal for no key update;
    if d.stage is distinct from 'WON' then raise exception 'Only a deal that was won can be invoiced.' using errcode = 'AP001'; end if;
    insert into finance.invoices (id, direction, kind, party_id, deal_id, assigned_to, workspace_id, currency, reference, supplied_on, issued_on, due_on)
    values (made, 'out', 'STANDARD', d.customer_id, d.id, d.assigned_to, d.workspace_id, d.currency, d.number, d.dealt_on, sales.read_date(body, 'issued_on'), sales.read_date(body, 'due_on'));
    insert into finance.invoice_lines (invoice_id, position, product_id, code, name, unit, quantity, price, discount_percent, discount_amount, tax_id, tax_rate, price_includes_tax)
    select made, l.position, l.product_id, l.code, l.name, l.unit, l.quantity, l.price, l.discount_percent, l.discount_amount, l.tax_id, l.tax_rate, l.price_includes_tax
    from crm.deal_lines l where l.organization_id = here and l.deal_id = of_deal and l.deleted_at is null order by l.position, l.id;
    get diagnostics lines = row_count;
    if lines = 0 and coalesce(d.value, 0) <= 0 then raise exception 'There is nothing to invoice in this deal.' using errcode = 'AP001'; end if;
    if lines = 0 then
        insert into finance.invoice_lines (invoice_id, name, price, tax_rate, price_includes_tax) values (made, coalesce(d.title, d.number), d.value, 0, true);
    end if;
    return made;
end $$;
-- down
drop function finance.invoice_deal(uuid, jsonb);
alter table finance.invoices drop column deal_id;
update app.entities set derived = array_remove(derived, 'deal_id') where name = 'finance.invoices';
