-- Approvals: what an action waits for until others have agreed to it, see docs/adr/0013-an-action-waits-for-approval.md.
-- Rows are written by the functions below alone, which see who asks; nobody else has a right to change them.

create table app.approval_rules (
    like app.record including all,
    name       text not null constraint approval_rule_has_a_name check (name ~ '\S' and length(name) <= 100),
    entity     text not null,
    action     text not null,
    condition  jsonb constraint approval_condition_is_one check (jsonb_typeof(condition) = 'object'),
    levels     jsonb not null constraint approval_rule_has_levels check (case when jsonb_typeof(levels) = 'array' then jsonb_array_length(levels) between 1 and 10 else false end),
    position   integer not null default 0,
    is_active  boolean not null default true,
    on_reject  text,
    on_return  text
);
comment on table app.approval_rules is 'When an action needs approval, and whose.';
comment on column app.approval_rules.condition is 'Of the record; without one, always.';
comment on column app.approval_rules.levels is '[{"name", "people", "roles", "manager", "quorum", "due_hours", "escalate": {"people", "roles"}}], one after the other.';
comment on column app.approval_rules.on_reject is 'The action that is taken when it is rejected.';
comment on column app.approval_rules.on_return is 'The action that is taken when it is returned.';
comment on constraint approval_rule_has_a_name on app.approval_rules is 'A rule needs a name of at most 100 characters.';
comment on constraint approval_rule_has_levels on app.approval_rules is 'A rule has 1 to 10 levels.';
create index approval_rules_action on app.approval_rules (organization_id, entity, action, position, id) where is_active and deleted_at is null;
select app.enroll('app.approval_rules');

create table app.approval_requests (
    like app.record including all,
    entity           text not null,
    record_id        uuid not null,
    action           text not null,
    body             jsonb not null default '{}',
    rule_id          uuid,
    title            text not null default '',
    reason           text,
    amount           app.money,
    currency         text,
    shown            jsonb not null default '[]',
    requested_by     uuid not null,
    author_id        uuid,
    record_version   integer not null,
    in_workspace_id  uuid,
    status           text not null,
    level            integer not null default 1,
    decided_at       timestamptz,
    on_reject        text,
    on_return        text,
    constraint approval_requests_rule foreign key (organization_id, rule_id) references app.approval_rules,
    constraint approval_requests_by foreign key (organization_id, requested_by) references iam.memberships
);
comment on table app.approval_requests is 'An action on a record that waits until others have agreed to it.';
comment on column app.approval_requests.author_id is 'Who made the record: he does not approve it either.';
comment on column app.approval_requests.shown is 'What the record said when approval was asked for.';
create unique index approval_requests_one on app.approval_requests (organization_id, entity, record_id, action) where status = 'pending';
comment on index app.approval_requests_one is 'This waits for approval already.';
create index approval_requests_record on app.approval_requests (organization_id, entity, record_id, id);
select app.enroll('app.approval_requests', owner => 'requested_by');
select app.workflow('app.approval_requests', 'status', $$
    pending -> approved  : auto
    pending -> rejected  : auto
    pending -> returned  : auto
    pending -> withdrawn : auto
$$);

create table app.approval_levels (
    like app.record including all,
    request_id    uuid not null,
    number        integer not null,
    name          text not null default '',
    source        jsonb not null,
    quorum        integer,
    due_hours     integer,
    entered_at    timestamptz,
    due_at        timestamptz,
    asked_at      timestamptz,
    reminded_at   timestamptz,
    escalated_at  timestamptz,
    left_at       timestamptz,
    constraint approval_levels_number unique (organization_id, request_id, number),
    constraint approval_levels_request foreign key (organization_id, request_id) references app.approval_requests on delete cascade
);
comment on table app.approval_levels is 'One step of an approval: who, how many of them, until when.';
comment on column app.approval_levels.quorum is 'How many must agree; nothing is all of them.';
comment on column app.approval_levels.asked_at is 'Since when a question is open: until it is answered the clock stands.';
create index approval_levels_due on app.approval_levels (organization_id, due_at) where entered_at is not null and left_at is null;
select app.enroll_part('app.approval_levels', 'app.approval_requests', 'request_id');

create table app.approval_seats (
    like app.record including all,
    request_id  uuid not null,
    level       integer not null,
    person_id   uuid not null,
    through     text,
    standin_id  uuid,
    escalated   boolean not null default false,
    constraint approval_seats_once unique (organization_id, request_id, level, person_id),
    constraint approval_seats_request foreign key (organization_id, request_id) references app.approval_requests on delete cascade,
    constraint approval_seats_person foreign key (organization_id, person_id) references iam.memberships,
    constraint approval_seats_standin foreign key (organization_id, standin_id) references iam.memberships
);
comment on table app.approval_seats is 'Who may decide at a level, and through which role he got there.';
comment on column app.approval_seats.standin_id is 'To whom he has handed it.';
select app.enroll_part('app.approval_seats', 'app.approval_requests', 'request_id');

