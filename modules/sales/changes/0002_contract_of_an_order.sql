alter table sales.orders add column contract_id uuid,
    add constraint orders_contract foreign key (organization_id, contract_id) references parties.contracts;
comment on column sales.orders.contract_id is 'The contract that it is made under.';
create index orders_contract_id_fk on sales.orders (organization_id, contract_id);
-- The contract that an order is made under is its customer's.
create function sales.check_contract() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if coalesce(current_setting('app.system', true), '') <> 'yes' and not exists (select from parties.contracts c
        where c.organization_id = new.organization_id and c.id = new.contract_id and c.party_id = new.customer_id and c.deleted_at is null) then
        raise exception 'This contract is with somebody else.' using errcode = 'AP001', column = 'contract_id';
    end if;
    return new;
end $$;
create trigger checks_contract before insert or update of contract_id, customer_id on sales.orders for each row
    when (new.contract_id is not null) execute function sales.check_contract();

-- down: which contract an order was made under is lost
drop trigger checks_contract on sales.orders;
drop function sales.check_contract();
alter table sales.orders drop column contract_id;
