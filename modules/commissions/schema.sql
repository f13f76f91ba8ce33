create schema commissions;
comment on schema commissions is 'What salespeople earn on money that came in, by which rules, and when it is paid out.';

create table commissions.commission_policies (
    like app.record including all,
    code             text not null constraint policy_has_a_code check (code ~ '\S' and length(code) <= 30),
    revision         integer not null default 1,
    name             text not null constraint policy_has_a_name check (name ~ '\S' and length(name) <= 200),
    status           text not null,
    base             text not null default 'revenue' check (base in ('revenue', 'margin', 'cash')),
    method           text not null default 'flat' check (method in ('flat', 'marginal', 'retroactive')),
    rate             app.percent not null default 0 constraint rate_is_0_to_100 check (rate between 0 and 100),
    period           text not null default 'month' check (period in ('month', 'quarter', 'year')),
    lead_percent     app.percent not null default 0 constraint lead_is_0_to_100 check (lead_percent between 0 and 100),
    floor_amount     app.money constraint floor_not_negative check (floor_amount >= 0),
    cap_amount       app.money constraint cap_not_negative check (cap_amount >= 0),
    client_status    text check (client_status in ('new', 'existing')),
    only_originals   boolean not null default false,
    waits_for_all    boolean not null default false,
    clawback_days    integer not null default 90 constraint clawback_is_reasonable check (clawback_days between 0 and 3650),
    valid_from       date not null default current_date,
    valid_to         date,
    activated_at     timestamptz,
    retired_at       timestamptz,
    note             app.textarea,
    constraint policies_revision unique (organization_id, code, revision),
    constraint policy_ends_after_it_starts check (valid_to >= valid_from),
    constraint cap_above_floor check (cap_amount >= floor_amount)
);
comment on table commissions.commission_policies is 'By which rules a commission is reckoned. What is in force is not changed: it gets another revision.';
comment on column commissions.commission_policies.revision is 'Counts the versions of the policy.';
comment on column commissions.commission_policies.base is 'Of what: revenue without tax, what is left of it after costs, or the cash as it came in.';
comment on column commissions.commission_policies.method is 'Flat: one rate. Marginal: each step has its rate. Retroactive: the rate of the step reached counts for all of the period.';
comment on column commissions.commission_policies.period is 'In which the steps are climbed, from nothing.';
comment on column commissions.commission_policies.lead_percent is 'What the manager of whoever made the deal has of it.';
comment on column commissions.commission_policies.floor_amount is 'The least for a period with anything in it, for each person.';
comment on column commissions.commission_policies.cap_amount is 'The most for a period, for each person.';
comment on column commissions.commission_policies.client_status is 'Only for deals with new clients, or with existing ones.';
comment on column commissions.commission_policies.only_originals is 'Not for deals that repeat another.';
comment on column commissions.commission_policies.waits_for_all is 'Pending until the deal is paid in full.';
comment on column commissions.commission_policies.clawback_days is 'So many days afterwards, the last one included, money that goes back takes its commission with it.';
comment on constraint policy_has_a_code on commissions.commission_policies is 'A policy''s code has 1 to 30 characters.';
comment on constraint policy_has_a_name on commissions.commission_policies is 'A policy''s name has 1 to 200 characters.';
comment on constraint rate_is_0_to_100 on commissions.commission_policies is 'A rate goes from 0 to 100 percent.';
comment on constraint lead_is_0_to_100 on commissions.commission_policies is 'A share goes from 0 to 100 percent.';
comment on constraint floor_not_negative on commissions.commission_policies is 'Less than nothing is not paid.';
comment on constraint cap_not_negative on commissions.commission_policies is 'Less than nothing is not paid.';
comment on constraint clawback_is_reasonable on commissions.commission_policies is 'It is 0 to 3650 days.';
comment on constraint policies_revision on commissions.commission_policies is 'There is this revision of the policy already.';
comment on constraint policy_ends_after_it_starts on commissions.commission_policies is 'A policy cannot end before it starts.';
comment on constraint cap_above_floor on commissions.commission_policies is 'The most is not less than the least.';

create table commissions.commission_policy_tiers (
    like app.record including all,
    policy_id    uuid not null,
    from_amount  app.money not null constraint tier_not_negative check (from_amount >= 0),
    rate         app.percent not null constraint rate_is_0_to_100 check (rate between 0 and 100),
    constraint tiers_once unique (organization_id, policy_id, from_amount),
    constraint tiers_policy foreign key (organization_id, policy_id) references commissions.commission_policies on delete cascade
);
comment on table commissions.commission_policy_tiers is 'A step of a policy: whoever has reached this amount in the period is on it.';
comment on constraint tier_not_negative on commissions.commission_policy_tiers is 'A step begins at nothing or more.';
comment on constraint rate_is_0_to_100 on commissions.commission_policy_tiers is 'A rate goes from 0 to 100 percent.';
comment on constraint tiers_once on commissions.commission_policy_tiers is 'One step begins at an amount.';

create table commissions.commission_policy_accelerators (
    like app.record including all,
    policy_id     uuid not null,
    from_percent  app.percent not null constraint attainment_is_reasonable check (from_percent between 0 and 900),
    multiplier    numeric(6,4) not null constraint multiplier_is_reasonable check (multiplier > 0 and multiplier <= 10),
    constraint accelerators_once unique (organization_id, policy_id, from_percent),
    constraint accelerators_policy foreign key (organization_id, policy_id) references commissions.commission_policies on delete cascade
);
comment on table commissions.commission_policy_accelerators is 'By what the commission of a period is multiplied for whoever has reached so much of his target.';
comment on constraint attainment_is_reasonable on commissions.commission_policy_accelerators is 'It is 0 to 900 percent of the target.';
comment on constraint multiplier_is_reasonable on commissions.commission_policy_accelerators is 'A multiplier is more than 0 and at most 10.';
comment on constraint accelerators_once on commissions.commission_policy_accelerators is 'One multiplier begins at a percentage.';

