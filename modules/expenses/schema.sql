create schema expenses;
comment on schema expenses is 'What people spend for the company, and get back.';

create table expenses.expense_categories (
    like app.record including all,
    code              text not null constraint category_has_a_code check (code ~ '\S' and length(code) <= 50),
    name              text not null constraint category_has_a_name check (name ~ '\S' and length(name) <= 255),
    kind              text not null default 'receipt' check (kind in ('receipt', 'mileage', 'per_diem')),
    account_id        uuid,
    tax_id            uuid,
    limit_per_line    app.money constraint limit_is_positive check (limit_per_line > 0),
    limit_per_day     app.money constraint limit_is_positive_a_day check (limit_per_day > 0),
    limit_per_report  app.money constraint limit_is_positive_a_report check (limit_per_report > 0),
    receipt_above     app.money constraint receipt_above_not_negative check (receipt_above >= 0),
    is_active         boolean not null default true,
    note              app.textarea,
    constraint expense_categories_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint expense_categories_tax foreign key (organization_id, tax_id) references products.taxes
);
comment on table expenses.expense_categories is 'A kind of expense, with what the company pays for it. Limits are in the currency of the company.';
comment on column expenses.expense_categories.kind is 'What was paid, kilometres driven, or days away.';
comment on column expenses.expense_categories.account_id is 'Where it stands in the books.';
comment on column expenses.expense_categories.receipt_above is 'A receipt is needed above this amount; 0 is always, nothing is never.';
comment on constraint category_has_a_code on expenses.expense_categories is 'A code has 1 to 50 characters.';
comment on constraint category_has_a_name on expenses.expense_categories is 'A name has 1 to 255 characters.';
comment on constraint limit_is_positive on expenses.expense_categories is 'A limit must be more than nothing.';
comment on constraint limit_is_positive_a_day on expenses.expense_categories is 'A limit must be more than nothing.';
comment on constraint limit_is_positive_a_report on expenses.expense_categories is 'A limit must be more than nothing.';
comment on constraint receipt_above_not_negative on expenses.expense_categories is 'An amount cannot be negative.';
create unique index expense_categories_code on expenses.expense_categories (organization_id, code) where deleted_at is null;
comment on index expenses.expense_categories_code is 'There is a category with this code already.';

create table expenses.expense_rates (
    like app.record including all,
    category_id  uuid not null,
    country      text constraint country_has_two_letters check (country ~ '^[A-Z]{2}$'),
    valid_from   date not null default '2000-01-01',
    rate         app.money not null constraint rate_is_positive check (rate > 0),
    currency     text references app.currencies,
    constraint expense_rates_category foreign key (organization_id, category_id) references expenses.expense_categories on delete cascade,
    constraint expense_rates_once unique nulls not distinct (organization_id, category_id, country, valid_from)
);
comment on table expenses.expense_rates is 'What a kilometre or a day is worth, from a day on, in a country or anywhere.';
comment on column expenses.expense_rates.country is 'Empty: in every country that has no rate of its own.';
comment on constraint country_has_two_letters on expenses.expense_rates is 'A country is two capital letters, such as KZ.';
comment on constraint rate_is_positive on expenses.expense_rates is 'A rate must be more than nothing.';
comment on constraint expense_rates_once on expenses.expense_rates is 'There is a rate for this country and day already.';
comment on constraint expense_rates_currency_fkey on expenses.expense_rates is 'There is no such currency.';

