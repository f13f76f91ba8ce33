create schema budgets;
comment on schema budgets is 'What a company means to spend and to earn, and how far it is.';

create function budgets.home() returns text language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return parties.home_currency(app.organization());
end $$;

create table budgets.budgets (
    like app.record including all,
    number          text not null default app.next_number('BUD'),
    name            text not null constraint budget_has_a_name check (name ~ '\S' and length(name) <= 255),
    status          text not null,
    scope           text not null default 'organization' check (scope in ('organization', 'workspace', 'dimension')),
    workspace_id    uuid,
    dimension_id    uuid,
    year_starts_on  date not null default date_trunc('year', current_date)::date constraint year_starts_with_a_month check (extract(day from year_starts_on) = 1),
    effective_on    date,
    ended_on        date,
    revision        integer not null default 1,
    root_id         uuid,
    previous_id     uuid,
    currency        text references app.currencies,
    total           app.money not null default 0,
    on_requisition  text not null default 'ignore' check (on_requisition in ('stop', 'warn', 'ignore')),
    on_order        text not null default 'warn' check (on_order in ('stop', 'warn', 'ignore')),
    on_actual       text not null default 'warn' check (on_actual in ('stop', 'warn', 'ignore')),
    assigned_to     uuid default app.actor(),
    reason          app.textarea,
    note            app.textarea,
    tags            text[] not null default '{}',
    constraint budgets_number unique (organization_id, number),
    constraint budgets_revision unique (organization_id, root_id, revision),
    constraint budgets_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint budgets_dimension foreign key (organization_id, dimension_id) references ledger.dimensions,
    constraint budgets_previous foreign key (organization_id, previous_id) references budgets.budgets,
    constraint budgets_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint scope_names_its_place check ((scope = 'workspace') <= (workspace_id is not null) and (scope = 'dimension') = (dimension_id is not null)),
    constraint counts_within_its_year check (effective_on >= year_starts_on and effective_on < year_starts_on + interval '1 year')
);
comment on table budgets.budgets is 'A plan of a year for the company, a workspace, a project or a department. A change of one that counts is a revision: a copy that takes its place from a day on.';
comment on column budgets.budgets.year_starts_on is 'The first day of its twelve months.';
comment on column budgets.budgets.effective_on is 'From this day on it counts.';
comment on column budgets.budgets.ended_on is 'Until this day it counted: the next revision came after it.';
comment on column budgets.budgets.root_id is 'The first of its revisions.';
comment on column budgets.budgets.previous_id is 'The revision before it.';
comment on column budgets.budgets.on_requisition is 'What happens when more is asked for than is left.';
comment on column budgets.budgets.on_order is 'What happens when more is ordered than is left.';
comment on column budgets.budgets.on_actual is 'What happens when more is spent than is left.';
comment on constraint budget_has_a_name on budgets.budgets is 'A budget needs a name of at most 255 characters.';
comment on constraint budgets_number on budgets.budgets is 'There is a budget with this number already.';
comment on constraint year_starts_with_a_month on budgets.budgets is 'A year of a budget starts with the first day of a month.';
comment on constraint scope_names_its_place on budgets.budgets is 'Name the workspace, the project or the department that the budget is for.';
comment on constraint counts_within_its_year on budgets.budgets is 'A budget counts from a day of its own year.';
comment on constraint budgets_currency_fkey on budgets.budgets is 'There is no such currency.';
select app.searchable('budgets.budgets', 'A: number, name; C: note');

