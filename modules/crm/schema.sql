create schema crm;
comment on schema crm is 'Deals, from a lead to what was sold, and what was paid for it.';

-- How likely a deal in a stage may be said to come true. DEFINITIONS 17.
create function crm.probability_cap(stage text) returns numeric language sql immutable parallel safe
return case stage when 'LEAD' then 20 when 'QUALIFIED' then 40 when 'PROPOSAL' then 60 when 'NEGOTIATION' then 80 when 'CLOSING' then 95
    when 'WON' then 100 when 'LOST' then 0 end;

create table crm.deals (
    like app.record including all,
    number              text not null default regexp_replace(app.next_number('DLID'), '^DLID-0?(\d{4,})$', 'DLID\1'),
    title               text constraint deal_title_is_short check (length(title) <= 500),
    description         app.textarea,
    pipeline            text check (pipeline in ('sales', 'direct')),
    stage               text not null,
    customer_id         uuid not null,
    value               app.money constraint value_not_negative check (value >= 0),
    currency            text references app.currencies,
    digits              smallint not null default 2,
    probability         app.percent,
    dealt_on            date not null default current_date,
    due_on              date,
    expected_close_on   date,
    closed_on           date,
    won_at              timestamptz,
    lost_at             timestamptz,
    won_reason          text,
    lost_reason         text,
    lost_to             text,
    competitors         text[] not null default '{}',
    source              text,
    payment_method      text check (payment_method in ('CASH', 'BANK_TRANSFER', 'CARD', 'CHECK', 'OTHER')),
    client_status       text check (client_status in ('new', 'existing')),
    repeats_id          uuid,
    is_original         boolean not null generated always as (repeats_id is null) stored,
    recurring_revenue   app.money constraint recurring_not_negative check (recurring_revenue >= 0),
    one_time_revenue    app.money constraint one_time_not_negative check (one_time_revenue >= 0),
    assigned_to         uuid default app.actor(),
    workspace_id        uuid,
    tags                text[] not null default '{}',
    note                app.textarea,
    is_value_manual     boolean not null default false,
    weighted            app.money generated always as (round(value * probability / 100, digits)) stored,
    -- Sums of the lines.
    net                 app.money not null default 0,
    tax                 app.money not null default 0,
    gross               app.money not null default 0,
    margin              app.money not null default 0,
    -- Of those who share in it besides whoever is responsible.
    shared_percent      app.percent not null default 0 constraint shares_within_100 check (shared_percent <= 100),
    -- Kept by payments.
    paid                app.money not null default 0,
    payments_waiting    integer not null default 0,
    payments_refused    integer not null default 0,
    payments_verified   integer not null default 0,
    balance             app.money generated always as (value - paid) stored,
    payment_status      text generated always as (case when paid <= 0 then 'none' when paid < value then 'partial' else 'paid' end) stored
                        constraint payment_status_is_known check (payment_status in ('none', 'partial', 'paid')),
    verification_status text generated always as (case when payments_refused > 0 then 'rejected' when payments_waiting > 0 then 'pending'
                            when payments_verified > 0 then 'verified' else 'none' end) stored
                        constraint verification_status_is_known check (verification_status in ('none', 'pending', 'verified', 'rejected')),
    constraint deals_number unique (organization_id, number),
    constraint deals_customer foreign key (organization_id, customer_id) references parties.parties,
    constraint deals_repeats foreign key (organization_id, repeats_id) references crm.deals,
    constraint deals_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint deals_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint deal_has_a_currency check (currency is not null),
    constraint deal_has_a_value check (value is not null),
    constraint value_is_rounded check (value = round(value, digits)),
    constraint probability_within_stage check (probability between 0 and crm.probability_cap(stage)),
    constraint lost_has_a_reason check (stage <> 'LOST' or lost_reason is not null and lost_reason ~ '\S'),
    constraint due_after_dealt check (due_on >= dealt_on),
    constraint paid_within_value check (paid <= value),
    constraint paid_not_negative check (paid >= 0),
    constraint not_its_own_repeat check (repeats_id <> id)
);
comment on table crm.deals is 'Something that a customer may buy, or has bought.';
comment on column crm.deals.pipeline is 'Sales: from a lead, stage by stage. Direct: it is booked as won.';
comment on column crm.deals.value is 'What the customer pays for it: the sum of the lines, unless somebody says otherwise.';
comment on column crm.deals.digits is 'To how many digits its amounts are rounded: a matter of the currency.';
comment on column crm.deals.probability is 'How likely it is, in percent; each stage has a most.';
comment on column crm.deals.dealt_on is 'The day of the deal.';
comment on column crm.deals.client_status is 'Whether the customer had bought before; told when the deal is won.';
comment on column crm.deals.repeats_id is 'The deal that this one repeats.';
comment on column crm.deals.is_original is 'Whether it repeats no other.';
comment on column crm.deals.lost_to is 'To which competitor it was lost.';
comment on column crm.deals.weighted is 'Value times probability.';
comment on column crm.deals.margin is 'Net less what it costs us.';
comment on column crm.deals.shared_percent is 'What others have of it; the rest is of whoever is responsible.';
comment on column crm.deals.paid is 'Money that came in for it and counts, less money that went back.';
comment on column crm.deals.balance is 'What is still to be paid.';
comment on column crm.deals.payment_status is 'Follows from its payments.';
comment on column crm.deals.verification_status is 'Follows from its payments.';
comment on constraint deal_title_is_short on crm.deals is 'A title has at most 500 characters.';
comment on constraint value_not_negative on crm.deals is 'The value cannot be negative.';
comment on constraint recurring_not_negative on crm.deals is 'Revenue cannot be negative.';
comment on constraint one_time_not_negative on crm.deals is 'Revenue cannot be negative.';
comment on constraint shares_within_100 on crm.deals is 'Shares come to at most 100 percent.';
comment on constraint deals_number on crm.deals is 'There is a deal with this number already.';
comment on constraint deals_currency_fkey on crm.deals is 'There is no such currency.';
comment on constraint deal_has_a_currency on crm.deals is 'A deal needs a currency.';
comment on constraint deal_has_a_value on crm.deals is 'A deal needs a value.';
comment on constraint value_is_rounded on crm.deals is 'The value has more digits than the currency.';
comment on constraint probability_within_stage on crm.deals is 'The most is 20 percent for a lead, 40 when qualified, 60 with a proposal, 80 in negotiation, 95 before closing.';
comment on constraint lost_has_a_reason on crm.deals is 'Say why it was lost.';
comment on constraint due_after_dealt on crm.deals is 'A deal cannot be due before its day.';
comment on constraint paid_within_value on crm.deals is 'No more can be paid on a deal than it is worth.';
comment on constraint paid_not_negative on crm.deals is 'No more can be taken back than was paid.';
comment on constraint not_its_own_repeat on crm.deals is 'A deal cannot repeat itself.';
create index deals_stage on crm.deals (organization_id, stage, id);
create index deals_dealt_on on crm.deals (organization_id, dealt_on, id);
select app.searchable('crm.deals', 'A: number, title; B: source; C: description, note');