create table app.approval_decisions (
    like app.record including all,
    request_id    uuid not null,
    level         integer not null,
    decision      text not null check (decision in ('approve', 'reject', 'return', 'ask', 'answer', 'delegate', 'withdraw', 'escalate')),
    person_id     uuid,
    decided_by    uuid,
    to_id         uuid,
    comment       text constraint approval_comment_is_short check (length(comment) <= 2000),
    requested_by  uuid,
    author_id     uuid,
    constraint approval_decisions_request foreign key (organization_id, request_id) references app.approval_requests on delete cascade,
    constraint nobody_approves_his_own check (decision not in ('approve', 'reject', 'return')
        or decided_by is distinct from requested_by and person_id is distinct from requested_by),
    constraint nobody_approves_what_he_made check (decision not in ('approve', 'reject', 'return') or author_id is null
        or decided_by is distinct from author_id and person_id is distinct from author_id),
    constraint decisions_are_somebodys check (decision not in ('approve', 'reject', 'return') or decided_by is not null and person_id is not null)
);
comment on table app.approval_decisions is 'What was decided and said, by whom, in whose name.';
comment on column app.approval_decisions.person_id is 'In whose name.';
comment on constraint nobody_approves_his_own on app.approval_decisions is 'Nobody decides on what he asked for himself.';
comment on constraint nobody_approves_what_he_made on app.approval_decisions is 'Nobody decides on a record that he made himself.';
comment on constraint decisions_are_somebodys on app.approval_decisions is 'A decision is somebody''s.';
comment on constraint approval_comment_is_short on app.approval_decisions is 'A comment has at most 2,000 characters.';
create unique index approval_decisions_once on app.approval_decisions (organization_id, request_id, decided_by) where decision = 'approve';
comment on index app.approval_decisions_once is 'You have approved this already.';
create unique index approval_decisions_name on app.approval_decisions (organization_id, request_id, person_id) where decision = 'approve';
comment on index app.approval_decisions_name is 'You have approved this already.';
select app.enroll_part('app.approval_decisions', 'app.approval_requests', 'request_id');

-- Whom a decision may not be of is what the request says, whoever writes it.
create function app.decision_of() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    select r.requested_by, r.author_id into new.requested_by, new.author_id
    from app.approval_requests r where r.organization_id = new.organization_id and r.id = new.request_id;
    return new;
end $$;
create trigger decision_of before insert or update on app.approval_decisions for each row execute function app.decision_of();
revoke insert, update, delete on app.approval_requests, app.approval_levels, app.approval_seats, app.approval_decisions from app_user;

create table app.delegations (
    like app.record including all,
    person_id    uuid not null default app.actor(),
    delegate_id  uuid not null,
    starts_on    date not null default current_date,
    ends_on      date not null,
    reason       text constraint delegation_reason_is_short check (length(reason) <= 500),
    constraint delegations_person foreign key (organization_id, person_id) references iam.memberships on delete cascade,
    constraint delegations_delegate foreign key (organization_id, delegate_id) references iam.memberships on delete cascade,
    constraint delegation_is_to_another check (delegate_id <> person_id),
    constraint delegation_ends_after_it_starts check (ends_on >= starts_on)
);
comment on table app.delegations is 'Who decides in the name of somebody who is away, and when.';
comment on constraint delegation_is_to_another on app.delegations is 'Name somebody else.';
comment on constraint delegation_ends_after_it_starts on app.delegations is 'An absence cannot end before it starts.';
comment on constraint delegation_reason_is_short on app.delegations is 'A reason has at most 500 characters.';
select app.enroll('app.delegations', owner => 'person_id');

-- In whose names somebody may decide today, his own first: over at most three people, however they stand in for each other.
create function app.stands_for(who uuid) returns uuid[] language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (
        with recursive standing (person, depth) as (
            select who, 0
            union
            select d.person_id, s.depth + 1 from standing s join app.delegations d on d.organization_id = app.organization() and d.delegate_id = s.person
                and d.deleted_at is null and current_date between d.starts_on and d.ends_on
            where s.depth < 3
        ) select array_agg(distinct s.person) from standing s);
end $$;