create table budgets.budget_lines (
    like app.record including all,
    budget_id      uuid not null,
    position       integer,
    account_id     uuid,
    category_code  text constraint category_code_is_short check (category_code ~ '\S' and length(category_code) <= 50),
    amount         app.money not null constraint amount_not_negative check (amount >= 0),
    distribution   text not null default 'even' check (distribution in ('even', 'weights', 'last_year')),
    weights        text constraint weights_are_twelve check (weights ~ '^\s*\d{1,6}(\.\d{1,4})?(\s+\d{1,6}(\.\d{1,4})?){11}\s*$'),
    month_1        app.money not null default 0,
    month_2        app.money not null default 0,
    month_3        app.money not null default 0,
    month_4        app.money not null default 0,
    month_5        app.money not null default 0,
    month_6        app.money not null default 0,
    month_7        app.money not null default 0,
    month_8        app.money not null default 0,
    month_9        app.money not null default 0,
    month_10       app.money not null default 0,
    month_11       app.money not null default 0,
    month_12       app.money not null default 0,
    note           app.textarea,
    constraint budget_lines_budget foreign key (organization_id, budget_id) references budgets.budgets on delete cascade,
    constraint budget_lines_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint account_or_category check (num_nonnulls(account_id, category_code) = 1),
    constraint months_add_up check (month_1 + month_2 + month_3 + month_4 + month_5 + month_6 + month_7 + month_8 + month_9 + month_10 + month_11 + month_12 = amount)
);
comment on table budgets.budget_lines is 'What is planned on an account or for a category, spread over twelve months that add up to it exactly.';
comment on column budgets.budget_lines.account_id is 'With all accounts under it.';
comment on column budgets.budget_lines.category_code is 'Of expenses, by its code.';
comment on column budgets.budget_lines.weights is 'Twelve numbers: how much weight each month has.';
comment on constraint category_code_is_short on budgets.budget_lines is 'A category''s code has 1 to 50 characters.';
comment on constraint amount_not_negative on budgets.budget_lines is 'An amount cannot be negative.';
comment on constraint weights_are_twelve on budgets.budget_lines is 'Weights are twelve numbers with spaces between them.';
comment on constraint account_or_category on budgets.budget_lines is 'A line is of an account or of a category, not of both.';
comment on constraint months_add_up on budgets.budget_lines is 'The months add up to the amount.';
create unique index budget_lines_account_once on budgets.budget_lines (organization_id, budget_id, account_id) where deleted_at is null;
comment on index budgets.budget_lines_account_once is 'This account has a line in the budget already.';
create unique index budget_lines_category_once on budgets.budget_lines (organization_id, budget_id, category_code) where deleted_at is null;
comment on index budgets.budget_lines_category_once is 'This category has a line in the budget already.';

-- What was asked for, ordered or spent and is not in the books: documents write it here themselves, people what has none.
create table budgets.budget_uses (
    like app.record including all,
    kind           text not null default 'actual' check (kind in ('requisition', 'order', 'actual')),
    account_id     uuid,
    category_code  text constraint category_code_is_short check (category_code ~ '\S' and length(category_code) <= 50),
    used_on        date not null default current_date,
    amount         app.money not null,
    workspace_id   uuid,
    dimension_id   uuid,
    source         text,
    source_id      uuid,
    note           app.textarea,
    constraint budget_uses_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint budget_uses_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint budget_uses_dimension foreign key (organization_id, dimension_id) references ledger.dimensions
);
comment on table budgets.budget_uses is 'What was asked for, ordered or spent and takes from a budget before it is in the books.';
comment on column budgets.budget_uses.source is 'The kind of document that it comes from.';
comment on column budgets.budget_uses.amount is 'In the currency of the company.';
comment on constraint category_code_is_short on budgets.budget_uses is 'A category''s code has 1 to 50 characters.';
create index budget_uses_day on budgets.budget_uses (organization_id, used_on);
create index budget_uses_source on budgets.budget_uses (organization_id, source, source_id) where source is not null;

create table budgets.financial_targets (
    like app.record including all,
    name          text not null constraint target_has_a_name check (name ~ '\S' and length(name) <= 255),
    metric        text not null default 'revenue' check (metric in ('revenue', 'margin', 'cash')),
    level         text not null default 'organization' check (level in ('organization', 'workspace', 'team', 'person')),
    person_id     uuid,
    workspace_id  uuid,
    starts_on     date not null default date_trunc('month', current_date)::date,
    ends_on       date not null default (date_trunc('month', current_date) + interval '1 month' - interval '1 day')::date,
    amount        app.money not null constraint target_is_positive check (amount > 0),
    currency      text references app.currencies,
    achieved      app.money not null default 0,
    progress      app.percent,
    counted_at    timestamptz,
    note          app.textarea,
    constraint financial_targets_person foreign key (organization_id, person_id) references iam.memberships,
    constraint financial_targets_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint target_names_whose check ((level in ('team', 'person')) = (person_id is not null) and (level = 'workspace') <= (workspace_id is not null)),
    constraint target_ends_after_it_starts check (ends_on >= starts_on)
);
comment on table budgets.financial_targets is 'What revenue, margin or cash should come to in a period, and how far it is.';
comment on column budgets.financial_targets.level is 'Whose: the company''s, a workspace''s, of a person with those who report to him, or of one person.';
comment on column budgets.financial_targets.achieved is 'From posted invoices and completed payments, in the currency of the company.';
comment on constraint target_has_a_name on budgets.financial_targets is 'A target needs a name of at most 255 characters.';
comment on constraint target_is_positive on budgets.financial_targets is 'A target must be more than nothing.';
comment on constraint target_names_whose on budgets.financial_targets is 'Name the person, or the workspace, that the target is for.';
comment on constraint target_ends_after_it_starts on budgets.financial_targets is 'A target cannot end before it starts.';
comment on constraint financial_targets_currency_fkey on budgets.financial_targets is 'There is no such currency.';