create table expenses.expense_reports (
    like app.record including all,
    number         text not null default app.next_number('EXP'),
    title          text not null constraint report_has_a_title check (title ~ '\S' and length(title) <= 255),
    status         text not null,
    person_id      uuid not null default app.actor(),
    payee_id       uuid,
    currency       text references app.currencies,
    exchange_rate  numeric(20,10) constraint exchange_rate_is_positive check (exchange_rate > 0 and exchange_rate < 'Infinity'),
    digits         smallint not null default 2,
    starts_on      date,
    ends_on        date,
    workspace_id   uuid,
    dimension_id   uuid,
    total          app.money not null default 0,
    tax            app.money not null default 0,
    base_total     app.money generated always as (round(total * exchange_rate, 2)) stored,
    over_budget    text,
    submitted_on   date,
    approved_on    date,
    approved_by    uuid,
    reimbursed_on  date,
    bill_id        uuid,
    payment_id     uuid,
    reason         app.textarea,
    note           app.textarea,
    tags           text[] not null default '{}',
    constraint expense_reports_number unique (organization_id, number),
    constraint expense_reports_person foreign key (organization_id, person_id) references iam.memberships,
    constraint expense_reports_approver foreign key (organization_id, approved_by) references iam.memberships,
    constraint expense_reports_payee foreign key (organization_id, payee_id) references parties.parties,
    constraint expense_reports_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint expense_reports_dimension foreign key (organization_id, dimension_id) references ledger.dimensions,
    constraint expense_reports_bill foreign key (organization_id, bill_id) references finance.invoices,
    constraint expense_reports_payment foreign key (organization_id, payment_id) references finance.payments,
    constraint journey_ends_after_it_starts check (ends_on >= starts_on),
    constraint nobody_approves_his_own_expenses check (approved_by <> person_id)
);
comment on table expenses.expense_reports is 'What somebody spent for the company, handed in at once.';
comment on column expenses.expense_reports.person_id is 'Who spent it, and gets it back.';
comment on column expenses.expense_reports.payee_id is 'The same person as a party, for the payment.';
comment on column expenses.expense_reports.bill_id is 'The bill by which it is paid back.';
comment on column expenses.expense_reports.exchange_rate is 'What one unit of the report''s currency is worth in that of the company.';
comment on column expenses.expense_reports.over_budget is 'Budgets that it goes beyond, where they only warn.';
comment on column expenses.expense_reports.reason is 'Why it was sent back or denied.';
comment on constraint expense_reports_number on expenses.expense_reports is 'There is a report with this number already.';
comment on constraint report_has_a_title on expenses.expense_reports is 'A title has 1 to 255 characters.';
comment on constraint exchange_rate_is_positive on expenses.expense_reports is 'An exchange rate must be more than nothing.';
comment on constraint journey_ends_after_it_starts on expenses.expense_reports is 'A journey cannot end before it starts.';
comment on constraint nobody_approves_his_own_expenses on expenses.expense_reports is 'Nobody approves his own expenses.';
comment on constraint expense_reports_currency_fkey on expenses.expense_reports is 'There is no such currency.';
select app.searchable('expenses.expense_reports', 'A: number, title; C: note');

