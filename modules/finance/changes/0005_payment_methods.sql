-- Payment methods, and what banking asks of payments.
create table finance.payment_methods (
    like app.record including all,
    name            text not null constraint method_has_a_name check (name ~ '\S' and length(name) <= 100),
    method          text not null default 'BANK_TRANSFER' check (method in ('CASH', 'BANK_TRANSFER', 'CARD', 'CHECK', 'OTHER')),
    account_id      uuid not null,
    currency        text references app.currencies,
    fee_percent     app.percent constraint fee_percent_is_a_part check (fee_percent between 0 and 100),
    fee_amount      app.money constraint fee_amount_not_negative check (fee_amount >= 0),
    fee_account_id  uuid,
    roles           text[] not null default '{}',
    is_active       boolean not null default true,
    constraint payment_methods_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint payment_methods_fee_account foreign key (organization_id, fee_account_id) references ledger.ledger_accounts
);
comment on table finance.payment_methods is 'An instrument that money comes in or goes out by: a bank account, a card gateway, a cash desk.';
comment on column finance.payment_methods.account_id is 'Where its money stands in the books.';
comment on column finance.payment_methods.currency is 'Only payments in this currency; empty: in any.';
comment on column finance.payment_methods.fee_percent is 'What it keeps of every payment.';
comment on column finance.payment_methods.fee_amount is 'What it keeps of every payment, whatever its amount.';
comment on column finance.payment_methods.roles is 'Who may use it, by the names of roles; empty: everybody who enters payments.';
comment on constraint method_has_a_name on finance.payment_methods is 'A name has 1 to 100 characters.';
comment on constraint fee_percent_is_a_part on finance.payment_methods is 'A fee is 0 to 100 percent.';
comment on constraint fee_amount_not_negative on finance.payment_methods is 'A fee cannot be negative.';
comment on constraint payment_methods_currency_fkey on finance.payment_methods is 'There is no such currency.';
create unique index payment_methods_name on finance.payment_methods (organization_id, lower(name)) where deleted_at is null;
comment on index finance.payment_methods_name is 'There is a payment method with this name already.';
select app.enroll('finance.payment_methods');

alter table finance.payments
    add column payment_method_id uuid,
    add constraint payments_payment_method foreign key (organization_id, payment_method_id) references finance.payment_methods;
comment on column finance.payments.payment_method_id is 'Says the method and the account.';
create index payments_payment_method_id_fk on finance.payments (organization_id, payment_method_id);

create function finance.take_method() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare m finance.payment_methods;
begin
    select * into m from finance.payment_methods x where x.organization_id = new.organization_id and x.id = new.payment_method_id;
    if not m.is_active or m.deleted_at is not null then
        raise exception 'This payment method is no longer used.' using errcode = 'AP001', column = 'payment_method_id';
    end if;
    if m.currency <> new.currency then
        raise exception 'This payment method takes % only.', m.currency using errcode = 'AP001', column = 'payment_method_id';
    end if;
    new.method := m.method;
    new.account_id := m.account_id;
    return new;
end $$;
-- After `defaults`, by its name: then the currency is known.
create trigger takes_method before insert or update of payment_method_id on finance.payments for each row
    when (new.payment_method_id is not null) execute function finance.take_method();

-- For other modules: money that came in or went out, with what it settles. Body: {direction, party_id, amount, currency, paid_on, account_id?,
-- legal_entity_id?, method?, reference?, bank_reference?, allocations?: [{invoice_id, amount}], complete?}; `complete` false leaves it under way.
create function finance.enter_payment(body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); made uuid := app.new_id(); on_day constant date := coalesce(sales.read_date(body, 'paid_on'), current_date);
begin
    insert into finance.payments (id, direction, party_id, amount, currency, exchange_rate, paid_on, account_id, legal_entity_id, method, reference, bank_reference)
    values (made, body ->> 'direction', sales.read_id(body, 'party_id'), sales.read_number(body, 'amount'), body ->> 'currency',
        finance.rate(sales.read_id(body, 'legal_entity_id'), body ->> 'currency', on_day), on_day, sales.read_id(body, 'account_id'), sales.read_id(body, 'legal_entity_id'),
        coalesce(body ->> 'method', 'BANK_TRANSFER'), body ->> 'reference', body ->> 'bank_reference');
    insert into finance.payment_allocations (payment_id, invoice_id, amount, allocated_on)
    select made, sales.read_id(a, 'invoice_id'), sales.read_number(a, 'amount'), on_day
    from jsonb_array_elements(coalesce(body -> 'allocations', '[]')) a order by 2;
    update finance.payments p set status = case when coalesce((body ->> 'complete')::boolean, true) then 'completed' else 'processing' end
    where p.organization_id = here and p.id = made;
    return made;
end $$;

-- The bank says that a payment under way was made: on which day, and from which account.
create function finance.finish_payment(payment uuid, on_day date, account uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.payments p set status = 'completed', paid_on = on_day, account_id = account where p.organization_id = app.organization() and p.id = payment;
end $$;

create function finance.cancel_payment(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.payments p set status = 'cancelled' where p.organization_id = app.organization() and p.id = payment and p.status <> 'cancelled';
end $$;

create function finance.undo_write_off(write_off uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update finance.write_offs w set reversed_on = greatest(w.taken_on, current_date)
    where w.organization_id = app.organization() and w.id = write_off and w.reversed_on is null;
end $$;

-- down: the payment methods are lost
drop function finance.undo_write_off(uuid);
drop function finance.cancel_payment(uuid);
drop function finance.finish_payment(uuid, date, uuid);
drop function finance.enter_payment(jsonb);
drop trigger takes_method on finance.payments;
drop function finance.take_method();
alter table finance.payments drop column payment_method_id;
drop table finance.payment_methods;
delete from app.entities where name = 'finance.payment_methods';