create function budgets.budget_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        new.root_id := coalesce(new.root_id, new.id);
        new.currency := budgets.home();
        new.effective_on := coalesce(new.effective_on, new.year_starts_on);
    elsif new.year_starts_on <> old.year_starts_on and new.effective_on = old.effective_on then
        new.effective_on := new.year_starts_on;
    end if;
    return new;
end $$;
create trigger defaults before insert or update of year_starts_on on budgets.budgets for each row execute function budgets.budget_defaults();

select app.enroll('budgets.budgets', owner => 'assigned_to');
select app.enroll_part('budgets.budget_lines', 'budgets.budgets', 'budget_id');
select app.enroll('budgets.budget_uses');
select app.enroll('budgets.financial_targets');
select app.workflow('budgets.budgets', 'status', $$
    draft    -> approved : approve
    approved -> draft    : reopen
    approved -> active   : activate
    active   -> closed   : close
$$);
select app.editable_in('budgets.budgets', 'status', '{draft}', keep => '{ended_on,assigned_to,note,tags,on_requisition,on_order,on_actual}');
select app.derive('budgets.budgets', '{root_id,previous_id,revision,ended_on,currency}');
select app.derive('budgets.budget_lines', '{month_1,month_2,month_3,month_4,month_5,month_6,month_7,month_8,month_9,month_10,month_11,month_12}');
select app.derive('budgets.budget_uses', '{source,source_id}');
select app.derive('budgets.financial_targets', '{currency,achieved,progress,counted_at}');

create function budgets.check_move() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare was budgets.budgets;
begin
    if new.status in ('approved', 'active') and not exists (select from budgets.budget_lines l
        where l.organization_id = new.organization_id and l.budget_id = new.id and l.deleted_at is null) then
        raise exception 'A budget needs at least one line.' using errcode = 'AP001';
    end if;
    if new.status = 'approved' and app.actor() = new.created_by then
        raise exception 'Somebody else approves a budget than who made it.' using errcode = 'AP001';
    end if;
    if new.status = 'active' and new.previous_id is not null then
        select b.* into was from budgets.budgets b where b.organization_id = new.organization_id and b.id = new.previous_id for update;
        if was.status <> 'active' then
            raise exception 'The revision before this one does not count any more.' using errcode = 'AP001';
        end if;
        if new.effective_on <= was.effective_on then
            raise exception 'A revision counts from a later day than the one before it.' using errcode = 'AP001', column = 'effective_on';
        end if;
        update budgets.budgets b set status = 'closed', ended_on = new.effective_on - 1 where b.organization_id = new.organization_id and b.id = was.id;
    end if;
    return new;
end $$;
create trigger moves before update on budgets.budgets for each row when (old.status is distinct from new.status) execute function budgets.check_move();

-- An account with all that stand under it; a project or department likewise.
create function budgets.accounts_under(account uuid) returns uuid[] language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (
        with recursive tree (id) as (
            select account
            union
            select a.id from tree t join ledger.ledger_accounts a on a.organization_id = app.organization() and a.parent_id = t.id
        ) select array_agg(t.id) from tree t where t.id is not null);
end $$;
create function budgets.dimensions_under(dimension uuid) returns uuid[] language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (
        with recursive tree (id) as (
            select dimension
            union
            select d.id from tree t join ledger.dimensions d on d.organization_id = app.organization() and d.parent_id = t.id
        ) select array_agg(t.id) from tree t where t.id is not null);
end $$;