create table expenses.expense_lines (
    like app.record including all,
    report_id       uuid not null,
    position        integer,
    spent_on        date not null default current_date,
    category_id     uuid not null,
    description     text constraint description_is_short check (length(description) <= 500),
    merchant        text constraint merchant_is_short check (length(merchant) <= 255),
    country         text constraint country_has_two_letters check (country ~ '^[A-Z]{2}$'),
    quantity        app.quantity constraint quantity_is_positive check (quantity > 0),
    rate            app.money,
    amount          app.money constraint amount_is_positive check (amount > 0),
    currency        text references app.currencies,
    exchange_rate   numeric(20,10) constraint exchange_rate_is_positive check (exchange_rate > 0 and exchange_rate < 'Infinity'),
    digits          smallint not null default 2,
    total           app.money generated always as (round(amount * exchange_rate, digits)) stored,
    tax_id          uuid,
    tax_rate        app.percent constraint rate_is_0_to_100 check (tax_rate between 0 and 100),
    tax             app.money generated always as (app.line_tax(round(amount * exchange_rate, digits), tax_rate, true, digits)) stored,
    is_billable     boolean not null default false,
    customer_id     uuid,
    receipt_id      uuid,
    receipt_hash    text,
    same_receipt    text,
    note            app.textarea,
    constraint expense_lines_report foreign key (organization_id, report_id) references expenses.expense_reports on delete cascade,
    constraint expense_lines_category foreign key (organization_id, category_id) references expenses.expense_categories,
    constraint expense_lines_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint expense_lines_customer foreign key (organization_id, customer_id) references parties.parties,
    constraint expense_lines_receipt foreign key (organization_id, receipt_id) references files.files,
    constraint line_has_an_amount check (amount is not null),
    constraint billed_to_somebody check (not is_billable or customer_id is not null)
);
comment on table expenses.expense_lines is 'One thing that was paid, driven or spent away.';
comment on column expenses.expense_lines.quantity is 'Kilometres or days, where the category goes by them.';
comment on column expenses.expense_lines.rate is 'What one of them is worth.';
comment on column expenses.expense_lines.amount is 'As on the receipt, with tax.';
comment on column expenses.expense_lines.exchange_rate is 'What one unit of its currency is worth in that of the report.';
comment on column expenses.expense_lines.total is 'In the currency of the report.';
comment on column expenses.expense_lines.tax is 'Contained in it, in the currency of the report.';
comment on column expenses.expense_lines.customer_id is 'Who is billed for it.';
comment on column expenses.expense_lines.same_receipt is 'Where the same receipt was handed in before.';
comment on constraint description_is_short on expenses.expense_lines is 'A description has at most 500 characters.';
comment on constraint merchant_is_short on expenses.expense_lines is 'A name has at most 255 characters.';
comment on constraint country_has_two_letters on expenses.expense_lines is 'A country is two capital letters, such as KZ.';
comment on constraint quantity_is_positive on expenses.expense_lines is 'A quantity must be more than nothing.';
comment on constraint amount_is_positive on expenses.expense_lines is 'An amount must be more than nothing.';
comment on constraint exchange_rate_is_positive on expenses.expense_lines is 'An exchange rate must be more than nothing.';
comment on constraint rate_is_0_to_100 on expenses.expense_lines is 'A tax rate goes from 0 to 100 percent.';
comment on constraint line_has_an_amount on expenses.expense_lines is 'A line needs an amount; of kilometres or days, how many.';
comment on constraint billed_to_somebody on expenses.expense_lines is 'Name the customer who is billed for it.';
comment on constraint expense_lines_currency_fkey on expenses.expense_lines is 'There is no such currency.';
create index expense_lines_hash on expenses.expense_lines (organization_id, receipt_hash) where receipt_hash is not null and deleted_at is null;

create function expenses.rate_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.currency := coalesce(new.currency, parties.home_currency(new.organization_id));
    return new;
end $$;
create trigger defaults before insert on expenses.expense_rates for each row execute function expenses.rate_defaults();

-- What one unit of a currency is worth in another on a day, as the books know it.
create function expenses.worth(of text, into_currency text, on_day date, field text) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare r numeric;
begin
    if of = into_currency then return 1; end if;
    r := ledger.rate(of, into_currency, on_day);
    if r is null then
        raise exception 'There is no rate from % to % on %: enter one.', of, into_currency, on_day using errcode = 'AP001', column = field;
    end if;
    return r;
end $$;

create function expenses.report_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare home constant text := parties.home_currency(new.organization_id);
begin
    new.currency := coalesce(new.currency, home);
    if tg_op = 'UPDATE' and new.currency <> old.currency and new.exchange_rate = old.exchange_rate then new.exchange_rate := null; end if;
    new.exchange_rate := coalesce(new.exchange_rate, expenses.worth(new.currency, home, coalesce(new.ends_on, current_date), 'exchange_rate'));
    new.digits := coalesce(app.digits(new.currency), 2);
    if tg_op = 'UPDATE' and new.currency <> old.currency and exists (select from expenses.expense_lines l where l.organization_id = new.organization_id and l.report_id = new.id) then
        raise exception 'A report keeps its currency once it has lines.' using errcode = 'AP001', column = 'currency';
    end if;
    return new;
end $$;
create trigger defaults before insert or update of currency, exchange_rate on expenses.expense_reports for each row execute function expenses.report_defaults();

select app.enroll('expenses.expense_categories');
select app.enroll_part('expenses.expense_rates', 'expenses.expense_categories', 'category_id');
select app.enroll('expenses.expense_reports', owner => 'person_id');
select app.enroll_part('expenses.expense_lines', 'expenses.expense_reports', 'report_id');
select app.workflow('expenses.expense_reports', 'status', $$
    draft     -> submitted  : submit
    submitted -> draft      : send_back
    submitted -> approved   : approve
    submitted -> denied     : deny
    denied    -> draft      : reopen
    approved  -> reimbursed : auto
$$);
select app.editable_in('expenses.expense_reports', 'status', '{draft}',
    keep => '{over_budget,submitted_on,approved_on,approved_by,reimbursed_on,bill_id,payment_id,payee_id,reason,note,tags}');