create table commissions.commission_policy_products (
    like app.record including all,
    policy_id    uuid not null,
    product_id   uuid,
    category_id  uuid,
    note         text,
    constraint policy_products_policy foreign key (organization_id, policy_id) references commissions.commission_policies on delete cascade,
    constraint policy_products_product foreign key (organization_id, product_id) references products.products,
    constraint policy_products_category foreign key (organization_id, category_id) references products.categories,
    constraint product_or_category check (num_nonnulls(product_id, category_id) > 0)
);
comment on table commissions.commission_policy_products is 'What a policy is for: a product, or all of a category. A policy with none is for everything.';
comment on constraint product_or_category on commissions.commission_policy_products is 'Name a product or a category.';

create table commissions.performance_targets (
    like app.record including all,
    member_id  uuid not null,
    metric     text not null default 'revenue' check (metric in ('revenue', 'margin', 'cash', 'deals', 'payments')),
    starts_on  date not null,
    ends_on    date not null,
    target     app.money not null constraint target_is_positive check (target > 0),
    note       app.textarea,
    constraint targets_member foreign key (organization_id, member_id) references iam.memberships,
    constraint target_ends_after_it_starts check (ends_on >= starts_on)
);
comment on table commissions.performance_targets is 'What somebody is to reach from one day through another; of several for the same days, the latest counts.';
comment on constraint target_is_positive on commissions.performance_targets is 'A target is more than nothing.';
comment on constraint target_ends_after_it_starts on commissions.performance_targets is 'A target cannot end before it starts.';

create table commissions.commission_payments (
    like app.record including all,
    number        text not null default app.next_number('CP'),
    agent_id      uuid not null,
    period_end    date not null default current_date,
    status        text not null,
    currency      text references app.currencies,
    final_amount  app.money not null default 0,
    paid_at       timestamptz,
    reference     text,
    note          app.textarea,
    constraint commission_payments_number unique (organization_id, number),
    constraint commission_payments_agent foreign key (organization_id, agent_id) references iam.memberships
);
comment on table commissions.commission_payments is 'What somebody is paid out at once: everything approved that was earned until a day, and was not paid out before.';
comment on column commissions.commission_payments.period_end is 'The last day that counts.';
comment on constraint commission_payments_number on commissions.commission_payments is 'There is a settlement with this number already.';

create table commissions.commissions (
    like app.record including all,
    name                   text not null,
    agent_id               uuid not null,
    kind                   text not null default 'accrual' check (kind in ('accrual', 'clawback', 'correction')),
    status                 text not null,
    policy_id              uuid,
    deal_id                uuid,
    payment_id             uuid,
    original_id            uuid,
    earned_on              date not null default current_date,
    period_start           date not null,
    position               integer not null,
    is_lead                boolean not null default false,
    share_percent          numeric(12,6) not null default 100,
    before_amount          app.money not null default 0,
    base_amount            app.money not null default 0,
    rate                   app.percent not null default 0 constraint rate_is_0_to_100 check (rate between 0 and 100),
    multiplier             numeric(6,4) not null default 1,
    commission_amount      app.money not null default 0,
    true_up_amount         app.money not null default 0,
    bonus_amount           app.money not null default 0 constraint bonus_not_negative check (bonus_amount >= 0),
    penalty_amount         app.money not null default 0 constraint penalty_not_negative check (penalty_amount >= 0),
    final_amount           app.money not null generated always as (commission_amount + bonus_amount - penalty_amount) stored,
    currency               text references app.currencies,
    exchange_rate          numeric(20,10) not null default 1,
    reason                 text,
    approved_by            uuid,
    approved_at            timestamptz,
    paid_at                timestamptz,
    commission_payment_id  uuid,
    trace                  jsonb not null default '{}',
    constraint commissions_once unique (organization_id, payment_id, agent_id, policy_id),
    constraint commissions_position unique (organization_id, agent_id, policy_id, period_start, position),
    constraint commissions_agent foreign key (organization_id, agent_id) references iam.memberships,
    constraint commissions_approved foreign key (organization_id, approved_by) references iam.memberships,
    constraint commissions_policy foreign key (organization_id, policy_id) references commissions.commission_policies,
    constraint commissions_deal foreign key (organization_id, deal_id) references crm.deals,
    constraint commissions_payment foreign key (organization_id, payment_id) references finance.payments,
    constraint commissions_original foreign key (organization_id, original_id) references commissions.commissions,
    constraint commissions_settlement foreign key (organization_id, commission_payment_id) references commissions.commission_payments,
    constraint made_by_a_payment check (kind = 'correction' or num_nonnulls(policy_id, deal_id, payment_id) = 3),
    constraint takes_back_another check ((kind = 'accrual') = (original_id is null))
);
comment on table commissions.commissions is 'What somebody earned on a payment that counts, with the whole reckoning.';
comment on column commissions.commissions.name is 'The payment and the deal.';
comment on column commissions.commissions.kind is 'Earned; taken back with money that went back; put right by hand.';
comment on column commissions.commissions.period_start is 'The period whose steps were climbed.';
comment on column commissions.commissions.is_lead is 'As the manager of whoever made the deal.';
comment on column commissions.commissions.before_amount is 'What was reached in the period before; of what is taken back: how much of the payment had gone back before.';
comment on column commissions.commissions.base_amount is 'What it is reckoned from, in the currency of our books.';
comment on column commissions.commissions.true_up_amount is 'How much of it makes good for what came before in the period, at the rate reached now.';
comment on column commissions.commissions.exchange_rate is 'From the currency of the payment into that of our books.';
comment on column commissions.commissions.trace is 'How it was reckoned, step by step.';
comment on constraint rate_is_0_to_100 on commissions.commissions is 'A rate goes from 0 to 100 percent.';
comment on constraint bonus_not_negative on commissions.commissions is 'A bonus is not negative.';
comment on constraint penalty_not_negative on commissions.commissions is 'A penalty is not negative.';
comment on constraint commissions_once on commissions.commissions is 'This payment has given this commission already.';
comment on constraint made_by_a_payment on commissions.commissions is 'A commission is of a policy, a deal and a payment.';
comment on constraint takes_back_another on commissions.commissions is 'What is taken back or put right names what it was.';
create index commissions_earned on commissions.commissions (organization_id, agent_id, earned_on);