-- What was written on a line's accounts between two days: earned where they are of income, else spent. Of a workspace the
-- books know nothing. `category` lines have what documents say.
create function budgets.actual(budget budgets.budgets, line budgets.budget_lines, from_on date, to_on date) returns numeric language plpgsql stable
security definer set search_path = pg_catalog as $$
declare
    here constant uuid := budget.organization_id; places uuid[] := case when budget.dimension_id is not null then budgets.dimensions_under(budget.dimension_id) end;
    accounts uuid[] := budgets.accounts_under(line.account_id); income boolean;
begin
    if line.account_id is null or budget.scope = 'workspace' then
        return (select coalesce(sum(u.amount), 0) from budgets.budget_uses u
            where u.organization_id = here and u.kind = 'actual' and u.deleted_at is null and u.used_on between from_on and to_on
              and (u.category_code = line.category_code or u.account_id = any (accounts))
              and (budget.scope <> 'workspace' or u.workspace_id = budget.workspace_id) and (places is null or u.dimension_id = any (places)));
    end if;
    select a.kind = 'revenue' into income from ledger.ledger_accounts a where a.organization_id = here and a.id = line.account_id;
    return (select coalesce(sum(case when income then l.credit - l.debit else l.debit - l.credit end), 0)
        from ledger.journal_entry_lines l
        where l.organization_id = here and l.account_id = any (accounts) and l.period_id is not null and l.deleted_at is null and l.entry_on between from_on and to_on
          and (places is null or l.project_id = any (places) or l.department_id = any (places)));
end $$;

-- What was asked for or ordered; of lines that read the books also what was spent and is not in them yet.
create function budgets.committed(budget budgets.budgets, line budgets.budget_lines, from_on date, to_on date, but_for uuid default null) returns numeric language plpgsql stable
security definer set search_path = pg_catalog as $$
declare
    here constant uuid := budget.organization_id; places uuid[] := case when budget.dimension_id is not null then budgets.dimensions_under(budget.dimension_id) end;
    accounts uuid[] := budgets.accounts_under(line.account_id);
    reads_books constant boolean := line.account_id is not null and budget.scope <> 'workspace';
begin
    return (select coalesce(sum(u.amount), 0) from budgets.budget_uses u
        where u.organization_id = here and u.deleted_at is null and u.used_on between from_on and to_on and (but_for is null or u.source_id is distinct from but_for)
          and (u.category_code = line.category_code or u.account_id = any (accounts))
          and (budget.scope <> 'workspace' or u.workspace_id = budget.workspace_id) and (places is null or u.dimension_id = any (places))
          and (u.kind in ('requisition', 'order') or reads_books and not exists (select from ledger.journal_entries e
              where e.organization_id = here and e.source = u.source and e.source_id = u.source_id and e.status = 'posted')));
end $$;

create function budgets.months_of(line budgets.budget_lines) returns numeric[] language sql immutable
return array[line.month_1, line.month_2, line.month_3, line.month_4, line.month_5, line.month_6, line.month_7, line.month_8, line.month_9, line.month_10, line.month_11, line.month_12]::numeric[];

-- A part of a month is planned by its days.
create function budgets.planned(line budgets.budget_lines, year_starts_on date, from_on date, to_on date) returns numeric language plpgsql immutable set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(m.amount * greatest(0, least(m.ends_on, to_on) - greatest(m.starts_on, from_on) + 1) / (m.ends_on - m.starts_on + 1)), 0)
        from (select a as amount, (year_starts_on + make_interval(months => n::integer - 1))::date as starts_on,
                  (year_starts_on + make_interval(months => n::integer) - interval '1 day')::date as ends_on
              from unnest(budgets.months_of(line)) with ordinality x (a, n)) m);
end $$;

-- Twelve months that add up to the amount: alike, by weights, or as the year before was.
create function budgets.distribute() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare
    b budgets.budgets; digits integer; weights numeric[]; m numeric[]; since date;