select app.total('expenses.expense_reports', 'expenses.expense_lines', 'report_id', 'total, tax');
select app.derive('expenses.expense_reports', '{digits,over_budget,submitted_on,approved_on,approved_by,reimbursed_on,payment_id,reason}');
select app.derive('expenses.expense_reports', '{bill_id}');
select app.derive('expenses.expense_lines', '{digits,rate,receipt_hash,same_receipt}');

-- What a line starts from: the category, its rate, the day's exchange. A receipt is a file of whoever enters it; from then on
-- it hangs on the report, so that who reads the one sees the other.
create function expenses.line_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare r expenses.expense_reports; c expenses.expense_categories; found_rate expenses.expense_rates; f files.files;
begin
    select * into r from expenses.expense_reports x where x.organization_id = new.organization_id and x.id = new.report_id;
    select * into c from expenses.expense_categories x where x.organization_id = new.organization_id and x.id = new.category_id;
    new.digits := coalesce(r.digits, new.digits);
    if c.kind in ('mileage', 'per_diem') then
        if new.quantity is null then raise exception 'Say how many kilometres or days.' using errcode = 'AP001', column = 'quantity'; end if;
        select x.* into found_rate from expenses.expense_rates x
        where x.organization_id = new.organization_id and x.category_id = c.id and x.deleted_at is null and x.valid_from <= new.spent_on and (x.country is null or x.country = new.country)
        order by x.country nulls last, x.valid_from desc limit 1;
        if found_rate.id is null then raise exception 'The category % has no rate for this country and day.', c.name using errcode = 'AP001', column = 'category_id'; end if;
        new.rate := found_rate.rate;
        new.currency := found_rate.currency;
        new.amount := round(new.quantity * found_rate.rate, coalesce(app.digits(found_rate.currency), 2));
    else
        new.rate := null;
        new.currency := coalesce(new.currency, r.currency);
    end if;
    if tg_op = 'UPDATE' and new.currency <> old.currency and new.exchange_rate = old.exchange_rate then new.exchange_rate := null; end if;
    new.exchange_rate := coalesce(new.exchange_rate, expenses.worth(new.currency, r.currency, new.spent_on, 'exchange_rate'));
    if new.amount <> round(new.amount, coalesce(app.digits(new.currency), 2)) then
        raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount';
    end if;
    if tg_op = 'INSERT' and new.tax_id is null and new.tax_rate is null then new.tax_id := c.tax_id; end if;
    if tg_op = 'UPDATE' and (new.tax_id, new.spent_on) is distinct from (old.tax_id, old.spent_on) and new.tax_rate = old.tax_rate then new.tax_rate := null; end if;
    new.tax_rate := coalesce(new.tax_rate, products.tax_rate(new.tax_id, new.spent_on), 0);
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from expenses.expense_lines l where l.organization_id = new.organization_id and l.report_id = new.report_id;
    end if;
    if new.receipt_id is null then
        new.receipt_hash := null; new.same_receipt := null;
    elsif tg_op = 'INSERT' or new.receipt_id is distinct from old.receipt_id then
        select * into f from files.files x where x.organization_id = new.organization_id and x.id = new.receipt_id and x.deleted_at is null;
        if f.id is null or f.record_id is distinct from r.id and (f.created_by is distinct from app.actor() or f.record_id is not null) then
            raise exception 'Upload the receipt yourself.' using errcode = 'AP001', column = 'receipt_id';
        end if;
        update files.files x set entity = 'expenses.expense_reports', record_id = r.id where x.organization_id = new.organization_id and x.id = f.id and x.record_id is null;
        new.receipt_hash := f.sha256;
        select concat_ws(', ', x.number, l.position) into new.same_receipt from expenses.expense_lines l
        join expenses.expense_reports x on x.organization_id = l.organization_id and x.id = l.report_id and x.deleted_at is null
        where l.organization_id = new.organization_id and l.receipt_hash = f.sha256 and l.id <> new.id and l.deleted_at is null order by l.created_at limit 1;
    end if;
    return new;
