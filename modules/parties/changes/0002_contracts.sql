create table parties.contracts (
    like app.record including all,
    number          text not null default app.next_number('CT'),
    party_id        uuid not null,
    title           text not null constraint contract_has_a_title check (title ~ '\S' and length(title) <= 500),
    kind            text not null default 'sale' check (kind in ('sale', 'purchase', 'service', 'lease', 'partnership', 'confidentiality', 'other')),
    status          text not null,
    starts_on       date,
    ends_on         date,
    notice_days     integer not null default 30 constraint notice_is_reasonable check (notice_days between 0 and 3650),
    notice_on       date generated always as (ends_on - notice_days) stored,
    auto_renew      boolean not null default false,
    renewal_months  integer not null default 12 constraint renewal_is_reasonable check (renewal_months between 1 and 120),
    value           app.money constraint value_not_negative check (value >= 0),
    currency        text references app.currencies,
    signed_on       date,
    terminated_on   date,
    reason          text,
    assigned_to     uuid default app.actor(),
    workspace_id    uuid,
    note            app.textarea,
    constraint contracts_number unique (organization_id, number),
    constraint contracts_party foreign key (organization_id, party_id) references parties.parties,
    constraint contracts_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint contracts_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint ends_after_it_starts check (ends_on >= starts_on),
    constraint value_has_a_currency check (value is null or currency is not null),
    constraint renewal_has_an_end check (not auto_renew or ends_on is not null)
);
comment on table parties.contracts is 'What was agreed with a party, and until when.';
comment on column parties.contracts.notice_days is 'How many days before its end it must be cancelled or renewed.';
comment on column parties.contracts.notice_on is 'From this day on it is expiring.';
comment on column parties.contracts.auto_renew is 'At its end it goes on by itself, unless it was terminated.';
comment on column parties.contracts.renewal_months is 'By how many months a renewal makes it longer.';
comment on column parties.contracts.value is 'What the whole is worth, in its currency.';
comment on column parties.contracts.reason is 'Why it was terminated.';
comment on constraint contracts_number on parties.contracts is 'This number is already taken.';
comment on constraint contract_has_a_title on parties.contracts is 'A title has 1 to 500 characters.';
comment on constraint notice_is_reasonable on parties.contracts is 'The notice is 0 to 3650 days.';
comment on constraint renewal_is_reasonable on parties.contracts is 'A renewal is for 1 to 120 months.';
comment on constraint value_not_negative on parties.contracts is 'The value cannot be negative.';
comment on constraint contracts_currency_fkey on parties.contracts is 'There is no such currency.';
comment on constraint ends_after_it_starts on parties.contracts is 'A contract ends on or after the day it starts.';
comment on constraint value_has_a_currency on parties.contracts is 'A value needs a currency.';
comment on constraint renewal_has_an_end on parties.contracts is 'Only a contract with an end can be renewed by itself.';
create index contracts_status on parties.contracts (organization_id, status, ends_on);
select app.searchable('parties.contracts', 'A: number, title; C: note');
select app.enroll('parties.contracts', owner => 'assigned_to');
select app.workflow('parties.contracts', 'status', $$
    draft    -> sent       : send
    draft    -> signed     : sign
    sent     -> draft      : withdraw
    sent     -> signed     : sign
    signed   -> active     : activate
    active   -> expiring   : auto
    expiring -> active     : renew
    active   -> expired    : auto
    expiring -> expired    : auto
    sent     -> terminated : terminate
    signed   -> terminated : terminate
    active   -> terminated : terminate
    expiring -> terminated : terminate
$$);
select app.editable_in('parties.contracts', 'status', '{draft,sent}',
    '{starts_on,ends_on,notice_days,notice_on,auto_renew,renewal_months,signed_on,terminated_on,reason,assigned_to,workspace_id,note}');

-- What must hold for a move, whichever way it is asked for.
create function parties.check_contract() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.status = 'signed' then
        new.signed_on := coalesce(new.signed_on, current_date);
    elsif new.status = 'active' and old.status = 'signed' then
        new.starts_on := coalesce(new.starts_on, current_date);
        if new.starts_on > current_date then
            raise exception 'This contract starts on %.', new.starts_on using errcode = 'AP001', column = 'starts_on';
        end if;
    elsif new.status = 'active' then
        if new.ends_on = old.ends_on then new.ends_on := old.ends_on + make_interval(months => new.renewal_months); end if;
    elsif new.status = 'terminated' then
        new.terminated_on := coalesce(new.terminated_on, current_date);
    end if;
    return new;
end $$;
create trigger checks before update on parties.contracts for each row when (old.status is distinct from new.status) execute function parties.check_contract();

-- What a day brings: contracts begin, are about to end, go on by themselves or end. Whoever is responsible is told once.
create function parties.daily() returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); c parties.contracts;
begin
    update parties.contracts k set status = 'active'
    where k.organization_id = here and k.deleted_at is null and k.status = 'signed' and k.starts_on <= current_date;
    -- More than one term may have passed while nothing ran.
    loop
        update parties.contracts k set status = 'expiring'
        where k.organization_id = here and k.deleted_at is null and k.status = 'active' and k.ends_on < current_date and k.auto_renew;
        update parties.contracts k set status = 'active'
        where k.organization_id = here and k.deleted_at is null and k.status = 'expiring' and k.ends_on < current_date and k.auto_renew;
        exit when not found;
    end loop;
    update parties.contracts k set status = 'expired'
    where k.organization_id = here and k.deleted_at is null and k.status in ('active', 'expiring') and k.ends_on < current_date;
    for c in
        update parties.contracts k set status = 'expiring'
        where k.organization_id = here and k.deleted_at is null and k.status = 'active' and k.notice_on <= current_date
        returning k.*
    loop
        perform app.notify(c.assigned_to, 'contract', jsonb_build_object(
            'en', format('The contract %s ends on %s', c.number, c.ends_on), 'ru', format('Договор %s заканчивается %s', c.number, c.ends_on),
            'kk', format('%s шарты %s күні аяқталады', c.number, c.ends_on)), c.title, 'parties.contracts', c.id, null);
    end loop;
end $$;
revoke execute on function parties.daily() from public;

-- down: the contracts are lost
drop table parties.contracts;
drop function parties.daily();
drop function parties.check_contract();
delete from app.transitions where entity = 'parties.contracts';
delete from app.entities where name = 'parties.contracts';