begin
    select x.* into b from budgets.budgets x where x.organization_id = new.organization_id and x.id = new.budget_id;
    digits := coalesce(app.digits(b.currency), 2);
    if new.amount <> round(new.amount, digits) then
        raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount';
    end if;
    if new.distribution = 'weights' then
        if coalesce(new.weights, '') !~ '^\s*\d{1,6}(\.\d{1,4})?(\s+\d{1,6}(\.\d{1,4})?){11}\s*$' then raise exception 'Weights are twelve numbers with spaces between them.' using errcode = 'AP001', column = 'weights'; end if;
        weights := regexp_split_to_array(trim(new.weights), '\s+')::numeric[];
    elsif new.distribution = 'last_year' then
        since := (b.year_starts_on - interval '1 year')::date;
        weights := array(select greatest(0, budgets.actual(b, new, (since + make_interval(months => n - 1))::date, (since + make_interval(months => n) - interval '1 day')::date))
            from generate_series(1, 12) n order by n);
    end if;
    -- Where no month has weight, all have the same.
    if weights is null or (select sum(w) from unnest(weights) w) = 0 then weights := array_fill(1::numeric, array[12]); end if;
    m := ledger.shares(new.amount, weights, digits);
    new.month_1 := m[1]; new.month_2 := m[2]; new.month_3 := m[3]; new.month_4 := m[4]; new.month_5 := m[5]; new.month_6 := m[6];
    new.month_7 := m[7]; new.month_8 := m[8]; new.month_9 := m[9]; new.month_10 := m[10]; new.month_11 := m[11]; new.month_12 := m[12];
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from budgets.budget_lines l where l.organization_id = new.organization_id and l.budget_id = new.budget_id;
    end if;
    return new;
end $$;
create trigger distributes before insert or update of amount, distribution, weights, account_id, category_code on budgets.budget_lines
    for each row execute function budgets.distribute();

-- The header is the sum of its lines.
create function budgets.add_up() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare r budgets.budget_lines := coalesce(new, old);
begin
    update budgets.budgets b set total = coalesce((select sum(l.amount) from budgets.budget_lines l
        where l.organization_id = r.organization_id and l.budget_id = r.budget_id and l.deleted_at is null), 0)
    where b.organization_id = r.organization_id and b.id = r.budget_id;
    return null;
end $$;
create trigger adds_up after insert or update of amount, deleted_at or delete on budgets.budget_lines for each row execute function budgets.add_up();
select app.derive('budgets.budgets', '{total}');

-- A copy of a budget that counts, to be changed and to take its place.
create function budgets.revise(budget uuid, because text, from_on date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); b budgets.budgets; made uuid := app.new_id(); next integer;
begin
    select x.* into b from budgets.budgets x where x.organization_id = here and x.id = budget for update;
    if b.status is distinct from 'active' then raise exception 'Only a budget that counts is revised.' using errcode = 'AP001'; end if;
    if exists (select from budgets.budgets x where x.organization_id = here and x.previous_id = b.id and x.status in ('draft', 'approved') and x.deleted_at is null) then
        raise exception 'There is a revision of this budget already.' using errcode = 'AP001';
    end if;
    select max(x.revision) + 1 into next from budgets.budgets x where x.organization_id = here and x.root_id = b.root_id;
    insert into budgets.budgets (id, name, scope, workspace_id, dimension_id, year_starts_on, effective_on, revision, root_id, previous_id,
        on_requisition, on_order, on_actual, assigned_to, reason, tags)
    values (made, b.name, b.scope, b.workspace_id, b.dimension_id, b.year_starts_on,
        least(greatest(coalesce(from_on, current_date), b.effective_on + 1), (b.year_starts_on + interval '1 year' - interval '1 day')::date), next, b.root_id, b.id,
        b.on_requisition, b.on_order, b.on_actual, b.assigned_to, because, b.tags);
    insert into budgets.budget_lines (budget_id, position, account_id, category_code, amount, distribution, weights, note)
    select made, l.position, l.account_id, l.category_code, l.amount, l.distribution, l.weights, l.note
    from budgets.budget_lines l where l.organization_id = here and l.budget_id = b.id and l.deleted_at is null;
    return made;
end $$;