create table crm.deal_lines (
    like app.record including all,
    deal_id             uuid not null,
    position            integer,
    product_id          uuid,
    code                text,
    name                text,
    unit                text,
    quantity            app.quantity not null default 1 constraint quantity_is_positive check (quantity > 0),
    price               app.money constraint line_price_not_negative check (price >= 0),
    cost                app.money,
    discount_percent    app.percent not null default 0 constraint discount_is_0_to_100 check (discount_percent between 0 and 100),
    discount_amount     app.money not null default 0 constraint discount_not_negative check (discount_amount >= 0),
    tax_id              uuid,
    tax_rate            app.percent constraint rate_is_0_to_100 check (tax_rate between 0 and 100),
    price_includes_tax  boolean,
    digits              smallint not null default 2,
    net                 app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)) stored,
    tax                 app.money generated always as (app.line_tax(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)) stored,
    gross               app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          + app.line_tax(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)) stored,
    margin              app.money generated always as (app.line_net(
                            app.line_gross(quantity, price, discount_percent, discount_amount, digits), tax_rate, price_includes_tax, digits)
                          - round(quantity * coalesce(cost, 0), digits)) stored,
    constraint deal_lines_deal foreign key (organization_id, deal_id) references crm.deals on delete cascade,
    constraint deal_lines_product foreign key (organization_id, product_id) references products.products,
    constraint deal_lines_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint line_has_a_name check (name ~ '\S' and name is not null and length(name) <= 500),
    constraint line_has_a_price check (price is not null),
    constraint discount_within_price check (app.line_gross(quantity, price, discount_percent, discount_amount, digits) >= 0)
);
comment on table crm.deal_lines is 'One thing of a deal, as it was called and priced then.';
comment on column crm.deal_lines.margin is 'Net less what it costs us.';
comment on constraint quantity_is_positive on crm.deal_lines is 'A quantity must be more than nothing.';
comment on constraint line_price_not_negative on crm.deal_lines is 'A price cannot be negative.';
comment on constraint discount_is_0_to_100 on crm.deal_lines is 'A discount goes from 0 to 100 percent.';
comment on constraint discount_not_negative on crm.deal_lines is 'A discount cannot be negative.';
comment on constraint rate_is_0_to_100 on crm.deal_lines is 'A tax rate goes from 0 to 100 percent.';
comment on constraint line_has_a_name on crm.deal_lines is 'A line needs a product, or a name of at most 500 characters.';
comment on constraint line_has_a_price on crm.deal_lines is 'A line needs a price; the product has none in this currency.';
comment on constraint discount_within_price on crm.deal_lines is 'A discount cannot be more than the price.';

