create schema gamification;
comment on schema gamification is 'Streaks, achievements, leaderboards and scorecards, reckoned from deals and payments.';

create table gamification.daily_streaks (
    like app.record including all,
    member_id          uuid not null,
    day                date not null,
    deals_created      integer not null default 0,
    payments_received  integer not null default 0,
    total_amount       app.money not null default 0,
    is_active_day      boolean not null default false,
    streak_count       integer not null default 0,
    constraint daily_streaks_once unique (organization_id, member_id, day),
    constraint daily_streaks_member foreign key (organization_id, member_id) references iam.memberships
);
comment on table gamification.daily_streaks is 'What somebody did on a day, and for how many days on end.';
comment on column gamification.daily_streaks.total_amount is 'What came in for his deals, in the currency of our books, less what went back.';
comment on column gamification.daily_streaks.streak_count is 'Working days on end with something done, up to this one.';
create index daily_streaks_day on gamification.daily_streaks (organization_id, day);

create table gamification.streak_pauses (
    like app.record including all,
    member_id  uuid not null,
    kind       text not null default 'leave' check (kind in ('leave', 'freeze')),
    starts_on  date not null,
    ends_on    date not null,
    note       app.textarea,
    constraint streak_pauses_member foreign key (organization_id, member_id) references iam.memberships,
    constraint pause_ends_after_it_starts check (ends_on between starts_on and starts_on + 366)
);
comment on table gamification.streak_pauses is 'Days on which somebody need not do anything to keep his streak: approved leave, or frozen days.';
comment on constraint pause_ends_after_it_starts on gamification.streak_pauses is 'A pause ends on or after its first day, and within a year.';
create index streak_pauses_days on gamification.streak_pauses (organization_id, member_id, starts_on, ends_on);

create table gamification.achievements (
    like app.record including all,
    name         text not null constraint achievement_has_a_name check (name ~ '\S' and length(name) <= 100),
    description  text,
    metric       text not null default 'payments_received' check (metric in ('deals_created', 'payments_received', 'total_amount', 'streak_count')),
    threshold    app.money not null constraint threshold_is_positive check (threshold > 0),
    period       text not null default 'ever' check (period in ('day', 'week', 'month', 'quarter', 'year', 'ever')),
    points       integer not null default 10 constraint points_not_negative check (points >= 0),
    badge        text,
    is_active    boolean not null default true
);
comment on table gamification.achievements is 'What is awarded for reaching an amount: once in every period, or once for ever.';
comment on constraint achievement_has_a_name on gamification.achievements is 'A name has 1 to 100 characters.';
comment on constraint threshold_is_positive on gamification.achievements is 'An amount must be more than nothing.';
comment on constraint points_not_negative on gamification.achievements is 'Points are not negative.';

create table gamification.user_achievements (
    like app.record including all,
    name            text not null,
    achievement_id  uuid not null,
    member_id       uuid not null,
    period_start    date not null,
    value           app.money not null,
    evidence_id     uuid not null,
    awarded_at      timestamptz not null default now(),
    revoked_at      timestamptz,
    constraint user_achievements_once unique (organization_id, achievement_id, member_id, period_start),
    constraint user_achievements_achievement foreign key (organization_id, achievement_id) references gamification.achievements,
    constraint user_achievements_member foreign key (organization_id, member_id) references iam.memberships,
    constraint user_achievements_evidence foreign key (organization_id, evidence_id) references gamification.daily_streaks
);
comment on table gamification.user_achievements is 'An achievement that somebody has; revoked when what it was for went back.';
comment on column gamification.user_achievements.evidence_id is 'The day on which it was reached.';

create table gamification.leaderboards (
    like app.record including all,
    name       text not null constraint leaderboard_has_a_name check (name ~ '\S' and length(name) <= 100),
    metric     text not null default 'total_amount' check (metric in ('deals_created', 'payments_received', 'total_amount', 'streak_count')),
    period     text not null default 'month' check (period in ('week', 'month', 'quarter', 'year')),
    is_active  boolean not null default true
);
comment on table gamification.leaderboards is 'Who is ahead in a period.';
comment on constraint leaderboard_has_a_name on gamification.leaderboards is 'A name has 1 to 100 characters.';