select app.enroll('commissions.commission_policies');
select app.enroll_part('commissions.commission_policy_tiers', 'commissions.commission_policies', 'policy_id');
select app.enroll_part('commissions.commission_policy_accelerators', 'commissions.commission_policies', 'policy_id');
select app.enroll_part('commissions.commission_policy_products', 'commissions.commission_policies', 'policy_id');
select app.enroll('commissions.performance_targets', owner => 'member_id');
select app.enroll('commissions.commission_payments', owner => 'agent_id');
select app.enroll('commissions.commissions', owner => 'agent_id');
select app.workflow('commissions.commission_policies', 'status', $$
    draft  -> active  : activate
    active -> retired : retire
$$);
select app.editable_in('commissions.commission_policies', 'status', '{draft}', keep => '{valid_to,activated_at,retired_at,note}');
select app.derive('commissions.commission_policies', '{revision,activated_at,retired_at}');
select app.workflow('commissions.commission_payments', 'status', $$
    draft -> paid      : pay
    draft -> cancelled : cancel
$$);
select app.total('commissions.commission_payments', 'commissions.commissions', 'commission_payment_id', 'final_amount');
select app.derive('commissions.commission_payments', '{agent_id,period_end,currency,paid_at}');
select app.workflow('commissions.commissions', 'status', $$
    pending  -> accrued     : auto
    accrued  -> approved    : approve
    approved -> paid        : auto
    pending  -> clawed_back : auto
    accrued  -> clawed_back : auto
    approved -> clawed_back : auto
    paid     -> clawed_back : auto
$$);
select app.derive('commissions.commissions', '{name,agent_id,kind,policy_id,deal_id,payment_id,original_id,earned_on,period_start,position,is_lead,share_percent,before_amount,base_amount,rate,
    multiplier,commission_amount,true_up_amount,currency,exchange_rate,approved_by,approved_at,paid_at,commission_payment_id,trace}');

-- DEFINITIONS 15, as pure functions. `terms`: {method, rate, tiers: [{from, rate}], accelerators: [{from, multiplier}], target, floor, cap, digits}.
-- The step that an amount is on: whoever has reached the amount where a step begins is on it.
create function commissions.rate_at(terms jsonb, amount numeric) returns numeric language plpgsql immutable set search_path = pg_catalog as $$
begin
    if terms ->> 'method' = 'flat' then return (terms ->> 'rate')::numeric; end if;
    return coalesce((select (t ->> 'rate')::numeric from jsonb_array_elements(terms -> 'tiers') t
        where (t ->> 'from')::numeric <= amount order by (t ->> 'from')::numeric desc limit 1), 0);
end $$;

create function commissions.multiplier_at(terms jsonb, amount numeric) returns numeric language plpgsql immutable set search_path = pg_catalog as $$
begin
    return coalesce((select (a ->> 'multiplier')::numeric from jsonb_array_elements(terms -> 'accelerators') a
        where (terms ->> 'target')::numeric > 0 and (a ->> 'from')::numeric <= amount * 100 / (terms ->> 'target')::numeric
        order by (a ->> 'from')::numeric desc limit 1), 1);
end $$;

-- What a whole period with this amount comes to before multiplier, floor and cap.
create function commissions.tiered(terms jsonb, amount numeric) returns numeric language plpgsql immutable set search_path = pg_catalog as $$
begin
    if terms ->> 'method' <> 'marginal' then return amount * commissions.rate_at(terms, amount) / 100; end if;
    return (select coalesce(sum(t.rate / 100 * greatest(0, least(amount, t.upto) - t.start)), 0)
        from (select (x ->> 'rate')::numeric as rate, (x ->> 'from')::numeric as start,
                  coalesce(lead((x ->> 'from')::numeric) over (order by (x ->> 'from')::numeric), amount) as upto
              from jsonb_array_elements(terms -> 'tiers') x) t);
end $$;

-- What a period with this amount comes to. All that happens in a period is a difference of two of these, so the order in
-- which money comes in does not change what the period comes to.
create function commissions.earned(terms jsonb, amount numeric) returns numeric language plpgsql immutable set search_path = pg_catalog as $$
begin
    if amount <= 0 then return 0; end if;
    return least(greatest(round(commissions.tiered(terms, amount) * commissions.multiplier_at(terms, amount), (terms ->> 'digits')::integer),
        coalesce((terms ->> 'floor')::numeric, 0)), (terms ->> 'cap')::numeric);
end $$;

-- One event: f(before + base) - f(before), with every step that leads there.
create function commissions.reckon(terms jsonb, before numeric, base numeric) returns jsonb language plpgsql immutable set search_path = pg_catalog as $$
declare
    upto constant numeric := before + base;
    digits constant integer := (terms ->> 'digits')::integer;
    amount constant numeric := commissions.earned(terms, upto) - commissions.earned(terms, before);
    was constant numeric := commissions.multiplier_at(terms, before); becomes constant numeric := commissions.multiplier_at(terms, upto);
    rate numeric := commissions.rate_at(terms, upto); own numeric; rest numeric; steps jsonb := '[]'; t record;