create function app.holds_role(person uuid, role text, in_workspace uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return exists (select from iam.roles o
        join iam.role_assignments a on a.organization_id = o.organization_id and a.role_id = o.id and a.membership_id = person and a.deleted_at is null
            and current_date between coalesce(a.valid_from, current_date) and coalesce(a.valid_to, current_date)
            and (a.in_workspace_id is null or a.in_workspace_id = in_workspace)
        where o.organization_id = app.organization() and o.name = role and o.deleted_at is null and o.is_active);
end $$;

-- Whom a level means: people, roles, the manager of whoever asks; administrators where nobody is left. Never who asks, who
-- made the record, or who has approved at another level.
create function app.approval_people(source jsonb, request app.approval_requests) returns table (person uuid, through text) language plpgsql stable
security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); roles jsonb := coalesce(source -> 'roles', '[]'); named jsonb := coalesce(source -> 'people', '[]');
begin
    if source -> 'manager' = 'true' then
        named := named || coalesce((select jsonb_build_array(m.manager_id) from iam.memberships m
            where m.organization_id = here and m.id = request.requested_by and m.manager_id is not null), '[]');
    end if;
    for n in 1..2 loop
        return query
        select distinct on (m.id) m.id, case when named ? m.id::text then null else o.name end
        from iam.memberships m
        left join iam.role_assignments a on a.organization_id = here and a.membership_id = m.id and a.deleted_at is null
            and current_date between coalesce(a.valid_from, current_date) and coalesce(a.valid_to, current_date)
            and (a.in_workspace_id is null or a.in_workspace_id = request.in_workspace_id)
        left join iam.roles o on o.organization_id = here and o.id = a.role_id and o.deleted_at is null and o.is_active and roles ? o.name
        where m.organization_id = here and m.status = 'active' and m.deleted_at is null and (o.id is not null or named ? m.id::text)
          and m.id <> request.requested_by and m.id is distinct from request.author_id
          and not exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id
              and d.decision = 'approve' and m.id in (d.person_id, d.decided_by))
        order by m.id, o.name;
        if found then return; end if;
        named := '[]';
        roles := (select coalesce(jsonb_agg(o.name), '[]') from iam.roles o where o.organization_id = here and o.template in ('owner', 'admin') and o.deleted_at is null);
    end loop;
end $$;