create table crm.deal_shares (
    like app.record including all,
    deal_id         uuid not null,
    member_id       uuid not null,
    shared_percent  app.percent not null constraint share_is_a_part check (shared_percent > 0 and shared_percent <= 100),
    constraint deal_shares_once unique (organization_id, deal_id, member_id),
    constraint deal_shares_deal foreign key (organization_id, deal_id) references crm.deals on delete cascade,
    constraint deal_shares_member foreign key (organization_id, member_id) references iam.memberships
);
comment on table crm.deal_shares is 'A colleague who has a part in a deal.';
comment on constraint share_is_a_part on crm.deal_shares is 'A share is more than 0 and at most 100 percent.';
comment on constraint deal_shares_once on crm.deal_shares is 'Everybody has one share in a deal.';

select app.enroll('crm.deals', owner => 'assigned_to');
select app.enroll_part('crm.deal_lines', 'crm.deals', 'deal_id');
select app.enroll_part('crm.deal_shares', 'crm.deals', 'deal_id');
select app.workflow('crm.deals', 'stage', $$
    LEAD        -> QUALIFIED   : qualify
    QUALIFIED   -> PROPOSAL    : propose
    PROPOSAL    -> NEGOTIATION : negotiate
    NEGOTIATION -> CLOSING     : close
    LEAD        -> WON         : win
    QUALIFIED   -> WON         : win
    PROPOSAL    -> WON         : win
    NEGOTIATION -> WON         : win
    CLOSING     -> WON         : win
    LEAD        -> LOST        : lose
    QUALIFIED   -> LOST        : lose
    PROPOSAL    -> LOST        : lose
    NEGOTIATION -> LOST        : lose
    CLOSING     -> LOST        : lose
    QUALIFIED   -> LEAD        : back
    PROPOSAL    -> QUALIFIED   : back
    NEGOTIATION -> PROPOSAL    : back
    CLOSING     -> NEGOTIATION : back
    WON         -> NEGOTIATION : reopen
    LOST        -> NEGOTIATION : reopen
$$);
select app.total('crm.deals', 'crm.deal_lines', 'deal_id', 'net, tax, gross, margin');
select app.total('crm.deals', 'crm.deal_shares', 'deal_id', 'shared_percent');
select app.derive('crm.deals', '{digits,is_value_manual,closed_on,won_at,lost_at,client_status,paid,payments_waiting,payments_refused,payments_verified}');
select app.derive('crm.deal_lines', '{digits}');