begin
    if terms ->> 'method' = 'marginal' then
        own := commissions.tiered(terms, upto) - commissions.tiered(terms, before);
        rate := case when base = 0 then 0 else round(own * 100 / base, 6) end;
        for t in select x.rate, x.start, least(upto, x.stop) - greatest(before, x.start) as part
            from (select (e ->> 'rate')::numeric as rate, (e ->> 'from')::numeric as start,
                      coalesce(lead((e ->> 'from')::numeric) over (order by (e ->> 'from')::numeric), upto) as stop from jsonb_array_elements(terms -> 'tiers') e) x
            where least(upto, x.stop) > greatest(before, x.start) order by x.start
        loop
            steps := steps || jsonb_build_object('step', 'tier', 'from', trim_scale(t.start)::text, 'amount', trim_scale(t.part)::text,
                'rate', trim_scale(t.rate)::text, 'result', trim_scale(round(t.part * t.rate / 100, digits))::text);
        end loop;
    else
        own := base * rate / 100;
        steps := steps || jsonb_build_object('step', 'rate', 'amount', trim_scale(base)::text, 'rate', trim_scale(rate)::text, 'result', trim_scale(round(own, digits))::text);
    end if;
    if becomes <> 1 or was <> 1 then
        steps := steps || jsonb_build_object('step', 'accelerated', 'target', terms ->> 'target', 'attainment', trim_scale(round(upto * 100 / (terms ->> 'target')::numeric, 2))::text,
            'multiplier', trim_scale(becomes)::text, 'result', trim_scale(round(own * becomes, digits))::text);
    end if;
    -- What came before in the period, at the rate and with the multiplier reached now.
    rest := round(commissions.tiered(terms, upto) * becomes, digits) - round(commissions.tiered(terms, before) * was, digits) - round(own * becomes, digits);
    if rest <> 0 and before > 0 and (terms ->> 'method' = 'retroactive' and commissions.rate_at(terms, before) <> rate or was <> becomes) then
        steps := steps || jsonb_build_object('step', 'true_up', 'amount', trim_scale(before)::text, 'result', trim_scale(rest)::text);
    else
        rest := 0;
    end if;
    if amount <> round(own * becomes, digits) + rest then
        if commissions.earned(terms, upto) = (terms ->> 'cap')::numeric then
            steps := steps || jsonb_build_object('step', 'capped', 'limit', terms ->> 'cap', 'result', trim_scale(amount)::text);
        elsif commissions.earned(terms, upto) = (terms ->> 'floor')::numeric or commissions.earned(terms, before) = (terms ->> 'floor')::numeric then
            steps := steps || jsonb_build_object('step', 'floored', 'limit', terms ->> 'floor', 'result', trim_scale(amount)::text);
        else
            steps := steps || jsonb_build_object('step', 'rounded', 'result', trim_scale(amount)::text);
        end if;
    end if;
    return jsonb_build_object('amount', trim_scale(amount)::text, 'rate', trim_scale(rate)::text, 'multiplier', trim_scale(becomes)::text,
        'true_up', trim_scale(rest)::text, 'steps', steps);
end $$;
comment on function commissions.reckon(jsonb, numeric, numeric) is 'The commission of one event in a period, with the steps that lead to it.';

-- Parts that sum to the whole: each rounded down, what is left goes to those who lost most, the first of equals.
create function commissions.split(amount numeric, weights numeric[], digits integer) returns numeric[] language plpgsql immutable set search_path = pg_catalog as $$
declare unit constant numeric := power(10::numeric, -digits); whole constant numeric := (select sum(w) from unnest(weights) w); parts numeric[]; left_over integer;
begin
    select array_agg(trunc(amount * w / whole, digits) order by n) into parts from unnest(weights) with ordinality u (w, n);
    left_over := abs((amount - (select sum(p) from unnest(parts) p)) / unit);
    return (select array_agg(round(x.part + case when x.place <= left_over then sign(amount) * unit else 0 end, digits) order by x.n)
        from (select u.n, u.part, row_number() over (order by abs(amount * weights[u.n] / whole - u.part) desc, u.n) as place
              from unnest(parts) with ordinality u (part, n)) x);
end $$;
comment on function commissions.split(numeric, numeric[], integer) is 'Largest remainder: parts in proportion to their weights that sum to the amount exactly.';

-- What is taken back of an amount when so much of its payment has gone back before, and goes back now.
create function commissions.taken_back(amount numeric, payment numeric, before numeric, now numeric, digits integer) returns numeric language sql immutable parallel safe
return round(amount * before / payment, digits) - round(amount * (before + now) / payment, digits);

-- What of a payment a policy counts, in the currency of our books: its share of the lines in scope, without tax, or what
-- is left of that after costs, or with tax.
create function commissions.base_of(p finance.payments, y commissions.commission_policies) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare d crm.deals; counted numeric; scoped constant boolean := exists (select from commissions.commission_policy_products s
    where s.organization_id = y.organization_id and s.policy_id = y.id and s.deleted_at is null);
begin
    select * into d from crm.deals x where x.organization_id = p.organization_id and x.id = p.deal_id;
    if d.gross = 0 then counted := case when scoped then 0 else p.amount end;
    else
        select greatest(coalesce(sum(case y.base when 'cash' then l.gross when 'margin' then l.margin else l.net end), 0), 0) * p.amount / d.gross into counted
        from crm.deal_lines l left join products.products g on g.organization_id = l.organization_id and g.id = l.product_id
        where l.organization_id = d.organization_id and l.deal_id = d.id and l.deleted_at is null
          and (not scoped or exists (select from commissions.commission_policy_products s where s.organization_id = y.organization_id and s.policy_id = y.id and s.deleted_at is null
                                     and (s.product_id = l.product_id or s.category_id = g.category_id)));
    end if;
    return round(round(counted, p.digits) * p.exchange_rate, coalesce(app.digits(parties.home_currency(p.organization_id)), 2));
end $$;

create function commissions.applies(p finance.payments, y commissions.commission_policies) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
declare zone constant text := (select o.time_zone from tenancy.organizations o where o.id = p.organization_id);
begin
    return y.activated_at <= p.completed_at and coalesce(y.retired_at > p.completed_at, true) and y.deleted_at is null
        and (p.completed_at at time zone zone)::date between y.valid_from and coalesce(y.valid_to, 'infinity')
        and exists (select from crm.deals d where d.organization_id = p.organization_id and d.id = p.deal_id
            and (y.client_status is null or y.client_status = d.client_status) and (d.is_original or not y.only_originals));
end $$;

create function commissions.period_end(period text, starts date) returns date language sql immutable parallel safe
return (starts + case period when 'year' then interval '1 year' when 'quarter' then interval '3 months' else interval '1 month' end)::date - 1;