-- Whether a seat still is one: its person works here, in the role that brought him.
create function app.seat_holds(seat app.approval_seats, in_workspace uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return exists (select from iam.memberships m where m.organization_id = seat.organization_id and m.id = seat.person_id and m.status = 'active' and m.deleted_at is null)
       and (seat.through is null or app.holds_role(seat.person_id, seat.through, in_workspace));
end $$;

-- The seat that somebody may decide from now: his own, one handed to him, one of whom he stands in for.
create function app.approval_seat(request app.approval_requests, who uuid) returns app.approval_seats language plpgsql stable security definer set search_path = pg_catalog as $$
declare seat app.approval_seats; names constant uuid[] := app.stands_for(who);
begin
    if request.status <> 'pending' or who = request.requested_by or who is not distinct from request.author_id then return null; end if;
    if exists (select from app.approval_decisions d where d.organization_id = request.organization_id and d.request_id = request.id
        and d.decision = 'approve' and who in (d.decided_by, d.person_id)) then return null; end if;
    select s.* into seat from app.approval_seats s
    where s.organization_id = request.organization_id and s.request_id = request.id and s.level = request.level
      and (s.person_id = any (names) or s.standin_id = any (names))
      and s.person_id <> request.requested_by and s.person_id is distinct from request.author_id
      and not exists (select from app.approval_decisions d where d.organization_id = s.organization_id and d.request_id = s.request_id
          and d.decision = 'approve' and s.person_id in (d.person_id, d.decided_by))
      and app.seat_holds(s, request.in_workspace_id)
    order by s.person_id = who desc, s.standin_id = who desc nulls last, s.id limit 1;
    return seat;
end $$;

-- Whoever has to do with a request: he asked, decides, has decided, or may look at all.
create function app.sees_approval(request app.approval_requests, who uuid, sees_all boolean) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
declare names constant uuid[] := app.stands_for(who);
begin
    return sees_all or request.requested_by = who
        or exists (select from app.approval_seats s where s.organization_id = request.organization_id and s.request_id = request.id
            and (s.person_id = any (names) or s.standin_id = any (names)))
        or exists (select from app.approval_decisions d where d.organization_id = request.organization_id and d.request_id = request.id and who in (d.decided_by, d.to_id));
end $$;

create function app.approval_words(what text, who text) returns jsonb language sql immutable
return case what
    when 'request' then jsonb_build_object('en', who || ' asks for your approval', 'ru', who || ' просит вашего согласования', 'kk', who || ' сізден келісім сұрайды')
    when 'approved' then jsonb_build_object('en', 'Approved', 'ru', 'Согласовано', 'kk', 'Келісілді')
    when 'rejected' then jsonb_build_object('en', 'Rejected by ' || who, 'ru', 'Отклонено: ' || who, 'kk', 'Қабылданбады: ' || who)
    when 'returned' then jsonb_build_object('en', 'Returned by ' || who, 'ru', 'Возвращено на доработку: ' || who, 'kk', 'Түзетуге қайтарылды: ' || who)
    when 'ask' then jsonb_build_object('en', who || ' has a question before deciding', 'ru', 'Вопрос до решения: ' || who, 'kk', 'Шешім алдындағы сұрақ: ' || who)
    when 'answer' then jsonb_build_object('en', who || ' answered your question', 'ru', 'Ответ на ваш вопрос: ' || who, 'kk', 'Сұрағыңызға жауап: ' || who)
    when 'delegate' then jsonb_build_object('en', who || ' hands a decision to you', 'ru', who || ' передаёт вам решение', 'kk', who || ' шешімді сізге тапсырды')
    when 'remind' then jsonb_build_object('en', 'Soon due: your approval is asked for', 'ru', 'Скоро срок: ждут вашего согласования', 'kk', 'Мерзімі жақын: келісіміңіз күтілуде')
    when 'escalate' then jsonb_build_object('en', 'Overdue: now you are asked to decide', 'ru', 'Просрочено: теперь решение за вами', 'kk', 'Мерзімі өтті: енді шешім сізден күтіледі')
    else jsonb_build_object('en', 'Withdrawn by ' || who, 'ru', 'Отозвано: ' || who, 'kk', 'Қайтарып алынды: ' || who) end;

-- Tells people, and those who stand in for them today; answers whom.
create function app.tell_of_approval(request app.approval_requests, people uuid[], what text) returns uuid[] language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := request.organization_id; person uuid; told uuid[];
    who constant text := coalesce((select m.name from iam.memberships m where m.organization_id = here and m.id = app.actor()), '');
    about constant text := concat_ws(' · ', nullif(request.title, ''), trim_scale(request.amount)::text || ' ' || coalesce(request.currency, ''), nullif(request.reason, ''));
begin
    select array_agg(distinct p) into told from (
        select unnest(people) as p
        union select d.delegate_id from app.delegations d where d.organization_id = here and d.person_id = any (people) and d.deleted_at is null
            and current_date between d.starts_on and d.ends_on and what in ('request', 'remind', 'escalate') and d.delegate_id <> request.requested_by
    ) x where p is distinct from app.actor();
    foreach person in array coalesce(told, '{}') loop
        perform app.notify(person, 'approval', app.approval_words(what, who), about, 'app.approval_requests', request.id, null);
    end loop;
    return coalesce(told, '{}');
end $$;

-- A line in the history of the record itself.
create function app.log_approval(request app.approval_requests, what text, said text) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into app.audit (organization_id, entity, record_id, action, actor_id, request_id, new)
    values (request.organization_id, request.entity, request.record_id, 'approval_' || what, app.actor(), app.request(),
        jsonb_strip_nulls(jsonb_build_object('approval', request.id, 'action', request.action, 'level', request.level, 'comment', said)));
end $$;

create function app.enter_approval_level(request app.approval_requests, n integer) returns uuid[] language plpgsql security definer set search_path = pg_catalog as $$
declare l app.approval_levels; people uuid[];
begin
    update app.approval_levels x set entered_at = now(), due_at = now() + make_interval(hours => x.due_hours)
    where x.organization_id = request.organization_id and x.request_id = request.id and x.number = n returning x.* into strict l;
    insert into app.approval_seats (organization_id, request_id, level, person_id, through)
    select request.organization_id, request.id, n, p.person, p.through from app.approval_people(l.source, request) p;
    select array_agg(s.person_id) into people from app.approval_seats s
    where s.organization_id = request.organization_id and s.request_id = request.id and s.level = n;
    if people is null then
        raise exception 'There is nobody left who could approve this.' using errcode = 'AP001';
    end if;
    return app.tell_of_approval(request, people, 'request');
end $$;

create function app.names_of(people uuid[]) returns text language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select string_agg(m.name, ', ' order by m.name) from iam.memberships m where m.organization_id = app.organization() and m.id = any (people));
end $$;

-- The rules for an action, in their order, and whether another action on the record waits.
create function app.approval_rules_of(entity text, action text, record uuid) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return jsonb_build_object(
        'rules', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'condition', r.condition) order by r.position, r.id), '[]') from app.approval_rules r
            where r.organization_id = app.organization() and r.entity = approval_rules_of.entity and r.action = approval_rules_of.action and r.is_active and r.deleted_at is null),
        'waiting', exists (select from app.approval_requests r where r.organization_id = app.organization() and r.entity = approval_rules_of.entity and r.record_id = record
            and r.status = 'pending' and r.action <> approval_rules_of.action));
end $$;