-- What the customer and the currency say, where nobody said otherwise; the value is the sum of the lines until somebody
-- names one, and again when that is emptied.
create function crm.deal_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare c parties.parties; importing constant boolean := coalesce(current_setting('app.importing', true), '') = 'yes';
begin
    if tg_op = 'INSERT' or new.customer_id is distinct from old.customer_id then
        select * into c from parties.parties p where p.organization_id = new.organization_id and p.id = new.customer_id;
        if c.deleted_at is not null and not importing then
            raise exception 'This customer has been deleted.' using errcode = 'AP001', column = 'customer_id';
        end if;
        new.currency := coalesce(new.currency, c.currency, parties.home_currency(new.organization_id));
    end if;
    new.digits := coalesce(app.digits(new.currency), new.digits);
    new.pipeline := coalesce(new.pipeline, app.setting('crm.pipeline', new.workspace_id) #>> '{}', 'sales');
    if tg_op = 'INSERT' or new.value is distinct from old.value then new.is_value_manual := new.value is not null; end if;
    if not new.is_value_manual then new.value := new.gross; end if;
    return new;
end $$;
create trigger defaults before insert or update of customer_id, currency, value, gross on crm.deals for each row execute function crm.deal_defaults();

-- What a stage brings. A direct sale is won when it is entered; fires after the check that records start as leads.
create function crm.enter_stage() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' and new.pipeline = 'direct' and new.stage = 'LEAD' then new.stage := 'WON'; end if;
    if tg_op = 'INSERT' or new.stage <> old.stage then
        if tg_op = 'UPDATE' and old.stage = 'WON' and old.payments_waiting + old.payments_refused + old.payments_verified > 0 then
            raise exception 'There are payments for this deal; it stays won.' using errcode = 'AP001', column = 'stage';
        end if;
        -- What is won is certain, and what moves on is as likely as its stage lets it be, unless somebody was more careful.
        new.probability := case when new.stage = 'WON' then 100
            when tg_op = 'INSERT' then coalesce(new.probability, crm.probability_cap(new.stage))
            when old.probability = crm.probability_cap(old.stage) then crm.probability_cap(new.stage)
            else least(new.probability, crm.probability_cap(new.stage)) end;
        new.won_at := case when new.stage = 'WON' then coalesce(new.won_at, now()) end;
        new.lost_at := case when new.stage = 'LOST' then coalesce(new.lost_at, now()) end;
        new.closed_on := case when new.stage in ('WON', 'LOST') then coalesce(new.closed_on, current_date) end;
        new.client_status := case when new.stage <> 'WON' then null
            when exists (select from crm.deals d where d.organization_id = new.organization_id and d.customer_id = new.customer_id
                and d.stage = 'WON' and d.deleted_at is null and d.id <> new.id) then 'existing' else 'new' end;
        if new.stage <> 'LOST' then new.lost_reason := null; new.lost_to := null; end if;
    end if;
    return new;
end $$;
create trigger z_enters_stage before insert or update of stage on crm.deals for each row execute function crm.enter_stage();

create function crm.line_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare d crm.deals; p record; listed boolean;
begin
    select * into d from crm.deals x where x.organization_id = new.organization_id and x.id = new.deal_id;
    new.digits := coalesce(d.digits, new.digits);
    if tg_op = 'UPDATE' and new.product_id is distinct from old.product_id then
        if new.code is not distinct from old.code then new.code := null; end if;
        if new.name is not distinct from old.name then new.name := null; end if;
        if new.unit is not distinct from old.unit then new.unit := null; end if;
        if new.price is not distinct from old.price then new.price := null; end if;
        if new.cost is not distinct from old.cost then new.cost := null; end if;
        if new.tax_id is not distinct from old.tax_id then new.tax_id := null; new.tax_rate := null; end if;
    elsif tg_op = 'UPDATE' and new.tax_id is distinct from old.tax_id and new.tax_rate is not distinct from old.tax_rate then
        new.tax_rate := null;
    end if;
    select * into p from products.terms(new.product_id, d.currency, d.dealt_on);
    new.code := coalesce(new.code, p.sku);
    new.name := coalesce(new.name, p.name);
    new.unit := coalesce(new.unit, p.unit);
    new.cost := coalesce(new.cost, p.cost);
    if new.tax_id is null and new.tax_rate is null then new.tax_id := p.tax_id; end if;
    if new.tax_id is not null and new.tax_rate is null then
        new.tax_rate := products.tax_rate(new.tax_id, d.dealt_on);
        if new.tax_rate is null then raise exception 'This tax has no rate on %.', d.dealt_on using errcode = 'AP001', column = 'tax_id'; end if;
    end if;
    new.tax_rate := coalesce(new.tax_rate, 0);
    listed := coalesce(p.price_includes_tax, false);
    new.price_includes_tax := coalesce(new.price_includes_tax, listed);
    if new.price is null and p.price is not null then
        new.price := case when listed = new.price_includes_tax then p.price
                          when listed then p.price * 100 / (100 + new.tax_rate)
                          else p.price * (100 + new.tax_rate) / 100 end;
    end if;
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from crm.deal_lines l where l.organization_id = new.organization_id and l.deal_id = new.deal_id;
    end if;
    return new;
end $$;
create trigger defaults before insert or update on crm.deal_lines for each row execute function crm.line_defaults();

create function crm.pass_digits() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update crm.deal_lines l set digits = new.digits where l.organization_id = new.organization_id and l.deal_id = new.id;
    return null;
end $$;
create trigger pass_digits after update on crm.deals for each row when (old.digits <> new.digits) execute function crm.pass_digits();

-- Money that was verified was paid for what the deal was then, and commissions were reckoned from it.
create trigger closed after update on crm.deals for each row when (old.payments_verified > 0 or old.stage = 'LOST')
    execute function app.check_closed('stage', 'title', 'description', 'assigned_to', 'workspace_id', 'tags', 'note', 'due_on', 'probability', 'weighted', 'won_at', 'lost_at',
        'won_reason', 'lost_reason', 'lost_to', 'competitors', 'source', 'client_status', 'closed_on', 'paid', 'payments_waiting', 'payments_refused', 'payments_verified', 'balance',
        'payment_status', 'verification_status', 'payment_method', 'updated_at', 'updated_by', 'version', 'custom', 'search', 'search_text', 'deleted_at');
create function crm.check_part_closed() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare d crm.deals; r jsonb := to_jsonb(coalesce(new, old));
begin
    select * into d from crm.deals x where x.organization_id = (r ->> 'organization_id')::uuid and x.id = (r ->> 'deal_id')::uuid for no key update;
    -- Owner and workspace follow the deal, whatever was paid.
    if tg_op = 'UPDATE' and (to_jsonb(new) - '{owner_id,workspace_id,version,updated_at,updated_by}'::text[]) = (to_jsonb(old) - '{owner_id,workspace_id,version,updated_at,updated_by}'::text[]) then
        return new;
    end if;
    if d.payments_verified > 0 or d.stage = 'LOST' then
        raise exception 'This deal is lost, or money for it was verified: what was sold stays as it is.' using errcode = 'AP001';
    end if;
    return coalesce(new, old);
end $$;
create trigger closed before insert or update or delete on crm.deal_lines for each row execute function crm.check_part_closed();
create trigger closed before insert or update or delete on crm.deal_shares for each row execute function crm.check_part_closed();
create trigger closed_throw before update on crm.deals for each row
    when (new.deleted_at is distinct from old.deleted_at and old.payments_waiting + old.payments_refused + old.payments_verified > 0)
    execute function app.refuse('There are payments for this deal; it stays.');

-- Modules that follow deals say so by a function of the name <module>.deal_changed(deal, member, day): what happened is
-- of this member's day. It is found by its name, so that this module has to know of none.
create function crm.tell() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare f regproc;
begin
    for f in select p.oid from pg_proc p where p.proname = 'deal_changed'
        and p.proargtypes = array['uuid'::regtype::oid, 'uuid'::regtype::oid, 'date'::regtype::oid]::oidvector order by p.oid loop
        execute format('select %s($1, $2, $3)', f) using new.id, new.assigned_to, new.created_at::date;
        if tg_op = 'UPDATE' and new.assigned_to is distinct from old.assigned_to then
            execute format('select %s($1, $2, $3)', f) using new.id, old.assigned_to, new.created_at::date;
        end if;
    end loop;
    return null;
end $$;
create trigger tells_insert after insert on crm.deals for each row execute function crm.tell();
create trigger tells_update after update on crm.deals for each row when (old.assigned_to is distinct from new.assigned_to or old.deleted_at is distinct from new.deleted_at)
    execute function crm.tell();

-- For the module that takes money: so many more payments wait, were refused, count; so much more was paid.
create function crm.add_payment(deal uuid, waiting integer, refused integer, verified integer, amount numeric) returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
    update crm.deals d set payments_waiting = d.payments_waiting + waiting, payments_refused = d.payments_refused + refused,
        payments_verified = d.payments_verified + verified, paid = d.paid + amount
    where d.organization_id = app.organization() and d.id = deal;
end $$;
revoke execute on function crm.add_payment(uuid, integer, integer, integer, numeric) from public;

-- For `fondaco verify`.
create function crm.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    select d.organization_id, format('deal %s: its value is %s, its lines come to %s', d.number, d.value, d.gross)
    from crm.deals d where not d.is_value_manual and d.value <> d.gross
    union all
    select c.organization_id, format('DLID: %s numbers were given, %s are there', c.last, count(d.n))
    from app.counters c left join (select organization_id, substring(number from '^DLID-?([0-9]{1,18})$')::bigint as n from crm.deals) d
        on d.organization_id = c.organization_id and d.n <= c.last
    where c.series = 'DLID' and c.period = '' and not exists (select from app.number_series s where s.organization_id = c.organization_id and s.series = 'DLID')
    group by c.organization_id, c.last having count(d.n) <> c.last;
end $$;
comment on function crm.verify() is 'Values that are not the sum of their lines, and numbers that are missing.';