create table gamification.leaderboard_entries (
    like app.record including all,
    name            text not null,
    leaderboard_id  uuid not null,
    period_start    date not null,
    member_id       uuid not null,
    score           app.money not null,
    rank            integer not null,
    reached_on      date not null,
    constraint leaderboard_entries_once unique (organization_id, leaderboard_id, period_start, member_id),
    constraint leaderboard_entries_board foreign key (organization_id, leaderboard_id) references gamification.leaderboards on delete cascade,
    constraint leaderboard_entries_member foreign key (organization_id, member_id) references iam.memberships
);
comment on table gamification.leaderboard_entries is 'Somebody''s place on a leaderboard. When a period is over it stays as it was.';
comment on column gamification.leaderboard_entries.rank is 'The same score has the same place, and no place is left out.';
comment on column gamification.leaderboard_entries.reached_on is 'Of equals, whoever was there earlier stands first.';

create table gamification.scorecards (
    like app.record including all,
    member_id  uuid not null,
    starts_on  date not null,
    ends_on    date not null,
    weight     numeric(12,4) not null default 0,
    points     numeric(20,6) not null default 0,
    score      numeric(9,2) generated always as (case when weight > 0 then round(points * 100 / weight, 2) end) stored,
    note       app.textarea,
    constraint scorecards_member foreign key (organization_id, member_id) references iam.memberships,
    constraint scorecard_ends_after_it_starts check (ends_on >= starts_on)
);
comment on table gamification.scorecards is 'How near somebody came to several targets at once; 100 is all of them, 120 the most.';
comment on constraint scorecard_ends_after_it_starts on gamification.scorecards is 'A scorecard cannot end before it starts.';

create table gamification.scorecard_lines (
    like app.record including all,
    scorecard_id  uuid not null,
    metric        text not null default 'total_amount' check (metric in ('deals_created', 'payments_received', 'total_amount', 'streak_count', 'other')),
    name          text,
    weight        numeric(12,4) not null default 1 constraint weight_is_positive check (weight > 0),
    target        app.money not null constraint target_is_positive check (target > 0),
    actual        app.money not null default 0,
    points        numeric(20,6) generated always as (weight * least(greatest(actual / target, 0), 1.2)) stored,
    constraint scorecard_lines_card foreign key (organization_id, scorecard_id) references gamification.scorecards on delete cascade
);
comment on table gamification.scorecard_lines is 'One target of a scorecard, and how much it weighs.';
comment on column gamification.scorecard_lines.actual is 'Reckoned from deals and payments; of another metric, what somebody says.';
comment on constraint weight_is_positive on gamification.scorecard_lines is 'A weight is more than nothing.';
comment on constraint target_is_positive on gamification.scorecard_lines is 'A target is more than nothing.';

select app.enroll('gamification.daily_streaks', owner => 'member_id');
select app.enroll('gamification.streak_pauses', owner => 'member_id');
select app.enroll('gamification.achievements');
select app.enroll('gamification.user_achievements', owner => 'member_id');
select app.enroll('gamification.leaderboards');
select app.enroll('gamification.leaderboard_entries', owner => 'member_id');
select app.enroll('gamification.scorecards', owner => 'member_id');
select app.enroll_part('gamification.scorecard_lines', 'gamification.scorecards', 'scorecard_id');
select app.total('gamification.scorecards', 'gamification.scorecard_lines', 'scorecard_id', 'weight, points');

select app.derive('gamification.daily_streaks', '{member_id,day,deals_created,payments_received,total_amount,is_active_day,streak_count}');
select app.derive('gamification.user_achievements', '{name,achievement_id,member_id,period_start,value,evidence_id,awarded_at,revoked_at}');
select app.derive('gamification.leaderboard_entries', '{name,leaderboard_id,period_start,member_id,score,rank,reached_on}');

-- Not even by SQL, whatever the rights of whoever asks.
create function gamification.guard() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if current_user = 'app_user' then raise exception 'This follows from deals and payments, and is not written.' using errcode = 'AP001'; end if;
    return coalesce(new, old);
end $$;
create trigger guards before insert or update or delete on gamification.daily_streaks for each row execute function gamification.guard();
create trigger guards before insert or update or delete on gamification.user_achievements for each row execute function gamification.guard();
create trigger guards before insert or update or delete on gamification.leaderboard_entries for each row execute function gamification.guard();