-- Asks for approval in the name of whoever acts. What waits already goes on waiting; where the record was changed since, it
-- is asked for anew.
create function app.ask_approval(entity text, record uuid, action text, asked jsonb) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); rule app.approval_rules; was app.approval_requests; request app.approval_requests; told uuid[] := '{}'; people uuid[];
begin
    if not exists (select from app.entities e where e.name = ask_approval.entity)
        and not exists (select from builder.custom_tables t where t.organization_id = here and t.entity = ask_approval.entity) then raise exception 'There is no such entity.' using errcode = 'AP001'; end if;
    select r.* into strict rule from app.approval_rules r where r.organization_id = here and r.id = (asked ->> 'rule')::uuid;
    select r.* into was from app.approval_requests r where r.organization_id = here and r.entity = ask_approval.entity and r.record_id = record
        and r.action = ask_approval.action and r.status = 'pending' for update;
    if was.id is null or was.record_version <> (asked ->> 'version')::integer then
        if was.id is not null then
            update app.approval_requests r set status = 'withdrawn', decided_at = now() where r.organization_id = here and r.id = was.id;
            insert into app.approval_decisions (organization_id, request_id, level, decision, decided_by) values (here, was.id, was.level, 'withdraw', app.actor());
        end if;
        insert into app.approval_requests (organization_id, entity, record_id, action, body, rule_id, title, reason, amount, currency, shown, requested_by, author_id,
            record_version, in_workspace_id, on_reject, on_return)
        values (here, ask_approval.entity, record, ask_approval.action, asked -> 'body', rule.id, coalesce(asked ->> 'title', ''), left(asked ->> 'reason', 2000),
            (asked ->> 'amount')::numeric, asked ->> 'currency', asked -> 'shown', app.actor(), (asked ->> 'author')::uuid, (asked ->> 'version')::integer,
            (asked ->> 'workspace')::uuid, rule.on_reject, rule.on_return)
        returning * into request;
        insert into app.approval_levels (organization_id, request_id, number, name, source, quorum, due_hours)
        select here, request.id, n, coalesce(l ->> 'name', ''), l, (l ->> 'quorum')::integer, (l ->> 'due_hours')::integer
        from jsonb_array_elements(rule.levels) with ordinality x (l, n);
        told := app.enter_approval_level(request, 1);
        perform app.log_approval(request, 'request', request.reason);
    else
        request := was;
    end if;
    select array_agg(coalesce(s.standin_id, s.person_id)) into people from app.approval_seats s where s.organization_id = here and s.request_id = request.id and s.level = request.level
        and not exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = s.request_id and d.decision = 'approve' and d.person_id = s.person_id);
    return jsonb_build_object('id', request.id, 'waits_for', app.names_of(people), 'told', told);
end $$;

-- A decision. `outcome` is what came of it, or why it is none: missing, late, own, made, done, others, changed.
create function app.decide_approval(id uuid, decision text, said text, to_person uuid, sees_all boolean) returns jsonb language plpgsql
security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); me constant uuid := app.actor();
    request app.approval_requests; seat app.approval_seats; l app.approval_levels; told uuid[] := '{}';
    version integer; gone boolean; yes integer; needed integer; outcome text := decision;
begin
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = decide_approval.id;
    if request.id is null then return '{"outcome": "missing"}'; end if;
    -- The record before the request, as whoever asks takes them.
    execute format('select x.version, x.deleted_at is not null from %s x where x.organization_id = $1 and x.id = $2 for no key update', app.table_of(request.entity))
        into version, gone using here, request.record_id;
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = decide_approval.id for update;
    if not app.sees_approval(request, me, sees_all) then return '{"outcome": "missing"}'; end if;
    if request.status <> 'pending' then
        return (select jsonb_build_object('outcome', 'late', 'status', request.status, 'by', app.names_of(array[d.decided_by])) from app.approval_decisions d
            where d.organization_id = here and d.request_id = request.id and d.decision in ('approve', 'reject', 'return', 'withdraw') order by d.id desc limit 1);
    end if;
    if me = request.requested_by then return '{"outcome": "own"}'; end if;
    if me is not distinct from request.author_id then return '{"outcome": "made"}'; end if;
    seat := app.approval_seat(request, me);
    if seat.id is null then
        return case when exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id and d.decision = 'approve' and me in (d.decided_by, d.person_id))
            then '{"outcome": "done"}' else '{"outcome": "others"}' end::jsonb;
    end if;
    if decision = 'approve' and (gone is not false or version <> request.record_version) then return '{"outcome": "changed"}'; end if;
    if decision = 'delegate' then
        if to_person in (request.requested_by, request.author_id, seat.person_id, me) then
            raise exception 'This cannot be handed to whoever asks for it, made it, or has to decide already.' using errcode = 'AP001', column = 'to';
        end if;
        if not exists (select from iam.memberships m where m.organization_id = here and m.id = to_person and m.status = 'active' and m.deleted_at is null)
            or exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id and d.decision = 'approve' and to_person in (d.decided_by, d.person_id)) then
            raise exception 'This person cannot decide here.' using errcode = 'AP001', column = 'to';
        end if;
        update app.approval_seats s set standin_id = to_person where s.organization_id = here and s.id = seat.id;
    end if;
    insert into app.approval_decisions (organization_id, request_id, level, decision, person_id, decided_by, to_id, comment)
    values (here, request.id, request.level, decision, seat.person_id, me, case when decision = 'delegate' then to_person end, nullif(trim(said), ''));
    if decision = 'delegate' then
        told := app.tell_of_approval(request, array[to_person], 'delegate');
    elsif decision = 'ask' then
        update app.approval_levels x set asked_at = coalesce(x.asked_at, now()) where x.organization_id = here and x.request_id = request.id and x.number = request.level;
        told := app.tell_of_approval(request, array[request.requested_by], 'ask');
    elsif decision = 'approve' then
        select x.* into strict l from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level;
        select count(*) filter (where d.id is not null), count(*) into yes, needed
        from app.approval_seats s left join app.approval_decisions d on d.organization_id = here and d.request_id = s.request_id and d.level = s.level
            and d.person_id = s.person_id and d.decision = 'approve'
        where s.organization_id = here and s.request_id = request.id and s.level = request.level and not s.escalated
          and (d.id is not null or app.seat_holds(s, request.in_workspace_id));
        outcome := 'pending';
        if seat.escalated or yes >= least(coalesce(l.quorum, needed), needed) then
            update app.approval_levels x set left_at = now() where x.organization_id = here and x.id = l.id;
            if exists (select from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level + 1) then
                update app.approval_requests r set level = r.level + 1 where r.organization_id = here and r.id = request.id returning r.* into request;
                told := app.enter_approval_level(request, request.level);
            else
                outcome := 'approved';
            end if;
        end if;
    else
        outcome := case decision when 'reject' then 'rejected' else 'returned' end;
    end if;
    perform app.log_approval(request, decision, nullif(trim(said), ''));
    if outcome in ('approved', 'rejected', 'returned') then
        update app.approval_requests r set status = outcome, decided_at = now() where r.organization_id = here and r.id = request.id;
        update app.approval_levels x set left_at = now() where x.organization_id = here and x.request_id = request.id and x.number = request.level and x.left_at is null;
        told := told || app.tell_of_approval(request, array[request.requested_by], outcome);
    end if;
    return jsonb_build_object('outcome', outcome, 'entity', request.entity, 'record', request.record_id, 'told', told, 'body', request.body,
        'then', case outcome when 'approved' then request.action when 'rejected' then request.on_reject when 'returned' then request.on_return end);