end $$;
create trigger defaults before insert or update on expenses.expense_lines for each row execute function expenses.line_defaults();

-- What a report would break of the company's policy: which line, which field, and the sentence. Limits are held against
-- amounts in the currency of the company; of a day, against all reports of the person.
create function expenses.breaches(report uuid) returns table (place integer, field text, wrong text) language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r expenses.expense_reports;
begin
    select * into r from expenses.expense_reports x where x.organization_id = here and x.id = report;
    return query
    with lines as (
        select l.*, row_number() over (order by l.position, l.id)::integer - 1 as place, round(l.total * r.exchange_rate, 2) as base, c.name as category,
            c.limit_per_line, c.limit_per_day, c.limit_per_report, c.receipt_above, c.is_active,
            sum(round(l.total * r.exchange_rate, 2)) over (partition by l.category_id) as of_report
        from expenses.expense_lines l join expenses.expense_categories c on c.organization_id = here and c.id = l.category_id
        where l.organization_id = here and l.report_id = report and l.deleted_at is null
    ), days as (
        select l.category_id, l.spent_on, sum(round(l.total * x.exchange_rate, 2)) as of_day
        from expenses.expense_lines l join expenses.expense_reports x on x.organization_id = here and x.id = l.report_id
        where l.organization_id = here and x.person_id = r.person_id and (x.id = report or x.status in ('submitted', 'approved', 'reimbursed'))
          and l.deleted_at is null and x.deleted_at is null and (l.category_id, l.spent_on) in (select y.category_id, y.spent_on from lines y)
        group by 1, 2
    )
    select l.place, b.field, b.wrong from lines l join days d on d.category_id = l.category_id and d.spent_on = l.spent_on
    cross join lateral (values
        ('amount', case when l.base > l.limit_per_line then format('At most %s is paid for %s.', trim_scale(l.limit_per_line), l.category) end),
        ('amount', case when d.of_day > l.limit_per_day then format('At most %s a day is paid for %s.', trim_scale(l.limit_per_day), l.category) end),
        ('amount', case when l.of_report > l.limit_per_report then format('At most %s a report is paid for %s.', trim_scale(l.limit_per_report), l.category) end),
        ('receipt_id', case when l.base > l.receipt_above and l.receipt_id is null then format('%s above %s needs a receipt.', l.category, trim_scale(l.receipt_above)) end),
        ('spent_on', case when l.spent_on > current_date then 'This day is still to come.' end),
        ('category_id', case when not l.is_active then 'This category is not in use any more.' end)
    ) b (field, wrong) where b.wrong is not null order by l.place, b.field;
end $$;

-- Handed in, it takes from the budgets; agreed to, it is spent; given back, it takes nothing.
create function expenses.move() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare takes jsonb; warned text[];
begin
    if new.status = 'submitted' then new.submitted_on := current_date; new.reason := null;
    elsif new.status = 'approved' then new.approved_on := current_date; new.approved_by := app.actor();
    elsif new.status = 'draft' then new.submitted_on := null; new.over_budget := null;
    end if;
    if new.status in ('submitted', 'approved') then
        if not exists (select from expenses.expense_lines l where l.organization_id = new.organization_id and l.report_id = new.id and l.deleted_at is null) then
            raise exception 'A report needs at least one line.' using errcode = 'AP001';
        end if;
        select jsonb_agg(jsonb_build_object('account', c.account_id, 'category', c.code, 'on', l.spent_on, 'amount', round((l.total - l.tax) * new.exchange_rate, 2))) into takes
        from expenses.expense_lines l join expenses.expense_categories c on c.organization_id = l.organization_id and c.id = l.category_id
        where l.organization_id = new.organization_id and l.report_id = new.id and l.deleted_at is null;
        warned := budgets.use(case new.status when 'submitted' then 'requisition' else 'actual' end, 'expenses.expense_reports', new.id, takes, new.workspace_id, new.dimension_id);
        new.over_budget := nullif(array_to_string(warned, ', '), '');
    elsif new.status in ('draft', 'denied') then
        perform budgets.free('expenses.expense_reports', new.id);
    end if;
    return new;