-- Monday to Friday and no day off, unless the organization says otherwise: digits of weekdays, 1 being Monday, and days.
create function gamification.is_working_day(day date) returns boolean language plpgsql stable set search_path = pg_catalog as $$
begin
    return position(extract(isodow from day)::text in coalesce(app.setting('gamification.working_days') #>> '{}', '12345')) > 0
        and position(day::text in coalesce(app.setting('gamification.days_off') #>> '{}', '')) = 0;
end $$;

create function gamification.is_paused(member uuid, on_day date) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return exists (select from gamification.streak_pauses p where p.organization_id = app.organization() and p.member_id = member
        and on_day between p.starts_on and p.ends_on and p.deleted_at is null);
end $$;

-- DEFINITIONS 21: an active day makes the streak longer; a working day with nothing done ends it, other days leave it.
create function gamification.next_streak(before integer, is_active boolean, is_working boolean) returns integer language sql immutable parallel safe
return case when is_active then before + 1 when is_working then 0 else before end;

-- What somebody's days look like from this one on, from the deals and payments that there are; then what follows from it.
-- A day that is not over yet has not ended a streak.
create function gamification.recount(member uuid, since date) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); d record; streak integer; starts date;
    only_payments constant boolean := coalesce(app.setting('gamification.active_day') #>> '{}', '') = 'payments';
begin
    if member is null then return; end if;
    perform pg_advisory_xact_lock(hashtextextended('streaks ' || here || member, 0));
    select max(s.day) + 1 into starts from gamification.daily_streaks s where s.organization_id = here and s.member_id = member and s.day < since;
    starts := coalesce(starts, since);
    select s.streak_count into streak from gamification.daily_streaks s where s.organization_id = here and s.member_id = member and s.day = starts - 1;
    for d in
        select g.day::date as day, coalesce(x.deals, 0) as deals, coalesce(p.payments, 0) as payments, coalesce(p.amount, 0) as amount
        from generate_series(starts, current_date, interval '1 day') g (day)
        left join (select k.created_at::date as day, count(*) as deals from crm.deals k
            where k.organization_id = here and k.assigned_to = member and k.deleted_at is null and k.created_at >= starts group by 1) x on x.day = g.day::date
        left join (select y.completed_at::date as day, count(*) as payments, sum(round((y.amount - y.reversed) * y.exchange_rate, 2)) as amount
            from finance.payments y join crm.deals k on k.organization_id = y.organization_id and k.id = y.deal_id
            where y.organization_id = here and k.organization_id = here and k.assigned_to = member and y.status = 'completed' and y.reverses_id is null and y.reversed < y.amount
              and y.completed_at >= starts group by 1) p on p.day = g.day::date
        order by 1
    loop
        if streak is null and d.payments + d.deals = 0 and not exists (select from gamification.daily_streaks s where s.organization_id = here and s.member_id = member and s.day = d.day) then
            continue;
        end if;
        streak := gamification.next_streak(coalesce(streak, 0), d.payments > 0 or d.deals > 0 and not only_payments, d.day < current_date and gamification.is_working_day(d.day) and not gamification.is_paused(member, d.day));
        if d.day = current_date and d.payments + d.deals = 0 and not exists (select from gamification.daily_streaks s where s.organization_id = here and s.member_id = member and s.day = d.day) then
            continue;
        end if;
        insert into gamification.daily_streaks as s (member_id, day, deals_created, payments_received, total_amount, is_active_day, streak_count)
        values (member, d.day, d.deals, d.payments, d.amount, d.payments > 0 or d.deals > 0 and not only_payments, streak)
        on conflict on constraint daily_streaks_once do update set deals_created = excluded.deals_created, payments_received = excluded.payments_received,
            total_amount = excluded.total_amount, is_active_day = excluded.is_active_day, streak_count = excluded.streak_count
        where (s.deals_created, s.payments_received, s.total_amount, s.is_active_day, s.streak_count)
            is distinct from (excluded.deals_created, excluded.payments_received, excluded.total_amount, excluded.is_active_day, excluded.streak_count);
    end loop;
    perform gamification.award(member, since);
    perform gamification.rank_all();
    update gamification.scorecard_lines l set actual = gamification.score(member, l.metric, c.starts_on, c.ends_on)
    from gamification.scorecards c
    where c.organization_id = here and l.organization_id = here and c.id = l.scorecard_id and c.member_id = member and c.ends_on >= since and c.deleted_at is null and l.metric <> 'other'
      and l.actual <> gamification.score(member, l.metric, c.starts_on, c.ends_on);
end $$;

-- Leave that is given, changed or taken back changes the streak from its first day on.
create function gamification.pause() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform gamification.recount(q.member, min(q.day)) from (values (old.member_id, old.starts_on), (new.member_id, new.starts_on)) q (member, day)
    where q.member is not null group by q.member order by q.member;
    return null;
end $$;
create trigger recounts after insert or update of member_id, starts_on, ends_on, deleted_at or delete on gamification.streak_pauses
    for each row execute function gamification.pause();

-- Over some days: the longest streak, or the sum.
create function gamification.score(member uuid, metric text, first date, last date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select coalesce(case metric when 'streak_count' then max(s.streak_count) when 'deals_created' then sum(s.deals_created)
            when 'payments_received' then sum(s.payments_received) else sum(s.total_amount) end, 0)
        from gamification.daily_streaks s where s.organization_id = app.organization() and s.member_id = member and s.day between first and last);
end $$;

-- The day on which so much was first reached, counted from the first day.
create function gamification.reached(member uuid, metric text, first date, last date, amount numeric, out day date, out streak_id uuid) language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    select x.day, x.id into day, streak_id from (
        select s.day, s.id, case metric when 'streak_count' then s.streak_count when 'deals_created' then sum(s.deals_created) over w
            when 'payments_received' then sum(s.payments_received) over w else sum(s.total_amount) over w end as value
        from gamification.daily_streaks s where s.organization_id = app.organization() and s.member_id = member and s.day between first and last
        window w as (order by s.day)) x
    where x.value >= amount order by x.day limit 1;
end $$;

create function gamification.period_of(period text, day date, out first date, out last date) language plpgsql immutable set search_path = pg_catalog as $$
begin
    if period = 'ever' then first := '1970-01-01'; last := '9999-12-31'; return; end if;
    first := date_trunc(period, day::timestamp);
    last := (first + case period when 'quarter' then interval '3 months' else ('1 ' || period)::interval end)::date - 1;
end $$;

create function gamification.award(member uuid, since date) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); a gamification.achievements; p record; reached numeric; evidence uuid; was gamification.user_achievements;
begin
    for a in select * from gamification.achievements x where x.organization_id = here and x.is_active and x.deleted_at is null order by x.id loop
        for p in select distinct w.first, w.last from generate_series(since, current_date, interval '1 day') g (day), gamification.period_of(a.period, g.day::date) w loop
            reached := gamification.score(member, a.metric, p.first, p.last);
            select * into was from gamification.user_achievements u where u.organization_id = here and u.achievement_id = a.id and u.member_id = member and u.period_start = p.first;
            if reached >= a.threshold then
                select r.streak_id into evidence from gamification.reached(member, a.metric, p.first, p.last, a.threshold) r;
                if was.id is null then
                    insert into gamification.user_achievements (name, achievement_id, member_id, period_start, value, evidence_id) values (a.name, a.id, member, p.first, reached, evidence);
                    perform app.notify(member, 'achievement', jsonb_build_object('en', format('You have reached: %s', a.name), 'ru', format('Вы достигли: %s', a.name),
                        'kk', format('Сіз жеттіңіз: %s', a.name)), a.description, 'gamification.achievements', a.id, null);
                else
                    update gamification.user_achievements u set value = reached, evidence_id = evidence, revoked_at = null
                    where u.organization_id = here and u.id = was.id and (u.value, u.evidence_id, u.revoked_at) is distinct from (reached, evidence, null);
                end if;
            elsif was.id is not null and was.revoked_at is null then
                update gamification.user_achievements u set value = reached, revoked_at = now() where u.organization_id = here and u.id = was.id;
            end if;
        end loop;
    end loop;
end $$;

-- Who stands where in a period. Who does not want to be seen is not there.
create function gamification.standing(metric text, first date, last date) returns table (member uuid, score numeric, reached_on date, rank integer)
language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return query select x.member_id, x.score, r.day, (dense_rank() over (order by x.score desc))::integer
    from (select s.member_id, gamification.score(s.member_id, metric, first, last) as score from gamification.daily_streaks s
          where s.organization_id = app.organization() and s.day between first and last
            and not exists (select from tenancy.settings h where h.organization_id = app.organization() and h.key = 'gamification.hidden' and h.scope = 'user'
                            and h.user_id = s.member_id and h.value = 'true' and h.deleted_at is null)
          group by 1) x
    cross join lateral gamification.reached(x.member_id, metric, first, last, x.score) r
    where x.score > 0;
end $$;

-- A period that is over stays as it was.
create function gamification.rank_one(board uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); b gamification.leaderboards; p record;
begin
    select * into b from gamification.leaderboards x where x.organization_id = here and x.id = board;
    select * into p from gamification.period_of(b.period, current_date);
    perform pg_advisory_xact_lock(hashtextextended('leaderboard ' || here || board, 0));
    insert into gamification.leaderboard_entries as e (name, leaderboard_id, period_start, member_id, score, rank, reached_on)
    select concat_ws(' ', s.rank || '.', (select m.name from iam.memberships m where m.organization_id = here and m.id = s.member)), board, p.first, s.member, s.score, s.rank, s.reached_on from gamification.standing(b.metric, p.first, p.last) s
    on conflict on constraint leaderboard_entries_once do update set name = excluded.name, score = excluded.score, rank = excluded.rank, reached_on = excluded.reached_on
    where (e.name, e.score, e.rank, e.reached_on) is distinct from (excluded.name, excluded.score, excluded.rank, excluded.reached_on);
    delete from gamification.leaderboard_entries e where e.organization_id = here and e.leaderboard_id = board and e.period_start = p.first
        and e.member_id not in (select s.member from gamification.standing(b.metric, p.first, p.last) s);
end $$;

create function gamification.rank_all() returns void language plpgsql security definer set search_path = pg_catalog as $$
declare board uuid;
begin
    for board in select b.id from gamification.leaderboards b where b.organization_id = app.organization() and b.is_active and b.deleted_at is null order by b.id loop
        perform gamification.rank_one(board);
    end loop;
end $$;

create function gamification.fill_board() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform gamification.rank_one(new.id);
    return null;
end $$;
create trigger fills after insert on gamification.leaderboards for each row execute function gamification.fill_board();

create function gamification.fill_line() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare c gamification.scorecards;
begin
    if new.metric <> 'other' then
        select * into c from gamification.scorecards x where x.organization_id = new.organization_id and x.id = new.scorecard_id;
        new.actual := gamification.score(c.member_id, new.metric, c.starts_on, c.ends_on);
    end if;
    return new;
end $$;
create trigger fills before insert or update on gamification.scorecard_lines for each row execute function gamification.fill_line();
create function gamification.fill_lines() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    update gamification.scorecard_lines l set metric = l.metric where l.organization_id = new.organization_id and l.scorecard_id = new.id;
    return null;
end $$;
create trigger fills after update on gamification.scorecards for each row
    when ((old.member_id, old.starts_on, old.ends_on) is distinct from (new.member_id, new.starts_on, new.ends_on)) execute function gamification.fill_lines();

-- Found by their names, see finance.follow_payment and crm.tell.
create function gamification.payment_counts(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare p record;
begin
    select d.assigned_to as member, coalesce(o.completed_at, y.completed_at)::date as day into p from finance.payments y
    join crm.deals d on d.organization_id = y.organization_id and d.id = y.deal_id
    left join finance.payments o on o.organization_id = y.organization_id and o.id = y.reverses_id
    where y.organization_id = app.organization() and d.organization_id = app.organization() and y.id = payment;
    perform gamification.recount(p.member, p.day);
end $$;
create function gamification.deal_changed(deal uuid, member uuid, day date) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform gamification.recount(member, day);
end $$;

-- Days on which nothing happened, up to yesterday, however long nothing ran; and who wants to be seen no more.
create function gamification.daily() returns void language plpgsql security definer set search_path = pg_catalog as $$
declare s record;
begin
    for s in select x.member_id, max(x.day) as last from gamification.daily_streaks x where x.organization_id = app.organization() group by 1 having max(x.day) < current_date - 1 order by 1 loop
        perform gamification.recount(s.member_id, s.last + 1);
    end loop;
    perform gamification.rank_all();
end $$;
revoke execute on function gamification.daily() from public;

-- For `fondaco verify`: streaks that do not follow from the day before.
create function gamification.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    select s.organization_id, format('streak of %s on %s: it is %s, the day before says %s', m.name, s.day, s.streak_count, coalesce(b.streak_count, 0) + 1)
    from gamification.daily_streaks s join iam.memberships m on m.organization_id = s.organization_id and m.id = s.member_id
    left join gamification.daily_streaks b on b.organization_id = s.organization_id and b.member_id = s.member_id and b.day = s.day - 1
    where s.is_active_day and s.streak_count <> coalesce(b.streak_count, 0) + 1
    union all
    select s.organization_id, format('%s on %s: %s payments are told, %s count', m.name, s.day, s.payments_received, coalesce(p.count, 0))
    from gamification.daily_streaks s join iam.memberships m on m.organization_id = s.organization_id and m.id = s.member_id
    join tenancy.organizations o on o.id = s.organization_id
    left join (select y.organization_id, k.assigned_to, (y.completed_at at time zone t.time_zone)::date as day, count(*) from finance.payments y
               join crm.deals k on k.organization_id = y.organization_id and k.id = y.deal_id join tenancy.organizations t on t.id = y.organization_id
               where y.status = 'completed' and y.reverses_id is null and y.reversed < y.amount group by 1, 2, 3) p
        on p.organization_id = s.organization_id and p.assigned_to = s.member_id and p.day = s.day
    where s.payments_received <> coalesce(p.count, 0);
end $$;
comment on function gamification.verify() is 'Days that are not what deals and payments make of them.';