end $$;

-- Whoever asked answers a question; the time that it took is added to what the level has.
create function app.answer_approval(id uuid, said text) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); request app.approval_requests; askers uuid[];
begin
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = answer_approval.id and r.requested_by = app.actor() for update;
    if request.id is null then return '{"outcome": "missing"}'; end if;
    if request.status <> 'pending' then raise exception 'This is not waiting any more.' using errcode = 'AP001'; end if;
    insert into app.approval_decisions (organization_id, request_id, level, decision, person_id, decided_by, comment)
    values (here, request.id, request.level, 'answer', app.actor(), app.actor(), trim(said));
    update app.approval_levels x set due_at = x.due_at + (now() - x.asked_at), asked_at = null
    where x.organization_id = here and x.request_id = request.id and x.number = request.level and x.asked_at is not null;
    select array_agg(distinct d.decided_by) into askers from app.approval_decisions d
    where d.organization_id = here and d.request_id = request.id and d.level = request.level and d.decision = 'ask';
    perform app.log_approval(request, 'answer', trim(said));
    return jsonb_build_object('outcome', 'answer', 'entity', request.entity, 'record', request.record_id, 'told', app.tell_of_approval(request, askers, 'answer'));
end $$;

create function app.withdraw_approval(id uuid, said text, sees_all boolean) returns jsonb language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); request app.approval_requests; people uuid[];
begin
    select r.* into request from app.approval_requests r where r.organization_id = here and r.id = withdraw_approval.id and (r.requested_by = app.actor() or sees_all) for update;
    if request.id is null then return '{"outcome": "missing"}'; end if;
    if request.status <> 'pending' then raise exception 'This is not waiting any more.' using errcode = 'AP001'; end if;
    update app.approval_requests r set status = 'withdrawn', decided_at = now() where r.organization_id = here and r.id = request.id;
    insert into app.approval_decisions (organization_id, request_id, level, decision, decided_by, comment)
    values (here, request.id, request.level, 'withdraw', app.actor(), nullif(trim(said), ''));
    select array_agg(coalesce(s.standin_id, s.person_id)) || request.requested_by into people from app.approval_seats s
    where s.organization_id = here and s.request_id = request.id and s.level = request.level;
    perform app.log_approval(request, 'withdraw', nullif(trim(said), ''));
    return jsonb_build_object('outcome', 'withdrawn', 'entity', request.entity, 'record', request.record_id, 'told', app.tell_of_approval(request, people, 'withdrawn'),
        'then', request.on_return);
end $$;