create function commissions.terms_of(y commissions.commission_policies, agent uuid, period_start date) returns jsonb language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return jsonb_build_object('method', y.method, 'rate', trim_scale(y.rate)::text, 'digits', coalesce(app.digits(parties.home_currency(y.organization_id)), 2),
        'floor', trim_scale(y.floor_amount)::text, 'cap', trim_scale(y.cap_amount)::text,
        'tiers', (select coalesce(jsonb_agg(jsonb_build_object('from', trim_scale(t.from_amount)::text, 'rate', trim_scale(t.rate)::text) order by t.from_amount), '[]')
                  from commissions.commission_policy_tiers t where t.organization_id = y.organization_id and t.policy_id = y.id and t.deleted_at is null),
        'accelerators', (select coalesce(jsonb_agg(jsonb_build_object('from', trim_scale(a.from_percent)::text, 'multiplier', trim_scale(a.multiplier)::text) order by a.from_percent), '[]')
                  from commissions.commission_policy_accelerators a where a.organization_id = y.organization_id and a.policy_id = y.id and a.deleted_at is null),
        'target', (select trim_scale(g.target)::text from commissions.performance_targets g where g.organization_id = y.organization_id and g.member_id = agent
                  and g.metric = y.base and g.starts_on = terms_of.period_start and g.ends_on = commissions.period_end(y.period, terms_of.period_start) and g.deleted_at is null
                  order by g.created_at desc, g.id desc limit 1));
end $$;

-- Who has which part of a deal: whoever is responsible what the others leave him, his manager what the policy says.
create function commissions.parties_to(d crm.deals, lead_percent numeric) returns table (agent uuid, weight numeric, leads boolean)
language plpgsql stable security definer set search_path = pg_catalog as $$
declare manager uuid := (select m.manager_id from iam.memberships m where m.organization_id = d.organization_id and m.id = d.assigned_to); above numeric;
begin
    above := case when manager is null then 0 else lead_percent end;
    return query select w.who, sum(w.part), bool_and(w.above) from (
        select d.assigned_to as who, (100 - above) * (100 - d.shared_percent) / 100 as part, false as above
        union all
        select s.member_id, (100 - above) * s.shared_percent / 100, false from crm.deal_shares s
        where s.organization_id = d.organization_id and s.deal_id = d.id and s.deleted_at is null
        union all
        select manager, above, true
    ) w where w.who is not null and w.part > 0 group by w.who order by w.who;
end $$;

-- Found by its name when a payment counts, see finance.follow_payment. Whoever has a part is locked, in the order of
-- their ids, so that what was reached before is known to each event.
create function commissions.payment_counts(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); p finance.payments; d crm.deals; agent uuid;
begin
    select * into p from finance.payments x where x.organization_id = here and x.id = payment;
    if p.deal_id is null then return; end if;
    select * into d from crm.deals x where x.organization_id = here and x.id = p.deal_id;
    for agent in select x.agent_id from commissions.commissions x where x.organization_id = here and x.payment_id = p.reverses_id
        union select a.agent from commissions.parties_to(d, 100) a union select a.agent from commissions.parties_to(d, 0) a order by 1
    loop
        perform pg_advisory_xact_lock(hashtextextended('commissions ' || here || agent, 0));
    end loop;
    if p.reverses_id is null then perform commissions.accrue(p, d); else perform commissions.claw_back(p); end if;
    if d.payment_status = 'paid' then
        update commissions.commissions c set status = 'accrued' where c.organization_id = here and c.deal_id = d.id and c.status = 'pending';
        update commissions.commissions c set status = 'approved' where c.organization_id = here and c.deal_id = d.id and c.status = 'accrued' and c.kind = 'clawback';
    end if;
end $$;

create function commissions.accrue(p finance.payments, d crm.deals) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    y commissions.commission_policies; whole numeric; agents uuid[]; weights numeric[]; leads boolean[]; parts numeric[]; made uuid; n integer;
    starts date; before numeric; place integer; terms jsonb; told jsonb; currency constant text := parties.home_currency(p.organization_id);
begin
    for y in select * from commissions.commission_policies x where x.organization_id = p.organization_id and x.status <> 'draft' and commissions.applies(p, x) order by x.code, x.revision loop
        whole := commissions.base_of(p, y);
        select array_agg(a.agent order by a.agent), array_agg(a.weight order by a.agent), array_agg(a.leads order by a.agent) into agents, weights, leads
        from commissions.parties_to(d, y.lead_percent) a;
        if whole = 0 or agents is null then continue; end if;
        parts := commissions.split(whole, weights, coalesce(app.digits(currency), 2));
        starts := date_trunc(y.period, current_date);
        for n in 1 .. cardinality(agents) loop
            select coalesce(sum(c.base_amount), 0), coalesce(max(c.position), 0) + 1 into before, place from commissions.commissions c
            where c.organization_id = p.organization_id and c.agent_id = agents[n] and c.policy_id = y.id and c.period_start = starts;
            terms := commissions.terms_of(y, agents[n], starts);
            told := commissions.reckon(terms, before, parts[n]);
            insert into commissions.commissions (id, name, agent_id, policy_id, deal_id, payment_id, period_start, position, is_lead, share_percent, before_amount, base_amount, rate, multiplier,
                commission_amount, true_up_amount, currency, exchange_rate, trace)
            values (app.new_id(), concat_ws(' · ', p.number, d.number), agents[n], y.id, d.id, p.id, starts, place, leads[n], weights[n], before, parts[n], (told ->> 'rate')::numeric, (told ->> 'multiplier')::numeric,
                (told ->> 'amount')::numeric, (told ->> 'true_up')::numeric, currency, p.exchange_rate,
                jsonb_build_object('policy', jsonb_build_object('code', y.code, 'revision', y.revision, 'name', y.name, 'base', y.base), 'terms', terms, 'amount', told ->> 'amount',
                    'currency', currency, 'steps', jsonb_build_array(
                        jsonb_build_object('step', 'paid', 'of', d.number, 'payment', p.number, 'amount', trim_scale(p.amount)::text, 'currency', p.currency),
                        jsonb_build_object('step', y.base, 'rate', trim_scale(p.exchange_rate)::text, 'result', trim_scale(whole)::text),
                        jsonb_build_object('step', 'share', 'percent', trim_scale(round(weights[n], 4))::text, 'result', trim_scale(parts[n])::text),
                        jsonb_build_object('step', 'reached', 'since', starts, 'before', trim_scale(before)::text, 'result', trim_scale(before + parts[n])::text))
                    || (told -> 'steps')))
            returning id into made;
            if not y.waits_for_all then
                update commissions.commissions c set status = 'accrued' where c.organization_id = p.organization_id and c.id = made;
            end if;
        end loop;
    end loop;
