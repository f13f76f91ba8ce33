create schema parties;
comment on schema parties is 'Companies and people outside: customers, suppliers, carriers.';

-- DEFINITIONS 25: twelve digits, the last one checks the others.
create function parties.valid_kz_id(number text) returns boolean language plpgsql immutable strict parallel safe as $$
declare d integer[]; s integer;
begin
    if number !~ '^[0-9]{12}$' then return false; end if;
    d := string_to_array(number, null)::integer[];
    select sum(d[i] * i) % 11 into s from generate_series(1, 11) i;
    if s = 10 then select sum(d[i] * ((i + 1) % 11 + 1)) % 11 into s from generate_series(1, 11) i; end if;
    return s = d[12];
end $$;

-- An IIN starts with the day of birth; place seven tells the century, 0 is given to foreigners.
create function parties.valid_iin(number text) returns boolean language plpgsql immutable strict parallel safe as $$
declare century integer;
begin
    if not parties.valid_kz_id(number) or substr(number, 7, 1) > '6' then return false; end if;
    century := case substr(number, 7, 1) when '1' then 1800 when '2' then 1800 when '5' then 2000 when '6' then 2000 else 1900 end;
    perform make_date(century + left(number, 2)::integer, substr(number, 3, 2)::integer, substr(number, 5, 2)::integer);
    return true;
exception when datetime_field_overflow then return false;
end $$;

-- What two writings of one phone number have in common: 8 701 … and +7 701 … are the same.
create function parties.phone_digits(phone text) returns text language sql immutable strict parallel safe
return nullif(right(regexp_replace(phone, '[^0-9]', '', 'g'), 10), '');

-- Days until payment is due.
create function parties.payment_days(terms text) returns integer language sql immutable strict parallel safe
return case when terms ~ '^NET_[0-9]+$' then substr(terms, 5)::integer else 0 end;

-- The currency that an organization keeps its books in.
create function parties.home_currency(organization uuid) returns text language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select o.currency from tenancy.organizations o where o.id = organization);
end $$;