end $$;
create trigger moves before update on expenses.expense_reports for each row when (old.status is distinct from new.status) execute function expenses.move();

-- What was decided is said to whom it concerns: the reason stays with the report.
create function expenses.note_reason(report uuid, said text) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    update expenses.expense_reports r set reason = said where r.organization_id = app.organization() and r.id = report and r.status in ('draft', 'denied');
end $$;

-- Approved, it is spent: on the accounts of its categories, with the tax in it, and owed to whoever paid it.
create function expenses.book() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; books constant uuid := ledger.home(); l record; net numeric; tax numeric; owed numeric := 0; postings ledger.posting[]; project uuid; department uuid;
begin
    select case d.kind when 'project' then d.id end, case d.kind when 'department' then d.id end into project, department
    from ledger.dimensions d where d.organization_id = here and d.id = new.dimension_id;
    for l in select x.*, coalesce(c.account_id, ledger.account('expenses')) as account, concat_ws(': ', c.name, coalesce(x.description, x.merchant)) as said
        from expenses.expense_lines x join expenses.expense_categories c on c.organization_id = here and c.id = x.category_id
        where x.organization_id = here and x.report_id = new.id and x.deleted_at is null order by x.position, x.id
    loop
        tax := finance.in_books(books, l.tax, new.exchange_rate);
        net := finance.in_books(books, l.total, new.exchange_rate) - tax;
        owed := owed + net + tax;
        postings := postings || row (l.account, net, new.currency, l.total - l.tax, null, null, project, department, l.tax_id, l.tax_rate, null, l.spent_on, l.said)::ledger.posting;
        if l.tax <> 0 then
            postings := postings || row (ledger.account('tax_in'), tax, new.currency, l.tax, null, null, project, department, l.tax_id, l.tax_rate, net, l.spent_on, l.said)::ledger.posting;
        end if;
    end loop;
    postings := postings || row (ledger.account('employees'), -owed, new.currency, -new.total, new.payee_id, null, null, null, null, null, null, null, new.title)::ledger.posting;
    perform ledger.post(books, 'purchases', new.approved_on, new.number, new.title, 'expenses.expense_reports', new.id, 'approve', postings);
    return null;
end $$;
create trigger books after update on expenses.expense_reports for each row when (old.status <> 'approved' and new.status = 'approved') execute function expenses.book();

-- Paid back by a bill of whoever spent it, over what is owed, and its payment. Both may wait for approval, and are made once:
-- the bill, a draft at first, and the payment of the posted bill, which is not completed yet.
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

create function expenses.payee(person uuid, out party uuid, out name text, out email text) language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    select m.name, m.email into name, email from iam.memberships m where m.organization_id = app.organization() and m.id = person;
    select p.id into party from parties.parties p where p.organization_id = app.organization() and lower(p.email) = lower(payee.email) and p.kind = 'individual' and p.deleted_at is null
    order by p.created_at limit 1;
end $$;

create function expenses.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
begin
    return query
    select r.organization_id, format('expense report %s is %s, its lines come to %s', r.number, r.total, s.total)
    from expenses.expense_reports r cross join lateral (select coalesce(sum(l.total), 0) as total from expenses.expense_lines l
        where l.organization_id = r.organization_id and l.report_id = r.id and l.deleted_at is null) s
    where r.total <> s.total;
    return query
    select r.organization_id, format('expense report %s is approved and not in the books', r.number)
    from expenses.expense_reports r where r.status in ('approved', 'reimbursed') and r.total > 0 and not exists (select from ledger.journal_entries e
        where e.organization_id = r.organization_id and e.source = 'expenses.expense_reports' and e.source_id = r.id and e.status = 'posted');
end $$;

do $$ declare f regprocedure; begin
    for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'expenses'::regnamespace and p.proname in ('breaches', 'note_reason', 'bill', 'pay', 'payee') loop
        execute format('revoke execute on function %s from public', f);
        execute format('grant execute on function %s to app_user', f);
    end loop;
end $$;