end $$;

-- Money that goes back within the window takes its commission with it, at the rate that it was earned at.
create function commissions.claw_back(p finance.payments) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare o commissions.commissions; paid finance.payments; y commissions.commission_policies; made uuid; base numeric; amount numeric; digits integer; before numeric;
begin
    select * into paid from finance.payments x where x.organization_id = p.organization_id and x.id = p.reverses_id;
    before := paid.reversed - p.amount;
    digits := coalesce(app.digits(parties.home_currency(p.organization_id)), 2);
    for o in select * from commissions.commissions c where c.organization_id = p.organization_id and c.payment_id = p.reverses_id and c.kind = 'accrual' order by c.id loop
        select * into y from commissions.commission_policies x where x.organization_id = p.organization_id and x.id = o.policy_id;
        if current_date > o.earned_on + y.clawback_days then continue; end if;
        base := commissions.taken_back(o.base_amount, paid.amount, before, p.amount, digits);
        amount := commissions.taken_back(o.commission_amount, paid.amount, before, p.amount, digits);
        insert into commissions.commissions (id, name, agent_id, kind, policy_id, deal_id, payment_id, original_id, period_start, position, is_lead, share_percent, before_amount, base_amount, rate, multiplier,
            commission_amount, currency, exchange_rate, reason, trace)
        select app.new_id(), concat_ws(' · ', p.number, o.name), o.agent_id, 'clawback', o.policy_id, o.deal_id, p.id, o.id, o.period_start,
            (select max(c.position) + 1 from commissions.commissions c where c.organization_id = o.organization_id and c.agent_id = o.agent_id and c.policy_id = o.policy_id and c.period_start = o.period_start),
            o.is_lead, o.share_percent, before, base, o.rate, o.multiplier, amount, o.currency, o.exchange_rate, p.note,
            jsonb_build_object('policy', o.trace -> 'policy', 'amount', trim_scale(amount)::text, 'currency', o.currency, 'steps', jsonb_build_array(
                jsonb_build_object('step', 'earned', 'payment', paid.number, 'on', o.earned_on, 'amount', trim_scale(o.commission_amount)::text),
                jsonb_build_object('step', 'returned', 'payment', p.number, 'amount', trim_scale(p.amount)::text, 'of', trim_scale(paid.amount)::text, 'before', trim_scale(before)::text,
                    'until', o.earned_on + y.clawback_days, 'result', trim_scale(amount)::text)))
        returning id into made;
        if o.status <> 'pending' then
            update commissions.commissions c set status = 'accrued' where c.organization_id = p.organization_id and c.id = made;
            update commissions.commissions c set status = 'approved' where c.organization_id = p.organization_id and c.id = made;
        end if;
        if paid.reversed = paid.amount then
            update commissions.commissions c set status = 'clawed_back' where c.organization_id = p.organization_id and c.id = o.id and not exists (
                select from commissions.commissions k where k.organization_id = p.organization_id and k.original_id = o.id and k.kind = 'clawback'
                having sum(k.commission_amount) <> -o.commission_amount);
        end if;
    end loop;
end $$;

-- Commissions are made by payments alone, and stay; who earned one does not approve it.
create function commissions.guard() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'INSERT' then
        if current_user = 'app_user' then raise exception 'Commissions are made by payments that count.' using errcode = 'AP001'; end if;
    elsif new.deleted_at is distinct from old.deleted_at then
        raise exception 'A commission stays; what was wrong is put right by a correction.' using errcode = 'AP001';
    elsif new.status = 'approved' and old.status = 'accrued' then
        if new.kind <> 'clawback' and new.agent_id = app.actor() then
            raise exception 'Nobody approves his own commission.' using errcode = 'AP001';
        end if;
        new.approved_by := app.actor(); new.approved_at := now();
    end if;
    return new;
end $$;
create trigger guards before insert or update on commissions.commissions for each row execute function commissions.guard();
create trigger closed after update on commissions.commissions for each row when (old.commission_payment_id is not null or old.status not in ('pending', 'accrued'))
    execute function app.check_closed('status', 'commission_payment_id', 'paid_at', 'approved_by', 'approved_at', 'updated_at', 'updated_by', 'version', 'custom');

-- A correction of what was approved or paid out is a line of its own, in the next run. Body: {amount, reason}; less than nothing takes away.
create function commissions.correct(commission uuid, body jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); o commissions.commissions; wanted constant numeric := sales.read_number(body, 'amount'); made uuid := app.new_id();
begin
    select * into o from commissions.commissions c where c.organization_id = here and c.id = commission;
    if coalesce(wanted, 0) = 0 then raise exception 'Say by how much.' using errcode = 'AP001', column = 'amount'; end if;
    if coalesce(body ->> 'reason', '') !~ '\S' then raise exception 'Say why.' using errcode = 'AP001', column = 'reason'; end if;
    insert into commissions.commissions (id, name, agent_id, kind, deal_id, original_id, period_start, position, bonus_amount, penalty_amount, currency, reason)
    values (made, o.name, o.agent_id, 'correction', o.deal_id, o.id, o.period_start, 0, greatest(wanted, 0), greatest(-wanted, 0), o.currency, body ->> 'reason');
    update commissions.commissions c set status = 'accrued' where c.organization_id = here and c.id = made;
    return made;
end $$;