create table parties.parties (
    like app.record including all,
    number             text not null default app.next_number('P'),
    code               text constraint code_is_short check (code ~ '\S' and length(code) <= 50),
    kind               text not null default 'company' check (kind in ('company', 'individual')),
    name               text not null constraint party_has_a_name check (name ~ '\S' and length(name) <= 500),
    legal_name         text constraint legal_name_is_short check (length(legal_name) <= 500),
    is_customer        boolean not null default false,
    is_supplier        boolean not null default false,
    is_carrier         boolean not null default false,
    is_venue           boolean not null default false,
    is_partner         boolean not null default false,
    is_agency          boolean not null default false,
    lifecycle          text not null default 'active' check (lifecycle in ('lead', 'prospect', 'active', 'inactive', 'churned')),
    email              app.email,
    phone              app.phone,
    fax                app.phone,
    website            app.url,
    country            text constraint country_has_two_letters check (country ~ '^[A-Z]{2}$'),
    language           text constraint language_has_two_letters check (language ~ '^[a-z]{2}$'),
    currency           text references app.currencies,
    bin                text constraint bin_is_valid check (parties.valid_kz_id(bin)),
    iin                text constraint iin_is_valid check (parties.valid_iin(iin)),
    kbe                text constraint kbe_has_two_digits check (kbe ~ '^[12][1-9]$'),
    tax_id             text constraint tax_id_is_short check (length(tax_id) <= 50),
    industry           text,
    segment            text,
    source             text,
    employee_count     integer constraint employees_not_negative check (employee_count >= 0),
    annual_revenue     app.money,
    credit_limit       app.money constraint credit_limit_not_negative check (credit_limit >= 0),
    payment_terms      text not null default 'NET_30'
                       check (payment_terms in ('PREPAYMENT', 'NET_0', 'NET_15', 'NET_30', 'NET_45', 'NET_60')),
    tier               text not null default 'standard' check (tier in ('standard', 'silver', 'gold', 'platinum')),
    rating             numeric(4,2) constraint rating_is_0_to_10 check (rating between 0 and 10),
    satisfaction       numeric(3,2) constraint satisfaction_is_0_to_5 check (satisfaction between 0 and 5),
    assigned_to        uuid default app.actor(),
    workspace_id       uuid,
    merged_into        uuid,
    tags               text[] not null default '{}',
    note               app.textarea,
    -- What duplicates are found by.
    email_key          text generated always as (lower(email)) stored,
    phone_key          text generated always as (parties.phone_digits(phone)) stored,
    constraint parties_number unique (organization_id, number),
    constraint parties_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint parties_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint parties_merged_into foreign key (organization_id, merged_into) references parties.parties,
    constraint merged_is_gone check (merged_into is null or deleted_at is not null),
    constraint not_merged_into_itself check (merged_into <> id),
    constraint iin_is_a_persons check (iin is null or kind = 'individual')
);
comment on table parties.parties is 'A company or a person that we deal with, in any number of roles.';
comment on column parties.parties.code is 'What others call it: its code in another system.';
comment on column parties.parties.lifecycle is 'How far our dealings have got.';
comment on column parties.parties.credit_limit is 'How much it may owe, in the currency of our books; empty: no limit.';
comment on column parties.parties.payment_terms is 'When its invoices are due.';
comment on column parties.parties.kbe is 'Sector code of a payee in Kazakhstan: residency and sector of the economy.';
comment on column parties.parties.merged_into is 'The record that this duplicate became part of.';
comment on column parties.parties.rating is 'Ours, from 0 to 10.';
comment on column parties.parties.satisfaction is 'Theirs, from 0 to 5.';
comment on constraint parties_number on parties.parties is 'This number is already taken.';
comment on constraint code_is_short on parties.parties is 'A code has 1 to 50 characters.';
comment on constraint party_has_a_name on parties.parties is 'A name has 1 to 500 characters.';
comment on constraint legal_name_is_short on parties.parties is 'A legal name has at most 500 characters.';
comment on constraint country_has_two_letters on parties.parties is 'A country is two capital letters, such as KZ.';
comment on constraint language_has_two_letters on parties.parties is 'A language is two small letters, such as ru.';
comment on constraint parties_currency_fkey on parties.parties is 'There is no such currency.';
comment on constraint bin_is_valid on parties.parties is 'This is not a BIN: it needs twelve digits, and the last one must fit the others.';
comment on constraint iin_is_valid on parties.parties is 'This is not an IIN: it needs a day of birth and twelve digits of which the last one fits the others.';
comment on constraint kbe_has_two_digits on parties.parties is 'A KBE is two digits: 1 or 2 for residency, then the sector 1 to 9.';
comment on constraint tax_id_is_short on parties.parties is 'A tax number has at most 50 characters.';
comment on constraint employees_not_negative on parties.parties is 'There cannot be fewer than no employees.';
comment on constraint credit_limit_not_negative on parties.parties is 'A credit limit cannot be negative.';
comment on constraint rating_is_0_to_10 on parties.parties is 'A rating goes from 0 to 10.';
comment on constraint satisfaction_is_0_to_5 on parties.parties is 'Satisfaction goes from 0 to 5.';
comment on constraint merged_is_gone on parties.parties is 'This duplicate was merged into another record and cannot come back.';
comment on constraint not_merged_into_itself on parties.parties is 'A record cannot be merged into itself.';
comment on constraint iin_is_a_persons on parties.parties is 'Only a person has an IIN; a company has a BIN.';
create unique index parties_code on parties.parties (organization_id, code) where deleted_at is null;
comment on index parties.parties_code is 'Another party has this code.';
create index parties_bin on parties.parties (organization_id, bin) where bin is not null;
create index parties_iin on parties.parties (organization_id, iin) where iin is not null;
create index parties_email on parties.parties (organization_id, email_key) where email_key is not null;
create index parties_phone on parties.parties (organization_id, phone_key) where phone_key is not null;
create index parties_name on parties.parties (organization_id, name);
create index parties_tags on parties.parties using gin (organization_id, tags);
select app.searchable('parties.parties', 'A: name, number, code; B: legal_name, email, phone, bin, iin, tax_id; C: note');
select app.enroll('parties.parties', owner => 'assigned_to');