-- Something else was done with the record: what waited for it was about what is no more.
create function app.lapse_approvals(entity text, record uuid) returns uuid[] language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); request app.approval_requests; people uuid[]; told uuid[] := '{}';
begin
    for request in
        update app.approval_requests r set status = 'withdrawn', decided_at = now()
        where r.organization_id = here and r.entity = lapse_approvals.entity and r.record_id = record and r.status = 'pending' returning r.*
    loop
        insert into app.approval_decisions (organization_id, request_id, level, decision, decided_by) values (here, request.id, request.level, 'withdraw', app.actor());
        select array_agg(coalesce(s.standin_id, s.person_id)) || request.requested_by into people from app.approval_seats s
        where s.organization_id = here and s.request_id = request.id and s.level = request.level;
        perform app.log_approval(request, 'withdraw', null);
        told := told || app.tell_of_approval(request, people, 'withdrawn');
    end loop;
    return told;
end $$;

create function app.person_named(person uuid) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select jsonb_build_object('id', m.id, 'name', m.name) from iam.memberships m where m.organization_id = app.organization() and m.id = person);
end $$;

-- A request as people see it, with what the one who looks may do.
create function app.approval_told(request app.approval_requests, whole boolean, sees_all boolean) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := request.organization_id; me constant uuid := app.actor(); l app.approval_levels; seat app.approval_seats; told jsonb;
begin
    select x.* into l from app.approval_levels x where x.organization_id = here and x.request_id = request.id and x.number = request.level;
    seat := app.approval_seat(request, me);
    told := jsonb_build_object('id', request.id, 'entity', request.entity, 'record_id', request.record_id, 'action', request.action, 'title', request.title, 'reason', request.reason,
        'amount', trim_scale(request.amount)::text, 'currency', request.currency, 'shown', request.shown, 'status', request.status, 'requested_by', app.person_named(request.requested_by),
        'created_at', request.created_at, 'decided_at', request.decided_at, 'level', request.level, 'level_name', l.name,
        'levels', (select count(*) from app.approval_levels x where x.organization_id = here and x.request_id = request.id),
        'due_at', case when request.status = 'pending' then l.due_at end, 'asked_at', case when request.status = 'pending' then l.asked_at end,
        'may_decide', seat.id is not null, 'in_name_of', case when seat.person_id <> me then app.person_named(seat.person_id) end,
        'may_answer', request.status = 'pending' and request.requested_by = me and l.asked_at is not null,
        'may_withdraw', request.status = 'pending' and (request.requested_by = me or sees_all));
    if not whole then return told; end if;
    return told || jsonb_build_object(
        'steps', (select jsonb_agg(jsonb_build_object('number', x.number, 'name', x.name, 'quorum', x.quorum, 'entered_at', x.entered_at, 'left_at', x.left_at, 'due_at', x.due_at,
                'escalated_at', x.escalated_at, 'people', (select coalesce(jsonb_agg(jsonb_build_object('person', app.person_named(s.person_id), 'standin', app.person_named(s.standin_id),
                    'through', s.through, 'escalated', s.escalated, 'approved', exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = request.id
                        and d.level = s.level and d.person_id = s.person_id and d.decision = 'approve')) order by s.id), '[]')
                    from app.approval_seats s where s.organization_id = here and s.request_id = request.id and s.level = x.number)) order by x.number)
            from app.approval_levels x where x.organization_id = here and x.request_id = request.id),
        'history', (select coalesce(jsonb_agg(jsonb_build_object('decision', d.decision, 'level', d.level, 'by', app.person_named(d.decided_by), 'comment', d.comment, 'at', d.created_at,
                'in_name_of', case when d.person_id <> d.decided_by then app.person_named(d.person_id) end, 'to', app.person_named(d.to_id)) order by d.id), '[]')
            from app.approval_decisions d where d.organization_id = here and d.request_id = request.id));
end $$;

-- Which: mine to decide, requested by me, decided by me, or all; the most urgent first where they wait for me, else the newest.
create function app.approvals(which text, state text, before uuid, most integer, sees_all boolean) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); me constant uuid := app.actor(); names constant uuid[] := app.stands_for(me);
begin
    if which = 'mine' then
        return (select coalesce(jsonb_agg(app.approval_told(x.request, false, sees_all) order by x.due_at nulls last, (x.request).id), '[]') from (
            select distinct r as request, l.due_at from app.approval_seats s
            join app.approval_requests r on r.organization_id = here and r.id = s.request_id and r.status = 'pending' and r.level = s.level
            join app.approval_levels l on l.organization_id = here and l.request_id = r.id and l.number = r.level
            where s.organization_id = here and (s.person_id = any (names) or s.standin_id = any (names)) and (app.approval_seat(r, me)).id is not null
            order by l.due_at nulls last limit most) x);
    end if;
    return (select coalesce(jsonb_agg(app.approval_told(x.request, false, sees_all) order by (x.request).id desc), '[]') from (
        select r as request from app.approval_requests r
        where r.organization_id = here and (before is null or r.id < before) and (state is null or r.status = state)
          and case which when 'requested' then r.requested_by = me
              when 'decided' then exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = r.id and d.decided_by = me
                  and d.decision in ('approve', 'reject', 'return', 'delegate'))
              else sees_all end
        order by r.id desc limit most) x);