-- A settlement takes everything of somebody that is due and locks it; paid out, it is done; cancelled, it lets go of it.
create function commissions.settle(agent uuid, until date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); made uuid := app.new_id(); total numeric;
begin
    perform pg_advisory_xact_lock(hashtextextended('commissions ' || here || agent, 0));
    insert into commissions.commission_payments (id, agent_id, period_end, currency) values (made, agent, until, parties.home_currency(here));
    update commissions.commissions c set commission_payment_id = made
    where c.organization_id = here and c.agent_id = agent and c.commission_payment_id is null and c.status in ('approved', 'clawed_back') and c.earned_on <= until;
    if not found then raise exception 'There is nothing approved to pay out.' using errcode = 'AP001'; end if;
    select s.final_amount into total from commissions.commission_payments s where s.organization_id = here and s.id = made;
    if total <= 0 then raise exception 'More was taken back than was earned; it waits for the next run.' using errcode = 'AP001'; end if;
    perform commissions.book(made, 'settle', 'commissions', 'commissions_payable');
    return made;
end $$;

-- What is settled is spent and owed; paid out, it has left the bank.
create function commissions.book(of_settlement uuid, for_event text, debit text, credit text) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); books constant uuid := ledger.home(); s record; base numeric;
begin
    select x.*, m.name as agent into s from commissions.commission_payments x join iam.memberships m on m.organization_id = here and m.id = x.agent_id
    where x.organization_id = here and x.id = of_settlement;
    base := finance.in_books(books, s.final_amount, finance.rate(books, s.currency, current_date));
    perform ledger.post(books, case for_event when 'pay' then 'money' else 'general' end, current_date, s.number, s.agent, 'commissions.commission_payments', s.id, for_event, array[
        row (ledger.account(debit), base, s.currency, s.final_amount, null, null, null, null, null, null, null, null, s.reference)::ledger.posting,
        row (ledger.account(credit), -base, s.currency, -s.final_amount, null, null, null, null, null, null, null, null, s.reference)::ledger.posting]);
end $$;
revoke execute on function commissions.book(uuid, text, text, text) from public;

create function commissions.check_settlement() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if current_user = 'app_user' and (new.agent_id, new.period_end, new.final_amount, new.deleted_at) is distinct from (old.agent_id, old.period_end, old.final_amount, old.deleted_at) then
        raise exception 'A settlement stays as it is; cancel it and make another.' using errcode = 'AP001';
    end if;
    if new.status = 'paid' and old.status <> 'paid' then
        if new.agent_id = app.actor() then raise exception 'Nobody pays out his own commission.' using errcode = 'AP001'; end if;
        new.paid_at := now();
    end if;
    return new;
end $$;
create trigger checks before update on commissions.commission_payments for each row execute function commissions.check_settlement();

create function commissions.move_settlement() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.status = 'paid' then
        update commissions.commissions c set paid_at = now(), status = case c.status when 'approved' then 'paid' else c.status end
        where c.organization_id = new.organization_id and c.commission_payment_id = new.id;
        perform commissions.book(new.id, 'pay', 'commissions_payable', 'bank');
    else
        perform finance.unbook('commissions.commission_payments', new.id, current_date);
        update commissions.commissions c set commission_payment_id = null where c.organization_id = new.organization_id and c.commission_payment_id = new.id;
    end if;
    return null;
end $$;
create trigger moves after update on commissions.commission_payments for each row when (old.status is distinct from new.status) execute function commissions.move_settlement();

-- A policy that comes into force ends the revision before it.
create function commissions.move_policy() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if new.status = 'retired' then new.retired_at := now(); return new; end if;
    if new.method <> 'flat' and not exists (select from commissions.commission_policy_tiers t where t.organization_id = new.organization_id and t.policy_id = new.id and t.deleted_at is null) then
        raise exception 'A policy by steps needs at least one step.' using errcode = 'AP001', column = 'tiers';
    end if;
    update commissions.commission_policies y set status = 'retired' where y.organization_id = new.organization_id and y.code = new.code and y.status = 'active' and y.id <> new.id;
    new.activated_at := now();
    return new;
end $$;
create trigger moves before update on commissions.commission_policies for each row when (old.status is distinct from new.status) execute function commissions.move_policy();

create function commissions.number_policy() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    select coalesce(max(y.revision), 0) + 1 into new.revision from commissions.commission_policies y where y.organization_id = new.organization_id and y.code = new.code;
    return new;
end $$;
create trigger numbers before insert on commissions.commission_policies for each row execute function commissions.number_policy();

-- Another revision to work on, with everything that this one says.
create function commissions.revise(policy uuid) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); made uuid := app.new_id();
begin
    insert into commissions.commission_policies (id, code, name, base, method, rate, period, lead_percent, floor_amount, cap_amount, client_status, only_originals, waits_for_all, clawback_days, note)
    select made, y.code, y.name, y.base, y.method, y.rate, y.period, y.lead_percent, y.floor_amount, y.cap_amount, y.client_status, y.only_originals, y.waits_for_all, y.clawback_days, y.note
    from commissions.commission_policies y where y.organization_id = here and y.id = policy;
    insert into commissions.commission_policy_tiers (policy_id, from_amount, rate) select made, t.from_amount, t.rate from commissions.commission_policy_tiers t
    where t.organization_id = here and t.policy_id = policy and t.deleted_at is null;
    insert into commissions.commission_policy_accelerators (policy_id, from_percent, multiplier) select made, a.from_percent, a.multiplier from commissions.commission_policy_accelerators a
    where a.organization_id = here and a.policy_id = policy and a.deleted_at is null;
    insert into commissions.commission_policy_products (policy_id, product_id, category_id) select made, s.product_id, s.category_id from commissions.commission_policy_products s
    where s.organization_id = here and s.policy_id = policy and s.deleted_at is null;
    return made;
end $$;