create table parties.contacts (
    like app.record including all,
    party_id           uuid not null,
    first_name         text not null default '',
    last_name          text not null default '',
    name               text generated always as (trim(first_name || ' ' || last_name)) stored,
    title              text,
    department         text,
    email              app.email,
    phone              app.phone,
    mobile             app.phone,
    is_primary         boolean not null default false,
    is_decision_maker  boolean not null default false,
    accepts_marketing  boolean not null default false,
    note               app.textarea,
    constraint contacts_party foreign key (organization_id, party_id) references parties.parties on delete cascade,
    constraint contact_has_a_name check (first_name || last_name ~ '\S' and length(first_name) <= 100 and length(last_name) <= 100)
);
comment on table parties.contacts is 'A person at a party.';
comment on column parties.contacts.title is 'Position: Purchasing Manager.';
comment on constraint contact_has_a_name on parties.contacts is 'A contact needs a first or a last name, each of at most 100 characters.';
create unique index contacts_one_primary on parties.contacts (organization_id, party_id) where is_primary and deleted_at is null;
comment on index parties.contacts_one_primary is 'A party has one primary contact.';
select app.searchable('parties.contacts', 'A: first_name, last_name; B: email, phone, mobile, title');
select app.enroll_part('parties.contacts', 'parties.parties', 'party_id');

create table parties.addresses (
    like app.record including all,
    party_id     uuid not null,
    kind         text not null default 'billing' check (kind in ('billing', 'shipping', 'legal', 'office')),
    is_default   boolean not null default false,
    name         text,
    street       text constraint street_is_short check (length(street) <= 500),
    street2      text,
    city         text constraint city_is_short check (length(city) <= 200),
    region       text,
    postal_code  text constraint postal_code_is_short check (length(postal_code) <= 20),
    country      text constraint country_has_two_letters check (country ~ '^[A-Z]{2}$'),
    latitude     numeric(9,6) constraint latitude_is_on_earth check (latitude between -90 and 90),
    longitude    numeric(9,6) constraint longitude_is_on_earth check (longitude between -180 and 180),
    note         app.textarea,
    constraint addresses_party foreign key (organization_id, party_id) references parties.parties on delete cascade,
    constraint address_says_where check (coalesce(street, city, region, postal_code, country) is not null),
    constraint coordinates_are_a_pair check ((latitude is null) = (longitude is null))
);
comment on table parties.addresses is 'Where a party is, gets its goods or its invoices.';
comment on constraint street_is_short on parties.addresses is 'A street has at most 500 characters.';
comment on constraint city_is_short on parties.addresses is 'A city has at most 200 characters.';
comment on constraint postal_code_is_short on parties.addresses is 'A postal code has at most 20 characters.';
comment on constraint country_has_two_letters on parties.addresses is 'A country is two capital letters, such as KZ.';
comment on constraint latitude_is_on_earth on parties.addresses is 'A latitude goes from -90 to 90.';
comment on constraint longitude_is_on_earth on parties.addresses is 'A longitude goes from -180 to 180.';
comment on constraint address_says_where on parties.addresses is 'An address needs a street, a city, a region, a postal code or a country.';
comment on constraint coordinates_are_a_pair on parties.addresses is 'Give both latitude and longitude, or neither.';
create unique index addresses_one_default on parties.addresses (organization_id, party_id, kind) where is_default and deleted_at is null;
comment on index parties.addresses_one_default is 'A party has one default address of each kind.';
select app.enroll_part('parties.addresses', 'parties.parties', 'party_id');

-- A new primary contact or default address takes the place of the old one.
create function parties.step_aside() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_argv[0] = 'contacts' then
        update parties.contacts c set is_primary = false
        where c.organization_id = new.organization_id and c.party_id = new.party_id and c.is_primary and c.id <> new.id;
    else
        update parties.addresses a set is_default = false
        where a.organization_id = new.organization_id and a.party_id = new.party_id and a.kind = new.kind and a.is_default and a.id <> new.id;
    end if;
    return new;