-- DEFINITIONS 1, for one budget with its revisions: each day is planned by the revision that counts on it. Of a budget that
-- does not count yet, as if it did.
create function budgets.variance(budget uuid, from_on date, to_on date, as_of date)
returns table (account_id uuid, account text, category_code text, income boolean, planned numeric, actual numeric, committed numeric, remaining numeric) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); b budgets.budgets;
begin
    select x.* into b from budgets.budgets x where x.organization_id = here and x.id = budget;
    return query
    with counting as (
        select x as b, greatest(from_on, case when b.status in ('draft', 'approved') then b.year_starts_on else x.effective_on end) as starts,
            least(to_on, coalesce(case when b.status in ('draft', 'approved') then null else x.ended_on end, (x.year_starts_on + interval '1 year' - interval '1 day')::date)) as ends
        from budgets.budgets x
        where x.organization_id = here and x.root_id = b.root_id and x.deleted_at is null
          and case when b.status in ('draft', 'approved') then x.id = b.id else x.status in ('active', 'closed') end
    ), lines as (
        select l as line, c.b as of_budget, c.starts, c.ends, (c.b).revision as revision
        from counting c join budgets.budget_lines l on l.organization_id = here and l.budget_id = (c.b).id and l.deleted_at is null
    ), keyed as (
        select (k.line).account_id as account_id, (k.line).category_code as category_code,
            sum(budgets.planned(k.line, (k.of_budget).year_starts_on, k.starts, k.ends)) as planned,
            sum(budgets.planned(k.line, (k.of_budget).year_starts_on, greatest(k.starts, as_of + 1), k.ends)) as remaining,
            (array_agg(k.line order by k.revision desc))[1] as newest, (array_agg(k.of_budget order by k.revision desc))[1] as of_budget, min((k.line).position) as place
        from lines k group by 1, 2
    )
    select k.account_id, concat_ws(' ', a.code, a.name), k.category_code, coalesce(a.kind = 'revenue', false), round(k.planned, d.digits),
        budgets.actual(k.of_budget, k.newest, from_on, least(to_on, as_of)), budgets.committed(k.of_budget, k.newest, from_on, least(to_on, as_of)), round(k.remaining, d.digits)
    from keyed k left join ledger.ledger_accounts a on a.organization_id = here and a.id = k.account_id
    cross join (select coalesce(app.digits(b.currency), 2)::integer as digits) d
    order by k.place, k.account_id, k.category_code;
end $$;

-- For other modules: what one more amount does to the budgets that count on a day. Raises where one stops it; answers the
-- names of those that warn. Whoever asks at the same time waits: the budget's row is held.
create function budgets.check(of_kind text, account uuid, category text, on_day date, amount numeric, in_workspace uuid default null, dimension uuid default null, but_for uuid default null)
returns text[] language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); b budgets.budgets; l budgets.budget_lines; verdict text; planned numeric; used numeric; last date; warned text[] := '{}';
begin
    for b in
        select x.* from budgets.budgets x
        where x.organization_id = here and x.status = 'active' and x.deleted_at is null and on_day >= x.year_starts_on and on_day < x.year_starts_on + interval '1 year'
          and (x.scope = 'organization' or x.scope = 'workspace' and x.workspace_id = in_workspace or x.scope = 'dimension' and dimension = any (budgets.dimensions_under(x.dimension_id)))
        order by x.id for no key update
    loop
        verdict := case of_kind when 'requisition' then b.on_requisition when 'order' then b.on_order else b.on_actual end;
        if verdict = 'ignore' then continue; end if;
        last := (b.year_starts_on + interval '1 year' - interval '1 day')::date;
        for l in select x.* from budgets.budget_lines x where x.organization_id = here and x.budget_id = b.id and x.deleted_at is null
            and (x.category_code = category or account = any (budgets.accounts_under(x.account_id)))
        loop
            select v.planned into planned from budgets.variance(b.id, b.year_starts_on, last, last) v
            where v.account_id is not distinct from l.account_id and v.category_code is not distinct from l.category_code;
            used := budgets.actual(b, l, b.year_starts_on, last) - case when l.account_id is null or b.scope = 'workspace' then
                        (select coalesce(sum(u.amount), 0) from budgets.budget_uses u where u.organization_id = here and u.kind = 'actual' and u.deleted_at is null
                            and u.source_id = but_for and (u.category_code = l.category_code or u.account_id = any (budgets.accounts_under(l.account_id)))) else 0 end
                  + budgets.committed(b, l, b.year_starts_on, last, but_for);
            if used + amount <= planned then continue; end if;
            if verdict = 'stop' then
                raise exception 'The budget % has % left for this, and % is asked for.', b.name, trim_scale(greatest(planned - used, 0)), trim_scale(amount) using errcode = 'AP001';
            end if;
            if b.name <> all (warned) then warned := warned || b.name; end if;
        end loop;
    end loop;
    return warned;
end $$;