-- What a period was reckoned with stays.
create function commissions.check_target() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare g commissions.performance_targets := coalesce(new, old);
begin
    if exists (select from commissions.commissions c join commissions.commission_policies y on y.organization_id = c.organization_id and y.id = c.policy_id and y.base = g.metric
        where c.organization_id = g.organization_id and c.agent_id = g.member_id and c.period_start = g.starts_on and commissions.period_end(y.period, c.period_start) = g.ends_on
          and exists (select from commissions.commission_policy_accelerators a where a.organization_id = y.organization_id and a.policy_id = y.id)) then
        raise exception 'Commissions of this period were reckoned already.' using errcode = 'AP001';
    end if;
    return g;
end $$;
create trigger checks before insert or update of member_id, metric, starts_on, ends_on, target, deleted_at or delete on commissions.performance_targets
    for each row execute function commissions.check_target();

-- For `fondaco verify`: policies run again from the facts, and what differs.
create function commissions.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare c record; y commissions.commission_policies; p finance.payments; weights numeric[]; base numeric; before numeric; told jsonb; amount numeric; said text;
begin
    for c in select x.*, m.name as agent, f.number as payment, row_number() over (partition by x.organization_id, x.payment_id, x.policy_id order by x.agent_id) as place
        from commissions.commissions x join iam.memberships m on m.organization_id = x.organization_id and m.id = x.agent_id
        join finance.payments f on f.organization_id = x.organization_id and f.id = x.payment_id where x.kind <> 'correction'
    loop
        said := format('commission of %s on %s', c.agent, c.payment);
        select * into p from finance.payments f where f.organization_id = c.organization_id and f.id = c.payment_id;
        select * into y from commissions.commission_policies x where x.organization_id = c.organization_id and x.id = c.policy_id;
        if c.kind = 'accrual' then
            select array_agg(s.share_percent order by s.agent_id) into weights from commissions.commissions s
            where s.organization_id = c.organization_id and s.payment_id = c.payment_id and s.policy_id = c.policy_id;
            base := (commissions.split(commissions.base_of(p, y), weights, coalesce(app.digits(c.currency), 2)))[c.place];
            select coalesce(sum(x.base_amount), 0) into before from commissions.commissions x where x.organization_id = c.organization_id and x.agent_id = c.agent_id
                and x.policy_id = c.policy_id and x.period_start = c.period_start and x.position < c.position;
            told := commissions.reckon(commissions.terms_of(y, c.agent_id, c.period_start), before, base);
            amount := (told ->> 'amount')::numeric;
            if (select sum(w) from unnest(weights) w) <> 100 then return query select c.organization_id, format('%s: its shares come to %s percent', said, (select sum(w) from unnest(weights) w)); end if;
            if before <> c.before_amount then return query select c.organization_id, format('%s: %s was reached before, it says %s', said, before, c.before_amount); end if;
        else
            base := (select commissions.taken_back(o.base_amount, f.amount, c.before_amount, p.amount, coalesce(app.digits(c.currency), 2)::integer) from commissions.commissions o
                join finance.payments f on f.organization_id = o.organization_id and f.id = o.payment_id where o.organization_id = c.organization_id and o.id = c.original_id);
            amount := (select commissions.taken_back(o.commission_amount, f.amount, c.before_amount, p.amount, coalesce(app.digits(c.currency), 2)::integer) from commissions.commissions o
                join finance.payments f on f.organization_id = o.organization_id and f.id = o.payment_id where o.organization_id = c.organization_id and o.id = c.original_id);
        end if;
        if base <> c.base_amount then return query select c.organization_id, format('%s: its base is %s, the payment says %s', said, c.base_amount, base); end if;
        if amount <> c.commission_amount then return query select c.organization_id, format('%s: it is %s, the policy says %s', said, c.commission_amount, amount); end if;
        if (c.trace ->> 'amount')::numeric is distinct from c.commission_amount then return query select c.organization_id, format('%s: it is %s, its reckoning says %s', said, c.commission_amount, c.trace ->> 'amount'); end if;
    end loop;
    return query
    select s.organization_id, format('settlement %s is %s, the books say %s', s.number, s.final_amount, b.amount)
    from commissions.commission_payments s cross join lateral (
        select coalesce(sum(l.currency_amount), 0) as amount from ledger.journal_entries e join ledger.journal_entry_lines l on l.organization_id = e.organization_id and l.entry_id = e.id
        where e.organization_id = s.organization_id and e.source = 'commissions.commission_payments' and e.source_id = s.id and e.event = 'settle' and l.currency_amount > 0
          and e.reverses_id is null and not e.is_reversed) b
    where b.amount <> s.final_amount;
    return query
    select f.organization_id, format('payment %s gave no commission by %s', f.number, x.code)
    from finance.payments f join commissions.commission_policies x on x.organization_id = f.organization_id and x.status <> 'draft'
    where f.status = 'completed' and f.completed_at is not null and f.deal_id is not null and f.reverses_id is null and commissions.applies(f, x) and commissions.base_of(f, x) <> 0
      and exists (select from crm.deals d where d.organization_id = f.organization_id and d.id = f.deal_id and d.assigned_to is not null)
      and not exists (select from commissions.commissions k where k.organization_id = f.organization_id and k.payment_id = f.id and k.policy_id = x.id)
    union all
    select f.organization_id, format('payment %s took no commission of %s back', f.number, o.id)
    from finance.payments f join commissions.commissions o on o.organization_id = f.organization_id and o.payment_id = f.reverses_id and o.kind = 'accrual'
    join commissions.commission_policies x on x.organization_id = o.organization_id and x.id = o.policy_id
    join tenancy.organizations t on t.id = f.organization_id
    where f.status = 'completed' and (f.completed_at at time zone t.time_zone)::date <= o.earned_on + x.clawback_days
      and not exists (select from commissions.commissions k where k.organization_id = f.organization_id and k.payment_id = f.id and k.original_id = o.id)
    union all
    select k.organization_id, format('commission %s is paid by no settlement', k.id) from commissions.commissions k
    left join commissions.commission_payments s on s.organization_id = k.organization_id and s.id = k.commission_payment_id and s.status = 'paid'
    where k.status = 'paid' and s.id is null;
end $$;
comment on function commissions.verify() is 'Commissions that are not what their policies make of the payments.';