end $$;
create trigger steps_aside before insert or update on parties.contacts for each row when (new.is_primary) execute function parties.step_aside('contacts');
create trigger steps_aside before insert or update on parties.addresses for each row when (new.is_default) execute function parties.step_aside('addresses');

-- Who looks like the party described: `of` names one that exists, or the words say what is being typed. Runs with the
-- rights of whoever asks. The score of a reason is how sure it makes us; a name counts by its similarity.
create function parties.find_duplicates(party uuid, name text, bin text, iin text, email text, phone text)
returns table (id uuid, number text, label text, reasons text[], score numeric) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare
    wanted constant text := lower(find_duplicates.name);
    digits constant text := parties.phone_digits(find_duplicates.phone);
    mail constant text := lower(find_duplicates.email);
begin
    return query
    select p.id, p.number, p.name, r.reasons, r.score
    from parties.parties p,
        lateral (select array_agg(x.reason order by x.weight desc) as reasons, max(x.weight)::numeric(4,3) as score from (values
            ('bin', case when p.bin = find_duplicates.bin then 1.0 end),
            ('iin', case when p.iin = find_duplicates.iin then 1.0 end),
            ('email', case when p.email_key = mail then 0.9 end),
            ('phone', case when p.phone_key = digits then 0.8 end),
            ('name', case when public.similarity(lower(p.name), wanted) >= 0.5 then public.similarity(lower(p.name), wanted)::numeric end)
        ) x (reason, weight) where x.weight is not null) r
    where p.organization_id = app.organization() and p.deleted_at is null and p.id is distinct from party and r.score is not null
      and (p.bin = find_duplicates.bin or p.iin = find_duplicates.iin or p.email_key = mail or p.phone_key = digits
           or p.search_text operator(public.%>) wanted)
    order by r.score desc, cardinality(r.reasons) desc, p.created_at
    limit 20;
end $$;