-- For other modules: what a document takes now, in place of what it took before: [{account, category, on, amount}]. Answers
-- as budgets.check does, of its sums.
create function budgets.use(of_kind text, from_source text, from_id uuid, takes jsonb, in_workspace uuid default null, dimension uuid default null) returns text[]
language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); t record; warned text[] := '{}';
begin
    for t in
        select (x ->> 'account')::uuid as account, x ->> 'category' as category, max((x ->> 'on')::date) as on_day, sum((x ->> 'amount')::numeric) as amount
        from jsonb_array_elements(takes) x group by 1, 2, date_trunc('year', (x ->> 'on')::date) order by 1, 2
    loop
        warned := warned || budgets.check(of_kind, t.account, t.category, t.on_day, t.amount, in_workspace, dimension, from_id);
    end loop;
    perform budgets.free(from_source, from_id);
    insert into budgets.budget_uses (kind, account_id, category_code, used_on, amount, workspace_id, dimension_id, source, source_id)
    select of_kind, (x ->> 'account')::uuid, x ->> 'category', (x ->> 'on')::date, (x ->> 'amount')::numeric, in_workspace, dimension, from_source, from_id
    from jsonb_array_elements(takes) x;
    return array(select distinct unnest(warned) order by 1);
end $$;

create function budgets.free(from_source text, from_id uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    delete from budgets.budget_uses u where u.organization_id = app.organization() and u.source = from_source and u.source_id = from_id;
end $$;

-- How far a target is: from posted invoices to customers and from money that came in.
create function budgets.achieved(t budgets.financial_targets) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    here constant uuid := t.organization_id;
    people uuid[] := case t.level when 'person' then array[t.person_id]
        when 'team' then array(select m.id from iam.memberships m where m.organization_id = here and (m.id = t.person_id or m.manager_id = t.person_id)) end;
begin
    if t.metric = 'cash' then
        return (select coalesce(sum(case p.direction when 'in' then p.base_amount else -p.base_amount end), 0) from finance.payments p
            where p.organization_id = here and p.status = 'completed' and p.direction in ('in', 'refund') and p.deleted_at is null and p.paid_on between t.starts_on and t.ends_on
              and (people is null or p.created_by = any (people)) and (t.level <> 'workspace' or p.workspace_id = t.workspace_id));
    end if;
    return (select coalesce(sum(round((case when i.kind = 'CREDIT_NOTE' then -1 else 1 end) * i.exchange_rate
            * (l.net - case when t.metric = 'margin' then coalesce(p.cost, 0) * l.quantity else 0 end), 2)), 0)
        from finance.invoices i join finance.invoice_lines l on l.organization_id = here and l.invoice_id = i.id and l.deleted_at is null
        left join products.products p on p.organization_id = here and p.id = l.product_id
        where i.organization_id = here and i.direction = 'out' and i.number is not null and i.kind not in ('PROFORMA', 'RECEIPT') and i.deleted_at is null
          and i.issued_on between t.starts_on and t.ends_on
          and (people is null or i.assigned_to = any (people)) and (t.level <> 'workspace' or i.workspace_id = t.workspace_id));
end $$;

create function budgets.count_target() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.currency := budgets.home();
    new.achieved := budgets.achieved(new);
    new.progress := case when abs(100 * new.achieved / nullif(new.amount, 0)) < 1000 then round(100 * new.achieved / new.amount, 2) end;
    new.counted_at := now();
    return new;
end $$;
create trigger counts before insert or update on budgets.financial_targets for each row execute function budgets.count_target();

-- Every hour: how far the targets are that run, or have just ended.
create function budgets.daily() returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update budgets.financial_targets t set counted_at = now()
    where t.organization_id = app.organization() and t.deleted_at is null and t.starts_on <= current_date and t.ends_on >= current_date - 31
      and t.achieved <> budgets.achieved(t);
end $$;

create function budgets.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
begin
    return query
    select b.organization_id, format('budget %s is %s, its lines come to %s', b.number, b.total, s.total)
    from budgets.budgets b cross join lateral (select coalesce(sum(l.amount), 0) as total from budgets.budget_lines l
        where l.organization_id = b.organization_id and l.budget_id = b.id and l.deleted_at is null) s
    where b.total <> s.total;
end $$;

do $$ declare f regprocedure; begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'budgets'::regnamespace and p.proname in ('revise', 'variance', 'check', 'use', 'free', 'daily') loop
        execute format('revoke execute on function %s from public', f);
    end loop;
end $$;
grant execute on function budgets.revise(uuid, text, date), budgets.variance(uuid, date, date, date) to app_user;