end $$;

create function app.approval(id uuid, sees_all boolean) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
declare request app.approval_requests;
begin
    select r.* into request from app.approval_requests r where r.organization_id = app.organization() and r.id = approval.id;
    if request.id is null or not app.sees_approval(request, app.actor(), sees_all) then return null; end if;
    return app.approval_told(request, true, sees_all);
end $$;

-- For those who may read the record, which whoever calls has made sure of.
create function app.approvals_of(entity text, record uuid, sees_all boolean) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(jsonb_agg(app.approval_told(r, true, sees_all) order by r.id desc), '[]') from app.approval_requests r
        where r.organization_id = app.organization() and r.entity = approvals_of.entity and r.record_id = record);
end $$;

-- Absences that are not over: one's own, those that one stands in for, or all.
create function app.delegations_told(sees_all boolean) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
declare me constant uuid := app.actor();
begin
    return (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'person', app.person_named(d.person_id), 'delegate', app.person_named(d.delegate_id),
            'starts_on', d.starts_on, 'ends_on', d.ends_on, 'reason', d.reason, 'may_end', sees_all or d.person_id = me) order by d.starts_on, d.id), '[]')
        from app.delegations d where d.organization_id = app.organization() and d.deleted_at is null and d.ends_on >= current_date
          and (sees_all or me in (d.person_id, d.delegate_id)));
end $$;

-- Reminds of what is soon due, and asks others where it is overdue: whom the level names, else those of the next level,
-- else administrators. Part of app.daily, and so asked for every hour.
create function app.daily() returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); l record; request app.approval_requests; people uuid[];
begin
    for l in
        select x.* from app.approval_levels x
        where x.organization_id = here and x.entered_at is not null and x.left_at is null and x.asked_at is null
          and (x.reminded_at is null and now() >= x.due_at - (x.due_at - x.entered_at) / 4 or x.escalated_at is null and now() >= x.due_at)
    loop
        select r.* into request from app.approval_requests r
        where r.organization_id = here and r.id = l.request_id and r.status = 'pending' and r.level = l.number for update skip locked;
        if not found then continue; end if;
        if now() >= l.due_at then
            insert into app.approval_seats as s (organization_id, request_id, level, person_id, through, escalated)
            select here, request.id, l.number, p.person, p.through, true
            from app.approval_people(coalesce(l.source -> 'escalate', (select n.source from app.approval_levels n
                where n.organization_id = here and n.request_id = request.id and n.number = l.number + 1), '{}'), request) p
            on conflict (organization_id, request_id, level, person_id) do nothing;
            select array_agg(s.person_id) into people from app.approval_seats s
            where s.organization_id = here and s.request_id = request.id and s.level = l.number and s.escalated;
            insert into app.approval_decisions (organization_id, request_id, level, decision) values (here, request.id, l.number, 'escalate');
            perform app.log_approval(request, 'escalate', app.names_of(people));
            perform app.tell_of_approval(request, people, 'escalate');
        else
            select array_agg(coalesce(s.standin_id, s.person_id)) into people from app.approval_seats s
            where s.organization_id = here and s.request_id = request.id and s.level = l.number
              and not exists (select from app.approval_decisions d where d.organization_id = here and d.request_id = s.request_id and d.decision = 'approve' and d.person_id = s.person_id);
            perform app.tell_of_approval(request, people, 'remind');
        end if;
        update app.approval_levels x set reminded_at = coalesce(x.reminded_at, now()), escalated_at = case when now() >= l.due_at then now() else x.escalated_at end
        where x.organization_id = here and x.id = l.id;
    end loop;
end $$;

do $$ declare f regprocedure; begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'app'::regnamespace and p.proname in ('stands_for', 'holds_role', 'approval_people', 'seat_holds',
        'approval_seat', 'sees_approval', 'tell_of_approval', 'log_approval', 'enter_approval_level', 'names_of', 'approval_rules_of', 'ask_approval', 'decide_approval',
        'answer_approval', 'withdraw_approval', 'lapse_approvals', 'person_named', 'approval_told', 'approvals', 'approval', 'approvals_of', 'delegations_told') or p.oid = 'app.daily()'::regprocedure
    loop
        execute format('revoke execute on function %s from public', f);
    end loop;
end $$;
grant execute on function app.approval_rules_of(text, text, uuid), app.lapse_approvals(text, uuid), app.ask_approval(text, uuid, text, jsonb), app.decide_approval(uuid, text, text, uuid, boolean), app.answer_approval(uuid, text),
    app.withdraw_approval(uuid, text, boolean), app.approvals(text, text, uuid, integer, boolean), app.approval(uuid, boolean), app.approvals_of(text, uuid, boolean), app.delegations_told(boolean) to app_user;
