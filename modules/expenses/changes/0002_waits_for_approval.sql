-- The bill and the payment that pay a report back wait where a rule of approval holds them back.
alter table expenses.expense_reports add column bill_id uuid,
    add constraint expense_reports_bill foreign key (organization_id, bill_id) references finance.invoices;
comment on column expenses.expense_reports.bill_id is 'The bill by which it is paid back.';
create index expense_reports_bill_id_fk on expenses.expense_reports (organization_id, bill_id);
select app.derive('expenses.expense_reports', '{bill_id}');
drop trigger closed on expenses.expense_reports;
drop trigger closed_throw on expenses.expense_reports;
drop trigger closed_delete on expenses.expense_reports;
drop trigger closed on expenses.expense_lines;
select app.editable_in('expenses.expense_reports', 'status', '{draft}',
    keep => '{over_budget,submitted_on,approved_on,approved_by,reimbursed_on,bill_id,payment_id,payee_id,reason,note,tags}');
create function expenses.bill(report uuid, to_party uuid, body jsonb, out bill uuid, out is_draft boolean) language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r expenses.expense_reports; day constant date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    select * into r from expenses.expense_reports x where x.organization_id = here and x.id = report for no key update;
    if r.status is distinct from 'approved' then raise exception 'Only an approved report is paid back.' using errcode = 'AP001'; end if;
    select i.id, i.status = 'draft' into bill, is_draft from finance.invoices i
    where i.organization_id = here and i.id = r.bill_id and i.status <> 'cancelled' and i.deleted_at is null;
    if bill is null then
        bill := finance.draft(
            jsonb_build_object('direction', 'in', 'party_id', to_party, 'workspace_id', r.workspace_id, 'issued_on', greatest(r.approved_on, day), 'currency', r.currency,
                'exchange_rate', r.exchange_rate, 'supplier_number', r.number, 'reference', r.title),
            jsonb_build_array(jsonb_build_object('name', concat_ws(': ', r.number, r.title), 'price', r.total, 'tax_rate', 0, 'account_id', ledger.account('employees'))));
        update expenses.expense_reports x set bill_id = bill.bill, payee_id = to_party where x.organization_id = here and x.id = report;
        is_draft := true;
    end if;
end $$;

create function expenses.pay(report uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r expenses.expense_reports; payment uuid;
begin
    select * into r from expenses.expense_reports x where x.organization_id = here and x.id = report;
    select p.id into payment from finance.payments p
    where p.organization_id = here and p.id = r.payment_id and p.status <> all ('{failed,cancelled}') and p.deleted_at is null;
    if payment is null then
        payment := finance.pay(r.bill_id, jsonb_strip_nulls(jsonb_build_object('method', body ->> 'method', 'paid_on', coalesce(sales.read_date(body, 'paid_on'), current_date),
            'reference', r.number)));
        update expenses.expense_reports x set payment_id = payment where x.organization_id = here and x.id = report;
    end if;
    return payment;
end $$;

create function expenses.payment_counts(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    update expenses.expense_reports x set status = 'reimbursed', reimbursed_on = p.paid_on from finance.payments p
    where x.organization_id = here and p.organization_id = here and x.payment_id = payment and p.id = payment and x.status = 'approved';
end $$;

drop function expenses.reimburse(uuid, uuid, jsonb);

revoke execute on function expenses.bill(uuid, uuid, jsonb), expenses.pay(uuid, jsonb) from public;
grant execute on function expenses.bill(uuid, uuid, jsonb), expenses.pay(uuid, jsonb) to app_user;

-- down
drop trigger closed on expenses.expense_reports;
drop trigger closed_throw on expenses.expense_reports;
drop trigger closed_delete on expenses.expense_reports;
drop trigger closed on expenses.expense_lines;
select app.editable_in('expenses.expense_reports', 'status', '{draft}',
    keep => '{over_budget,submitted_on,approved_on,approved_by,reimbursed_on,payment_id,payee_id,reason,note,tags}');
update app.entities set derived = array_remove(derived, 'bill_id') where name = 'expenses.expense_reports';
alter table expenses.expense_reports drop column bill_id;
create function expenses.reimburse(report uuid, to_party uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r expenses.expense_reports; bill uuid; payment uuid; day constant date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    select * into r from expenses.expense_reports x where x.organization_id = here and x.id = report for no key update;
    if r.status is distinct from 'approved' then raise exception 'Only an approved report is paid back.' using errcode = 'AP001'; end if;
    bill := finance.draft(
        jsonb_build_object('direction', 'in', 'party_id', to_party, 'workspace_id', r.workspace_id, 'issued_on', greatest(r.approved_on, day), 'currency', r.currency,
            'exchange_rate', r.exchange_rate, 'supplier_number', r.number, 'reference', r.title),
        jsonb_build_array(jsonb_build_object('name', concat_ws(': ', r.number, r.title), 'price', r.total, 'tax_rate', 0, 'account_id', ledger.account('employees'))));
    update finance.invoices i set status = 'sent' where i.organization_id = here and i.id = bill;
    payment := finance.pay(bill, jsonb_strip_nulls(jsonb_build_object('method', body ->> 'method', 'paid_on', day, 'reference', r.number)));
    update expenses.expense_reports x set status = 'reimbursed', payment_id = payment, payee_id = to_party, reimbursed_on = day where x.organization_id = here and x.id = report;
    return payment;
end $$;

drop function expenses.bill(uuid, uuid, jsonb);
drop function expenses.pay(uuid, jsonb);
drop function expenses.payment_counts(uuid);
revoke execute on function expenses.reimburse(uuid, uuid, jsonb) from public;
grant execute on function expenses.reimburse(uuid, uuid, jsonb) to app_user;