-- Makes one record of two. What refers to the dropped one, in whatever module, refers to the kept one afterwards; the
-- kept one fills its gaps from the other, which stays as history, thrown away, and names its successor. Only rows that
-- would stand twice at the kept party stay where they are. The caller must have been allowed to change both.
create function parties.merge(keep uuid, duplicate uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    kept parties.parties; gone parties.parties;
    f record; r uuid;
begin
    if keep = duplicate then raise exception 'A record cannot be merged into itself.' using errcode = 'AP001'; end if;
    perform 1 from parties.parties p where p.organization_id = here and p.id in (keep, duplicate) order by p.id for update;
    select * into kept from parties.parties p where p.organization_id = here and p.id = keep and p.deleted_at is null;
    if not found then raise exception 'The record to keep is not there any more.' using errcode = 'AP001'; end if;
    select * into gone from parties.parties p where p.organization_id = here and p.id = duplicate and p.deleted_at is null;
    if not found then raise exception 'The duplicate is not there any more.' using errcode = 'AP001'; end if;
    if kept.kind <> gone.kind then raise exception 'A company and a person cannot be one.' using errcode = 'AP001'; end if;
    if kept.bin <> gone.bin or kept.iin <> gone.iin then
        raise exception 'These two have different identification numbers: they are not the same.' using errcode = 'AP001';
    end if;

    -- The kept one has the first word about what there can be only one of.
    update parties.contacts c set is_primary = false where c.organization_id = here and c.party_id = duplicate and c.is_primary
        and exists (select from parties.contacts k where k.organization_id = here and k.party_id = keep and k.is_primary and k.deleted_at is null);
    update parties.addresses a set is_default = false where a.organization_id = here and a.party_id = duplicate and a.is_default
        and exists (select from parties.addresses k where k.organization_id = here and k.party_id = keep and k.kind = a.kind and k.is_default and k.deleted_at is null);

    perform set_config('app.system', 'yes', true);   -- closed documents change hands too
    for f in
        select c.conrelid::regclass as child, a.attname as col
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[2]
        where c.contype = 'f' and c.confrelid = 'parties.parties'::regclass and cardinality(c.conkey) = 2 and c.conparentid = 0
        order by 1, 2
    loop
        begin
            execute format('update %s t set %I = $1 where t.organization_id = $2 and t.%2$I = $3', f.child, f.col) using keep, here, duplicate;
        exception when unique_violation or exclusion_violation then
            for r in execute format('select t.id from %s t where t.organization_id = $1 and t.%I = $2', f.child, f.col) using here, duplicate loop
                begin
                    execute format('update %s t set %I = $1 where t.organization_id = $2 and t.id = $3', f.child, f.col) using keep, here, r;
                exception when unique_violation or exclusion_violation then null;
                end;
            end loop;
        end;
    end loop;
    -- What hangs on a record by its name: files, comments, notifications.
    for f in
        select e.name as child from app.entities e
        where (select count(*) from pg_attribute a where a.attrelid = e.name::regclass and not a.attisdropped
               and (a.attname = 'entity' and a.atttypid = 'text'::regtype or a.attname = 'record_id' and a.atttypid = 'uuid'::regtype)) = 2
        order by 1
    loop
        begin
            execute format('update %s t set record_id = $1 where t.organization_id = $2 and t.entity = ''parties.parties'' and t.record_id = $3', f.child)
                using keep, here, duplicate;
        exception when unique_violation then null;
        end;
    end loop;
    perform set_config('app.system', '', true);

    update parties.parties p set deleted_at = now(), merged_into = keep where p.organization_id = here and p.id = duplicate;
    update parties.parties p set
        is_customer = p.is_customer or gone.is_customer, is_supplier = p.is_supplier or gone.is_supplier,
        is_carrier = p.is_carrier or gone.is_carrier, is_venue = p.is_venue or gone.is_venue,
        is_partner = p.is_partner or gone.is_partner, is_agency = p.is_agency or gone.is_agency,
        code = coalesce(p.code, gone.code), legal_name = coalesce(p.legal_name, gone.legal_name),
        email = coalesce(p.email, gone.email), phone = coalesce(p.phone, gone.phone), fax = coalesce(p.fax, gone.fax),
        website = coalesce(p.website, gone.website), country = coalesce(p.country, gone.country),
        language = coalesce(p.language, gone.language), currency = coalesce(p.currency, gone.currency),
        bin = coalesce(p.bin, gone.bin), iin = coalesce(p.iin, gone.iin), kbe = coalesce(p.kbe, gone.kbe),
        tax_id = coalesce(p.tax_id, gone.tax_id), industry = coalesce(p.industry, gone.industry),
        segment = coalesce(p.segment, gone.segment), source = coalesce(p.source, gone.source),
        employee_count = coalesce(p.employee_count, gone.employee_count), annual_revenue = coalesce(p.annual_revenue, gone.annual_revenue),
        credit_limit = coalesce(p.credit_limit, gone.credit_limit), rating = coalesce(p.rating, gone.rating),
        satisfaction = coalesce(p.satisfaction, gone.satisfaction), assigned_to = coalesce(p.assigned_to, gone.assigned_to),
        tags = array(select distinct t from unnest(p.tags || gone.tags) t order by 1),
        note = nullif(concat_ws(E'\n\n', p.note, gone.note), '')
    where p.organization_id = here and p.id = keep;
end $$;

-- What a party owes or will owe, in the currency of our books. A module that knows of such debts defines
-- <module>.party_exposure(uuid); it is found by its name, so that no module has to know of another.
create function parties.exposure(party uuid) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare f regproc; part numeric; whole numeric := 0;
begin
    for f in select p.oid from pg_proc p where p.proname = 'party_exposure' and p.proargtypes = array['uuid'::regtype::oid]::oidvector order by p.oid loop
        execute format('select %s($1)', f) into part using party;
        whole := whole + coalesce(part, 0);
    end loop;
    return whole;
end $$;

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
