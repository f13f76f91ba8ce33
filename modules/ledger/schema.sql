create schema ledger;
comment on schema ledger is 'Double entry: accounts, periods, entries, rates of exchange.';

-- The legal entity that documents belong to which name none, null before the books are opened.
create function ledger.opened() returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return (select e.id from ledger.legal_entities e where e.organization_id = app.organization() and e.is_default and e.deleted_at is null);
end $$;

-- The same. Books are opened when something is first written in them.
create function ledger.home() returns uuid language plpgsql security definer set search_path = pg_catalog as $$
begin
    return coalesce(ledger.opened(), ledger.open_books());
end $$;

create function ledger.journal(of_kind text) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); found_one uuid;
begin
    if ledger.home() is null then return null; end if;
    select j.id into found_one from ledger.journals j where j.organization_id = here and j.kind = of_kind and j.deleted_at is null order by j.created_at, j.id limit 1;
    if found_one is null then raise exception 'There is no journal for %.', of_kind using errcode = 'AP001'; end if;
    return found_one;
end $$;

create table ledger.legal_entities (
    like app.record including all,
    code         text not null constraint entity_has_a_code check (code ~ '\S' and length(code) <= 30),
    name         text not null constraint entity_has_a_name check (name ~ '\S' and length(name) <= 255),
    country      text constraint country_has_two_letters check (country ~ '^[A-Z]{2}$'),
    currency     text not null references app.currencies,
    digits       smallint not null default 2,
    bin          text constraint bin_is_twelve_digits check (bin ~ '^\d{12}$'),
    tax_id       text constraint tax_id_is_short check (length(tax_id) <= 50),
    year_starts  smallint not null default 1 constraint year_starts_in_a_month check (year_starts between 1 and 12),
    is_default   boolean not null default false,
    books_from   date,
    party_id     uuid,
    constraint legal_entities_party foreign key (organization_id, party_id) references parties.parties
);
comment on table ledger.legal_entities is 'A company of the organization that keeps books of its own.';
comment on column ledger.legal_entities.currency is 'What its books are kept in.';
comment on column ledger.legal_entities.year_starts is 'The month that its fiscal year starts in.';
comment on column ledger.legal_entities.is_default is 'Documents that name no other are in its books.';
comment on column ledger.legal_entities.books_from is 'The first day of the books; documents from before are opening balances.';
comment on column ledger.legal_entities.party_id is 'What the others of the house know it as: what they do with each other is taken out of the consolidated figures.';
comment on constraint entity_has_a_code on ledger.legal_entities is 'A code has 1 to 30 characters.';
comment on constraint entity_has_a_name on ledger.legal_entities is 'A name has 1 to 255 characters.';
comment on constraint country_has_two_letters on ledger.legal_entities is 'A country is two capital letters, such as KZ.';
comment on constraint bin_is_twelve_digits on ledger.legal_entities is 'A BIN has twelve digits.';
comment on constraint tax_id_is_short on ledger.legal_entities is 'A tax id has at most 50 characters.';
comment on constraint year_starts_in_a_month on ledger.legal_entities is 'A month is 1 to 12.';
comment on constraint legal_entities_currency_fkey on ledger.legal_entities is 'There is no such currency.';
create unique index legal_entities_code on ledger.legal_entities (organization_id, code) where deleted_at is null;
comment on index ledger.legal_entities_code is 'There is a legal entity with this code already.';
create unique index legal_entities_default on ledger.legal_entities (organization_id) where is_default and deleted_at is null;
comment on index ledger.legal_entities_default is 'Another legal entity is the default already.';
create unique index legal_entities_party on ledger.legal_entities (organization_id, party_id) where deleted_at is null;
comment on index ledger.legal_entities_party is 'This party is another legal entity already.';
select app.enroll('ledger.legal_entities');
select app.derive('ledger.legal_entities', '{digits}');

create table ledger.ledger_accounts (
    like app.record including all,
    code       text not null constraint account_has_a_code check (code ~ '\S' and length(code) <= 30),
    name       text not null constraint account_has_a_name check (name ~ '\S' and length(name) <= 255),
    kind       text not null check (kind in ('asset', 'liability', 'equity', 'revenue', 'expense')),
    category   text not null default 'other' check (category in ('bank', 'cash', 'receivable', 'payable', 'inventory', 'tax', 'fixed_asset', 'loan',
                   'capital', 'retained_earnings', 'sales', 'cost_of_sales', 'operating', 'depreciation', 'exchange', 'interest', 'income_tax', 'other')),
    purpose    text check (purpose in ('receivable', 'payable', 'bank', 'cash', 'conversion', 'sales', 'purchases', 'tax_out', 'tax_in', 'withheld',
                   'discount_given', 'discount_taken', 'bad_debts', 'exchange_gain', 'exchange_loss', 'unrealised_gain', 'unrealised_loss',
                   'opening', 'retained_earnings', 'expenses', 'employees', 'commissions', 'commissions_payable')),
    parent_id  uuid,
    is_group   boolean not null default false,
    currency   text references app.currencies,
    is_active  boolean not null default true,
    note       app.textarea,
    constraint ledger_accounts_parent foreign key (organization_id, parent_id) references ledger.ledger_accounts,
    constraint groups_have_no_purpose check (not is_group or purpose is null)
);
comment on table ledger.ledger_accounts is 'An account of the chart: what is written on it, debit and credit.';
comment on column ledger.ledger_accounts.kind is 'Where it stands: in the balance sheet, or in profit and loss.';
comment on column ledger.ledger_accounts.category is 'Which line of the reports it belongs to.';
comment on column ledger.ledger_accounts.purpose is 'What is written on it by documents of themselves: every invoice, say, on the account for sales.';
comment on column ledger.ledger_accounts.is_group is 'A heading: nothing is written on it.';
comment on column ledger.ledger_accounts.currency is 'Only amounts in this currency; empty: in any.';
comment on constraint account_has_a_code on ledger.ledger_accounts is 'An account''s code has 1 to 30 characters.';
comment on constraint account_has_a_name on ledger.ledger_accounts is 'An account''s name has 1 to 255 characters.';
comment on constraint groups_have_no_purpose on ledger.ledger_accounts is 'Nothing is written on a heading, so it serves no purpose of documents.';
comment on constraint ledger_accounts_currency_fkey on ledger.ledger_accounts is 'There is no such currency.';
create unique index ledger_accounts_code on ledger.ledger_accounts (organization_id, code) where deleted_at is null;
comment on index ledger.ledger_accounts_code is 'There is an account with this code already.';
create unique index ledger_accounts_purpose on ledger.ledger_accounts (organization_id, purpose) where deleted_at is null;
comment on index ledger.ledger_accounts_purpose is 'Another account serves this purpose already.';
select app.searchable('ledger.ledger_accounts', 'A: code, name; C: note');
select app.enroll('ledger.ledger_accounts');

create table ledger.journals (
    like app.record including all,
    code  text not null constraint journal_has_a_code check (code ~ '\S' and length(code) <= 30),
    name  text not null constraint journal_has_a_name check (name ~ '\S' and length(name) <= 100),
    kind  text not null default 'general' check (kind in ('sales', 'purchases', 'money', 'general', 'exchange', 'opening', 'closing'))
);
comment on table ledger.journals is 'A book that entries of one kind stand in.';
comment on constraint journal_has_a_code on ledger.journals is 'A journal''s code has 1 to 30 characters.';
comment on constraint journal_has_a_name on ledger.journals is 'A journal''s name has 1 to 100 characters.';
create unique index journals_code on ledger.journals (organization_id, code) where deleted_at is null;
comment on index ledger.journals_code is 'There is a journal with this code already.';
select app.enroll('ledger.journals');

create table ledger.dimensions (
    like app.record including all,
    kind       text not null default 'project' check (kind in ('project', 'department')),
    code       text not null constraint dimension_has_a_code check (code ~ '\S' and length(code) <= 50),
    name       text not null constraint dimension_has_a_name check (name ~ '\S' and length(name) <= 255),
    parent_id  uuid,
    is_active  boolean not null default true,
    constraint dimensions_parent foreign key (organization_id, parent_id) references ledger.dimensions
);
comment on table ledger.dimensions is 'A project or department that figures are told apart by.';
comment on constraint dimension_has_a_code on ledger.dimensions is 'A code has 1 to 50 characters.';
comment on constraint dimension_has_a_name on ledger.dimensions is 'A name has 1 to 255 characters.';
create unique index dimensions_code on ledger.dimensions (organization_id, kind, code) where deleted_at is null;
comment on index ledger.dimensions_code is 'There is one with this code already.';
select app.enroll('ledger.dimensions');

create table ledger.fiscal_years (
    like app.record including all,
    legal_entity_id  uuid not null,
    name             text not null constraint year_has_a_name check (name ~ '\S' and length(name) <= 50),
    starts_on        date not null,
    ends_on          date not null,
    status           text not null,
    constraint fiscal_years_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint year_ends_after_it_starts check (ends_on > starts_on)
);
comment on table ledger.fiscal_years is 'A year of the books. Closed, its profit has gone to retained earnings.';
comment on constraint year_has_a_name on ledger.fiscal_years is 'A name has 1 to 50 characters.';
comment on constraint year_ends_after_it_starts on ledger.fiscal_years is 'A year ends after it starts.';
create unique index fiscal_years_start on ledger.fiscal_years (organization_id, legal_entity_id, starts_on);
comment on index ledger.fiscal_years_start is 'There is a year that starts on this day already.';
select app.enroll('ledger.fiscal_years');
select app.workflow('ledger.fiscal_years', 'status', $$
    open   -> closed : close
    closed -> open   : reopen
$$);

create table ledger.fiscal_periods (
    like app.record including all,
    fiscal_year_id   uuid not null,
    legal_entity_id  uuid not null,
    name             text not null,
    starts_on        date not null,
    ends_on          date not null,
    is_closing       boolean not null default false,
    status           text not null,
    constraint fiscal_periods_year foreign key (organization_id, fiscal_year_id) references ledger.fiscal_years,
    constraint fiscal_periods_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint period_ends_after_it_starts check (ends_on >= starts_on)
);
comment on table ledger.fiscal_periods is 'A month of the books. Locked, nothing more is written in it.';
comment on column ledger.fiscal_periods.is_closing is 'The one that the close of the year is written in; profit and loss do not count it.';
comment on constraint period_ends_after_it_starts on ledger.fiscal_periods is 'A period ends on or after the day it starts.';
create unique index fiscal_periods_start on ledger.fiscal_periods (organization_id, legal_entity_id, starts_on, is_closing);
comment on index ledger.fiscal_periods_start is 'There is a period that starts on this day already.';
select app.enroll('ledger.fiscal_periods');
select app.workflow('ledger.fiscal_periods', 'status', $$
    open   -> locked : lock
    locked -> open   : unlock
$$);
select app.derive('ledger.fiscal_periods', '{fiscal_year_id,legal_entity_id,name,starts_on,ends_on,is_closing}');

create table ledger.exchange_rates (
    like app.record including all,
    currency  text not null references app.currencies,
    per       text not null references app.currencies,
    rate      numeric(20,10) not null constraint rate_is_positive check (rate > 0 and rate < 'Infinity'),
    valid_on  date not null default current_date,
    source    text constraint source_is_short check (length(source) <= 50),
    constraint rate_is_of_two_currencies check (currency <> per)
);
comment on table ledger.exchange_rates is 'What one unit of a currency was worth in another on a day.';
comment on column ledger.exchange_rates.per is 'The other currency: 1 EUR = 1.08 USD is the rate 1.08 of EUR in USD.';
comment on column ledger.exchange_rates.source is 'Who says so: ECB, a national bank, oneself.';
comment on constraint rate_is_positive on ledger.exchange_rates is 'An exchange rate must be more than nothing.';
comment on constraint source_is_short on ledger.exchange_rates is 'A source has at most 50 characters.';
comment on constraint rate_is_of_two_currencies on ledger.exchange_rates is 'A rate is of two currencies.';
comment on constraint exchange_rates_currency_fkey on ledger.exchange_rates is 'There is no such currency.';
comment on constraint exchange_rates_per_fkey on ledger.exchange_rates is 'There is no such currency.';
create unique index exchange_rates_day on ledger.exchange_rates (organization_id, currency, per, valid_on) where deleted_at is null;
comment on index ledger.exchange_rates_day is 'There is a rate for this day already.';
select app.enroll('ledger.exchange_rates');

create table ledger.journal_entries (
    like app.record including all,
    number           text,
    legal_entity_id  uuid not null default ledger.home(),
    journal_id       uuid not null default ledger.journal('general'),
    entry_on         date not null default current_date,
    status           text not null,
    description      text constraint description_is_short check (length(description) <= 500),
    reference        text constraint reference_is_short check (length(reference) <= 100),
    source           text,
    source_id        uuid,
    event            text,
    reverses_id      uuid,
    is_reversed      boolean not null default false,
    period_id        uuid,
    debit            app.money not null default 0,
    credit           app.money not null default 0,
    constraint journal_entries_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint journal_entries_journal foreign key (organization_id, journal_id) references ledger.journals,
    constraint journal_entries_reverses foreign key (organization_id, reverses_id) references ledger.journal_entries,
    constraint posted_entries_balance check (status <> 'posted' or debit = credit),
    constraint posted_entries_have_a_period check ((status = 'posted') = (period_id is not null)),
    constraint posted_entries_have_a_number check (status <> 'posted' or number is not null)
);
comment on table ledger.journal_entries is 'What was written in the books at once: as much debit as credit. Posted, it stays as it is.';
comment on column ledger.journal_entries.number is 'That of the document which it comes from; of entries written by hand their own, without gaps.';
comment on column ledger.journal_entries.source is 'The kind of document that it comes from.';
comment on column ledger.journal_entries.event is 'What happened to the document.';
comment on column ledger.journal_entries.reverses_id is 'The entry that it takes back.';
comment on constraint description_is_short on ledger.journal_entries is 'A description has at most 500 characters.';
comment on constraint reference_is_short on ledger.journal_entries is 'A reference has at most 100 characters.';
comment on constraint posted_entries_balance on ledger.journal_entries is 'An entry has as much debit as credit.';
comment on constraint posted_entries_have_a_period on ledger.journal_entries is 'A posted entry is in a period, and no other is.';
comment on constraint posted_entries_have_a_number on ledger.journal_entries is 'A posted entry has a number.';
create unique index journal_entries_source on ledger.journal_entries (organization_id, source, source_id, event)
    where source is not null and reverses_id is null and not is_reversed;
comment on index ledger.journal_entries_source is 'This has been written in the books already.';
create unique index journal_entries_reverse on ledger.journal_entries (organization_id, reverses_id) where reverses_id is not null;
comment on index ledger.journal_entries_reverse is 'This entry has been taken back already.';
create unique index journal_entries_number on ledger.journal_entries (organization_id, number)
    where number is not null and (source is null or source like 'ledger.%');
comment on index ledger.journal_entries_number is 'There is an entry with this number already.';
create index journal_entries_day on ledger.journal_entries (organization_id, entry_on);
select app.searchable('ledger.journal_entries', 'A: number, reference; C: description');

create table ledger.journal_entry_lines (
    like app.record including all,
    entry_id         uuid not null,
    position         integer,
    account_id       uuid not null,
    debit            app.money not null default 0 constraint debit_not_negative check (debit >= 0),
    credit           app.money not null default 0 constraint credit_not_negative check (credit >= 0),
    currency         text references app.currencies,
    currency_amount  app.money,
    party_id         uuid,
    product_id       uuid,
    project_id       uuid,
    department_id    uuid,
    tax_id           uuid,
    tax_rate         app.percent,
    tax_base         app.money,
    tax_on           date,
    memo             text constraint memo_is_short check (length(memo) <= 500),
    -- Of the entry, so that an account can be read by day.
    entry_on         date,
    period_id        uuid,
    legal_entity_id  uuid,
    is_folded        boolean not null default false,
    constraint journal_lines_entry foreign key (organization_id, entry_id) references ledger.journal_entries on delete cascade,
    constraint journal_lines_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint journal_lines_party foreign key (organization_id, party_id) references parties.parties,
    constraint journal_lines_product foreign key (organization_id, product_id) references products.products,
    constraint journal_lines_project foreign key (organization_id, project_id) references ledger.dimensions,
    constraint journal_lines_department foreign key (organization_id, department_id) references ledger.dimensions,
    constraint journal_lines_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint debit_or_credit check (debit = 0 or credit = 0),
    constraint line_has_an_amount check (period_id is null or currency_amount is not null and currency is not null),
    constraint amounts_go_the_same_way check (currency_amount * (debit - credit) >= 0)
);
comment on table ledger.journal_entry_lines is 'One side of an entry: debit or credit of an account.';
comment on column ledger.journal_entry_lines.debit is 'In the currency of the books.';
comment on column ledger.journal_entry_lines.credit is 'In the currency of the books.';
comment on column ledger.journal_entry_lines.currency_amount is 'In the line''s own currency: debit more, credit less than nothing.';
comment on column ledger.journal_entry_lines.tax_rate is 'On what was taxed, and on the tax itself.';
comment on column ledger.journal_entry_lines.tax_base is 'What a tax was counted from.';
comment on column ledger.journal_entry_lines.tax_on is 'The day of the supply, which a tax goes by; empty: the day of the entry.';
comment on column ledger.journal_entry_lines.is_folded is 'Whether the balance of its account has it in it already.';
comment on constraint debit_not_negative on ledger.journal_entry_lines is 'A debit cannot be negative; write a credit.';
comment on constraint credit_not_negative on ledger.journal_entry_lines is 'A credit cannot be negative; write a debit.';
comment on constraint memo_is_short on ledger.journal_entry_lines is 'A memo has at most 500 characters.';
comment on constraint debit_or_credit on ledger.journal_entry_lines is 'A line is a debit or a credit, not both.';
comment on constraint line_has_an_amount on ledger.journal_entry_lines is 'A line needs an amount and its currency.';
comment on constraint amounts_go_the_same_way on ledger.journal_entry_lines is 'The amount in its currency goes the same way as debit or credit.';
comment on constraint journal_entry_lines_currency_fkey on ledger.journal_entry_lines is 'There is no such currency.';
create index journal_lines_account_day on ledger.journal_entry_lines (organization_id, account_id, entry_on) where period_id is not null;
create index journal_lines_period on ledger.journal_entry_lines (organization_id, period_id, account_id) where period_id is not null;
create index journal_lines_unfolded on ledger.journal_entry_lines (organization_id, period_id) where period_id is not null and not is_folded;
create index journal_lines_of_party on ledger.journal_entry_lines (organization_id, party_id) where party_id is not null;
create index journal_lines_of_product on ledger.journal_entry_lines (organization_id, product_id) where product_id is not null;
create index journal_lines_of_project on ledger.journal_entry_lines (organization_id, project_id) where project_id is not null;
create index journal_lines_of_department on ledger.journal_entry_lines (organization_id, department_id) where department_id is not null;
create index journal_lines_of_tax on ledger.journal_entry_lines (organization_id, tax_id) where tax_id is not null;

create table ledger.account_balances (
    like app.record including all,
    legal_entity_id  uuid not null,
    account_id       uuid not null,
    period_id        uuid not null,
    debit            app.money not null default 0,
    credit           app.money not null default 0,
    constraint account_balances_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint account_balances_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint account_balances_period foreign key (organization_id, period_id) references ledger.fiscal_periods,
    constraint account_balances_once unique (organization_id, period_id, account_id)
);
comment on table ledger.account_balances is 'What was written on an account in a period; lines that are not folded yet come on top.';
comment on constraint account_balances_once on ledger.account_balances is 'There is a balance for this account and period already.';

select app.enroll('ledger.journal_entries');
select app.enroll_part('ledger.journal_entry_lines', 'ledger.journal_entries', 'entry_id');
select app.enroll('ledger.account_balances');
select app.workflow('ledger.journal_entries', 'status', 'draft -> posted : post');
select app.editable_in('ledger.journal_entries', 'status', '{draft}', keep => '{is_reversed}');
select app.derive('ledger.journal_entries', '{source,source_id,event,reverses_id,is_reversed,period_id,debit,credit}');
select app.derive('ledger.journal_entry_lines', '{entry_on,period_id,legal_entity_id,is_folded}');
select app.derive('ledger.account_balances', '{legal_entity_id,account_id,period_id,debit,credit}');
-- Lines that are posted never change: they are their own history.
drop trigger log on ledger.journal_entry_lines;
create trigger log after update or delete on ledger.journal_entry_lines for each row execute function app.log_change('ledger.journal_entry_lines',
    'owner_id', 'entry_on', 'is_folded', 'legal_entity_id', 'period_id');

create function ledger.entity_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    new.digits := coalesce(app.digits(new.currency), new.digits);
    if tg_op = 'UPDATE' and new.currency <> old.currency and exists (select from ledger.journal_entries e
        where e.organization_id = new.organization_id and e.legal_entity_id = new.id and e.status = 'posted') then
        raise exception 'The currency of books that something is written in cannot change.' using errcode = 'AP001', column = 'currency';
    end if;
    return new;
end $$;
create trigger defaults before insert or update of currency on ledger.legal_entities for each row execute function ledger.entity_defaults();

-- Accounts stand in headings, without circles; what is written on stays an account.
create function ledger.check_account() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare above uuid := new.parent_id; heading ledger.ledger_accounts;
begin
    while above is not null loop
        select * into heading from ledger.ledger_accounts a where a.organization_id = new.organization_id and a.id = above for no key update;
        if above = new.id then raise exception 'An account cannot stand under itself.' using errcode = 'AP001', column = 'parent_id'; end if;
        if not heading.is_group then raise exception '% is no heading.', heading.code using errcode = 'AP001', column = 'parent_id'; end if;
        above := heading.parent_id;
    end loop;
    if tg_op = 'UPDATE' and (new.is_group, new.kind, new.currency) is distinct from (old.is_group, old.kind, old.currency)
        and exists (select from ledger.journal_entry_lines l where l.organization_id = new.organization_id and l.account_id = new.id and l.period_id is not null) then
        raise exception 'Something is written on this account: its kind and currency stay.' using errcode = 'AP001';
    end if;
    return new;
end $$;
create trigger checks before insert or update on ledger.ledger_accounts for each row execute function ledger.check_account();

-- The charts that books can be opened with. Kazakhstan: the standard chart of the Ministry of Finance, the accounts that a
-- trading and making company uses.
create function ledger.chart(template text) returns table (code text, parent text, kind text, category text, purpose text, is_group boolean, en text, ru text, kk text)
language plpgsql immutable set search_path = pg_catalog as $$
begin
    return query select c.code, c.parent, c.kind, c.category, c.purpose, c.is_group, c.en, c.ru, c.kk from (values
        ('generic', '1000', null, 'asset', 'other', null, true, 'Assets', 'Активы', 'Активтер'),
        ('generic', '1010', '1000', 'asset', 'cash', 'cash', false, 'Cash', 'Касса', 'Касса'),
        ('generic', '1020', '1000', 'asset', 'bank', 'bank', false, 'Bank', 'Банк', 'Банк'),
        ('generic', '1030', '1000', 'asset', 'bank', 'conversion', false, 'Money in transit', 'Деньги в пути', 'Жолдағы ақша'),
        ('generic', '1100', '1000', 'asset', 'receivable', 'receivable', false, 'Accounts receivable', 'Расчёты с покупателями', 'Сатып алушылармен есеп айырысу'),
        ('generic', '1200', '1000', 'asset', 'inventory', null, false, 'Inventory', 'Запасы', 'Қорлар'),
        ('generic', '1300', '1000', 'asset', 'tax', 'tax_in', false, 'Tax to be reclaimed', 'Налог к возмещению', 'Өтелетін салық'),
        ('generic', '1400', '1000', 'asset', 'other', null, false, 'Prepaid expenses', 'Расходы будущих периодов', 'Болашақ кезең шығыстары'),
        ('generic', '1500', '1000', 'asset', 'fixed_asset', null, false, 'Equipment', 'Оборудование', 'Жабдық'),
        ('generic', '1510', '1000', 'asset', 'fixed_asset', null, false, 'Accumulated depreciation', 'Накопленная амортизация', 'Жинақталған амортизация'),
        ('generic', '2000', null, 'liability', 'other', null, true, 'Liabilities', 'Обязательства', 'Міндеттемелер'),
        ('generic', '2100', '2000', 'liability', 'payable', 'payable', false, 'Accounts payable', 'Расчёты с поставщиками', 'Жеткізушілермен есеп айырысу'),
        ('generic', '2200', '2000', 'liability', 'tax', 'tax_out', false, 'Tax to be paid', 'Налог к уплате', 'Төленетін салық'),
        ('generic', '2210', '2000', 'liability', 'tax', 'withheld', false, 'Tax withheld', 'Удержанный налог', 'Ұсталған салық'),
        ('generic', '2300', '2000', 'liability', 'payable', 'employees', false, 'Owed to employees', 'Расчёты с подотчётными лицами', 'Есеп беретін тұлғалармен есеп айырысу'),
        ('generic', '2310', '2000', 'liability', 'payable', 'commissions_payable', false, 'Commissions payable', 'Комиссионные к выплате', 'Төленетін комиссия'),
        ('generic', '2500', '2000', 'liability', 'loan', null, false, 'Loans', 'Займы', 'Қарыздар'),
        ('generic', '3000', null, 'equity', 'other', null, true, 'Equity', 'Капитал', 'Капитал'),
        ('generic', '3100', '3000', 'equity', 'capital', null, false, 'Share capital', 'Уставный капитал', 'Жарғылық капитал'),
        ('generic', '3200', '3000', 'equity', 'retained_earnings', 'retained_earnings', false, 'Retained earnings', 'Нераспределённая прибыль', 'Бөлінбеген пайда'),
        ('generic', '3900', '3000', 'equity', 'other', 'opening', false, 'Opening balances', 'Ввод остатков', 'Бастапқы қалдықтар'),
        ('generic', '4000', null, 'revenue', 'sales', null, true, 'Revenue', 'Доходы', 'Кірістер'),
        ('generic', '4100', '4000', 'revenue', 'sales', 'sales', false, 'Sales', 'Продажи', 'Сату'),
        ('generic', '4200', '4000', 'revenue', 'other', 'discount_taken', false, 'Discounts taken', 'Полученные скидки', 'Алынған жеңілдіктер'),
        ('generic', '4300', '4000', 'revenue', 'exchange', 'exchange_gain', false, 'Exchange gain', 'Доход от курсовой разницы', 'Бағам айырмасынан кіріс'),
        ('generic', '4310', '4000', 'revenue', 'exchange', 'unrealised_gain', false, 'Unrealised exchange gain', 'Доход от переоценки', 'Қайта бағалаудан кіріс'),
        ('generic', '4900', '4000', 'revenue', 'other', null, false, 'Other income', 'Прочие доходы', 'Өзге кірістер'),
        ('generic', '5000', null, 'expense', 'cost_of_sales', null, true, 'Cost of sales', 'Себестоимость', 'Өзіндік құн'),
        ('generic', '5100', '5000', 'expense', 'cost_of_sales', 'purchases', false, 'Purchases', 'Закупки', 'Сатып алу'),
        ('generic', '6000', null, 'expense', 'operating', null, true, 'Operating expenses', 'Операционные расходы', 'Операциялық шығыстар'),
        ('generic', '6100', '6000', 'expense', 'operating', null, false, 'Wages and salaries', 'Заработная плата', 'Жалақы'),
        ('generic', '6200', '6000', 'expense', 'operating', 'commissions', false, 'Sales commissions', 'Комиссионные продавцам', 'Сатушыларға комиссия'),
        ('generic', '6300', '6000', 'expense', 'operating', 'expenses', false, 'Employee expenses', 'Расходы сотрудников', 'Қызметкерлердің шығыстары'),
        ('generic', '6400', '6000', 'expense', 'operating', null, false, 'Rent and utilities', 'Аренда и коммунальные услуги', 'Жалға алу және коммуналдық қызмет'),
        ('generic', '6500', '6000', 'expense', 'depreciation', null, false, 'Depreciation', 'Амортизация', 'Амортизация'),
        ('generic', '6600', '6000', 'expense', 'operating', 'discount_given', false, 'Discounts given', 'Предоставленные скидки', 'Берілген жеңілдіктер'),
        ('generic', '6700', '6000', 'expense', 'operating', 'bad_debts', false, 'Bad debts', 'Безнадёжные долги', 'Үмітсіз борыштар'),
        ('generic', '6800', '6000', 'expense', 'exchange', 'exchange_loss', false, 'Exchange loss', 'Расход от курсовой разницы', 'Бағам айырмасынан шығыс'),
        ('generic', '6810', '6000', 'expense', 'exchange', 'unrealised_loss', false, 'Unrealised exchange loss', 'Расход от переоценки', 'Қайта бағалаудан шығыс'),
        ('generic', '6850', '6000', 'expense', 'interest', null, false, 'Interest', 'Проценты', 'Пайыздар'),
        ('generic', '6900', '6000', 'expense', 'operating', null, false, 'Other expenses', 'Прочие расходы', 'Өзге шығыстар'),
        ('generic', '7000', null, 'expense', 'income_tax', null, true, 'Income tax', 'Налог на прибыль', 'Пайда салығы'),
        ('generic', '7100', '7000', 'expense', 'income_tax', null, false, 'Income tax expense', 'Расход по налогу на прибыль', 'Пайда салығы бойынша шығыс'),
        ('kazakhstan', '1000', null, 'asset', 'other', null, true, 'Current assets', 'Краткосрочные активы', 'Қысқа мерзімді активтер'),
        ('kazakhstan', '1010', '1000', 'asset', 'cash', 'cash', false, 'Cash on hand', 'Денежные средства в кассе', 'Кассадағы ақша қаражаты'),
        ('kazakhstan', '1020', '1000', 'asset', 'bank', 'conversion', false, 'Cash in transit', 'Денежные средства в пути', 'Жолдағы ақша қаражаты'),
        ('kazakhstan', '1030', '1000', 'asset', 'bank', 'bank', false, 'Cash in current accounts', 'Денежные средства на текущих банковских счетах', 'Ағымдағы банк шоттарындағы ақша қаражаты'),
        ('kazakhstan', '1210', '1000', 'asset', 'receivable', 'receivable', false, 'Receivables from customers', 'Краткосрочная дебиторская задолженность покупателей', 'Сатып алушылардың қысқа мерзімді дебиторлық берешегі'),
        ('kazakhstan', '1251', '1000', 'asset', 'receivable', null, false, 'Advances to employees', 'Задолженность подотчётных лиц', 'Есеп беретін тұлғалардың берешегі'),
        ('kazakhstan', '1310', '1000', 'asset', 'inventory', null, false, 'Raw materials', 'Сырьё и материалы', 'Шикізат пен материалдар'),
        ('kazakhstan', '1320', '1000', 'asset', 'inventory', null, false, 'Finished goods', 'Готовая продукция', 'Дайын өнім'),
        ('kazakhstan', '1330', '1000', 'asset', 'inventory', null, false, 'Goods', 'Товары', 'Тауарлар'),
        ('kazakhstan', '1420', '1000', 'asset', 'tax', 'tax_in', false, 'VAT to be reclaimed', 'Налог на добавленную стоимость к возмещению', 'Өтелетін қосылған құн салығы'),
        ('kazakhstan', '1710', '1000', 'asset', 'other', null, false, 'Advances paid', 'Краткосрочные авансы выданные', 'Берілген қысқа мерзімді аванстар'),
        ('kazakhstan', '1720', '1000', 'asset', 'other', null, false, 'Prepaid expenses', 'Расходы будущих периодов', 'Болашақ кезең шығыстары'),
        ('kazakhstan', '2000', null, 'asset', 'other', null, true, 'Non-current assets', 'Долгосрочные активы', 'Ұзақ мерзімді активтер'),
        ('kazakhstan', '2410', '2000', 'asset', 'fixed_asset', null, false, 'Fixed assets', 'Основные средства', 'Негізгі құралдар'),
        ('kazakhstan', '2420', '2000', 'asset', 'fixed_asset', null, false, 'Depreciation of fixed assets', 'Амортизация основных средств', 'Негізгі құралдардың амортизациясы'),
        ('kazakhstan', '3000', null, 'liability', 'other', null, true, 'Current liabilities', 'Краткосрочные обязательства', 'Қысқа мерзімді міндеттемелер'),
        ('kazakhstan', '3010', '3000', 'liability', 'loan', null, false, 'Bank loans', 'Краткосрочные банковские займы', 'Қысқа мерзімді банк қарыздары'),
        ('kazakhstan', '3110', '3000', 'liability', 'tax', null, false, 'Corporate income tax', 'Корпоративный подоходный налог, подлежащий уплате', 'Төленуге тиісті корпоративтік табыс салығы'),
        ('kazakhstan', '3120', '3000', 'liability', 'tax', 'withheld', false, 'Individual income tax', 'Индивидуальный подоходный налог', 'Жеке табыс салығы'),
        ('kazakhstan', '3130', '3000', 'liability', 'tax', 'tax_out', false, 'VAT payable', 'Налог на добавленную стоимость', 'Қосылған құн салығы'),
        ('kazakhstan', '3310', '3000', 'liability', 'payable', 'payable', false, 'Payables to suppliers', 'Краткосрочная кредиторская задолженность поставщикам и подрядчикам', 'Жеткізушілер мен мердігерлерге қысқа мерзімді кредиторлық берешек'),
        ('kazakhstan', '3350', '3000', 'liability', 'payable', 'commissions_payable', false, 'Wages payable', 'Краткосрочная задолженность по оплате труда', 'Еңбекақы бойынша қысқа мерзімді берешек'),
        ('kazakhstan', '3390', '3000', 'liability', 'payable', 'employees', false, 'Other payables', 'Прочая краткосрочная кредиторская задолженность', 'Өзге қысқа мерзімді кредиторлық берешек'),
        ('kazakhstan', '3510', '3000', 'liability', 'other', null, false, 'Advances received', 'Краткосрочные авансы полученные', 'Алынған қысқа мерзімді аванстар'),
        ('kazakhstan', '5000', null, 'equity', 'other', null, true, 'Equity', 'Капитал и резервы', 'Капитал және резервтер'),
        ('kazakhstan', '5030', '5000', 'equity', 'capital', null, false, 'Contributions and shares', 'Вклады и паи', 'Салымдар мен пайлар'),
        ('kazakhstan', '5510', '5000', 'equity', 'other', 'opening', false, 'Opening balances', 'Ввод начальных остатков', 'Бастапқы қалдықтар'),
        ('kazakhstan', '5520', '5000', 'equity', 'retained_earnings', 'retained_earnings', false, 'Retained earnings of earlier years', 'Нераспределённая прибыль предыдущих лет', 'Өткен жылдардың бөлінбеген пайдасы'),
        ('kazakhstan', '6000', null, 'revenue', 'sales', null, true, 'Income', 'Доходы', 'Кірістер'),
        ('kazakhstan', '6010', '6000', 'revenue', 'sales', 'sales', false, 'Revenue from goods and services', 'Доход от реализации продукции и оказания услуг', 'Өнімді өткізуден және қызмет көрсетуден түскен табыс'),
        ('kazakhstan', '6030', '6000', 'revenue', 'sales', 'discount_given', false, 'Discounts on prices and sales', 'Скидки с цены и продаж', 'Баға мен сатудан жеңілдіктер'),
        ('kazakhstan', '6250', '6000', 'revenue', 'exchange', 'exchange_gain', false, 'Exchange gain', 'Доходы от курсовой разницы', 'Бағам айырмасынан түскен табыс'),
        ('kazakhstan', '6251', '6000', 'revenue', 'exchange', 'unrealised_gain', false, 'Gain from revaluation', 'Доходы от переоценки валюты', 'Валютаны қайта бағалаудан түскен табыс'),
        ('kazakhstan', '6280', '6000', 'revenue', 'other', 'discount_taken', false, 'Other income', 'Прочие доходы', 'Өзге табыстар'),
        ('kazakhstan', '7000', null, 'expense', 'operating', null, true, 'Expenses', 'Расходы', 'Шығыстар'),
        ('kazakhstan', '7010', '7000', 'expense', 'cost_of_sales', 'purchases', false, 'Cost of goods and services sold', 'Себестоимость реализованной продукции и оказанных услуг', 'Өткізілген өнім мен көрсетілген қызметтің өзіндік құны'),
        ('kazakhstan', '7110', '7000', 'expense', 'operating', 'commissions', false, 'Selling expenses', 'Расходы по реализации продукции и оказанию услуг', 'Өнімді өткізу және қызмет көрсету шығыстары'),
        ('kazakhstan', '7210', '7000', 'expense', 'operating', 'expenses', false, 'Administrative expenses', 'Административные расходы', 'Әкімшілік шығыстар'),
        ('kazakhstan', '7310', '7000', 'expense', 'interest', null, false, 'Interest', 'Расходы по вознаграждениям', 'Сыйақы бойынша шығыстар'),
        ('kazakhstan', '7430', '7000', 'expense', 'exchange', 'exchange_loss', false, 'Exchange loss', 'Расходы по курсовой разнице', 'Бағам айырмасы бойынша шығыстар'),
        ('kazakhstan', '7431', '7000', 'expense', 'exchange', 'unrealised_loss', false, 'Loss from revaluation', 'Расходы от переоценки валюты', 'Валютаны қайта бағалау шығыстары'),
        ('kazakhstan', '7440', '7000', 'expense', 'operating', 'bad_debts', false, 'Doubtful debts', 'Расходы по созданию резерва и списанию безнадёжных требований', 'Үмітсіз талаптарды есептен шығару шығыстары'),
        ('kazakhstan', '7470', '7000', 'expense', 'operating', null, false, 'Other expenses', 'Прочие расходы', 'Өзге шығыстар'),
        ('kazakhstan', '7710', '7000', 'expense', 'income_tax', null, false, 'Corporate income tax expense', 'Расходы по корпоративному подоходному налогу', 'Корпоративтік табыс салығы бойынша шығыстар')
    ) c (template, code, parent, kind, category, purpose, is_group, en, ru, kk) where c.template = chart.template order by c.code;
end $$;

-- Opens the books of the organization: its legal entity, a chart, journals. What is there already stays.
create function ledger.open_books(template text default null) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    made uuid; o record; chosen text; language text;
begin
    if here is null then return null; end if;
    perform pg_advisory_xact_lock(hashtextextended('ledger.books ' || here, 0));
    select e.id into made from ledger.legal_entities e where e.organization_id = here and e.is_default and e.deleted_at is null;
    if found then return made; end if;
    select x.name, x.country, x.currency, x.language, x.bin, x.fiscal_year_start into strict o from tenancy.organizations x where x.id = here;
    chosen := coalesce(template, case o.country when 'KZ' then 'kazakhstan' else 'generic' end);
    language := o.language;
    made := app.new_id();
    insert into ledger.legal_entities (id, code, name, country, currency, bin, year_starts, is_default)
    values (made, 'MAIN', left(o.name, 255), o.country, o.currency, o.bin, o.fiscal_year_start, true);
    insert into ledger.ledger_accounts (code, name, kind, category, purpose, is_group, parent_id)
    select c.code, case language when 'ru' then c.ru when 'kk' then c.kk else c.en end, c.kind, c.category, c.purpose, c.is_group, null
    from ledger.chart(chosen) c where not exists (select from ledger.ledger_accounts a where a.organization_id = here and a.deleted_at is null
        and (a.code = c.code or a.purpose = c.purpose));
    update ledger.ledger_accounts a set parent_id = p.id
    from ledger.chart(chosen) c join ledger.ledger_accounts p on p.organization_id = here and p.code = c.parent and p.deleted_at is null
    where a.organization_id = here and a.code = c.code and a.parent_id is null and a.deleted_at is null;
    insert into ledger.journals (code, name, kind)
    select j.code, case language when 'ru' then j.ru when 'kk' then j.kk else j.en end, j.kind from (values
        ('SALES', 'sales', 'Sales', 'Продажи', 'Сату'), ('PURCHASES', 'purchases', 'Purchases', 'Закупки', 'Сатып алу'),
        ('MONEY', 'money', 'Bank and cash', 'Банк и касса', 'Банк және касса'), ('GENERAL', 'general', 'General', 'Общий', 'Жалпы'),
        ('EXCHANGE', 'exchange', 'Exchange differences', 'Курсовые разницы', 'Бағам айырмалары'),
        ('OPENING', 'opening', 'Opening balances', 'Начальные остатки', 'Бастапқы қалдықтар'), ('CLOSING', 'closing', 'Closing', 'Закрытие года', 'Жылды жабу')
    ) j (code, kind, en, ru, kk) where not exists (select from ledger.journals x where x.organization_id = here and x.code = j.code and x.deleted_at is null);
    return made;
end $$;

-- For other modules: the account that serves a purpose.
create function ledger.account(for_purpose text) returns uuid language plpgsql stable security definer set search_path = pg_catalog as $$
declare found_one uuid;
begin
    select a.id into found_one from ledger.ledger_accounts a
    where a.organization_id = app.organization() and a.purpose = for_purpose and a.deleted_at is null and a.is_active;
    if found_one is null then
        raise exception 'No account serves the purpose %: name one in the chart of accounts.', replace(for_purpose, '_', ' ') using errcode = 'AP001';
    end if;
    return found_one;
end $$;

-- For other modules: an account of its own beside the one for a purpose, numbered after it.
create function ledger.add_account(beside text, called text, in_currency text) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); a ledger.ledger_accounts; made constant uuid := app.new_id(); n integer := 1;
begin
    select * into strict a from ledger.ledger_accounts x where x.organization_id = here and x.id = ledger.account(beside) for no key update;
    while exists (select from ledger.ledger_accounts x where x.organization_id = here and x.code = a.code || '.' || n) loop n := n + 1; end loop;
    insert into ledger.ledger_accounts (id, code, name, kind, category, parent_id, currency) values (made, a.code || '.' || n, called, a.kind, a.category, a.parent_id, in_currency);
    return made;
end $$;

-- What one unit of a currency was worth in another: of that day, or of the last one before that has a rate, not older than
-- the setting says. Straight, the other way round, or by way of a currency that both have a rate in. Null: nobody said.
create function ledger.rate(of text, into_currency text, on_day date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization();
    oldest constant date := on_day - coalesce((app.setting('ledger.rate_days') #>> '{}')::integer, 10);
    found_one numeric;
begin
    if of = into_currency then return 1; end if;
    select q.rate into found_one from (
        select r.rate, r.valid_on from ledger.exchange_rates r
        where r.organization_id = here and r.currency = of and r.per = into_currency and r.valid_on between oldest and on_day and r.deleted_at is null
        union all
        select 1 / r.rate, r.valid_on from ledger.exchange_rates r
        where r.organization_id = here and r.currency = into_currency and r.per = of and r.valid_on between oldest and on_day and r.deleted_at is null
        union all
        select b.rate / a.rate, a.valid_on from ledger.exchange_rates a
        join ledger.exchange_rates b on b.organization_id = here and b.currency = a.currency and b.valid_on = a.valid_on and b.per = into_currency and b.deleted_at is null
        where a.organization_id = here and a.per = of and a.valid_on between oldest and on_day and a.deleted_at is null
    ) q order by q.valid_on desc limit 1;
    return round(found_one, 10);
end $$;

-- The open period of a day. The lock lets entries of a period come at the same time, and its locking wait for them.
create function ledger.open_period(of_entity uuid, on_day date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); p ledger.fiscal_periods;
begin
    loop
        select * into p from ledger.fiscal_periods x where x.organization_id = here and x.legal_entity_id = of_entity
            and on_day between x.starts_on and x.ends_on and not x.is_closing for share;
        exit when found;
        perform ledger.open_year(of_entity, on_day);
    end loop;
    if p.status <> 'open' then
        raise exception 'The period % is locked.', p.name using errcode = 'AP001', column = 'entry_on';
    end if;
    return p.id;
end $$;

-- The fiscal year of a day with its months and the period that it is closed in.
create function ledger.open_year(of_entity uuid, on_day date) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); made uuid := app.new_id(); starts smallint; first date; last date;
begin
    perform pg_advisory_xact_lock(hashtextextended('ledger.years ' || here || of_entity, 0));
    select y.id into made from ledger.fiscal_years y where y.organization_id = here and y.legal_entity_id = of_entity and on_day between y.starts_on and y.ends_on;
    if found then return made; end if;
    made := app.new_id();
    select e.year_starts into strict starts from ledger.legal_entities e where e.organization_id = here and e.id = of_entity;
    if on_day not between date '1900-01-01' and date '2200-12-31' then
        raise exception 'There are no books of %.', on_day using errcode = 'AP001', column = 'entry_on';
    end if;
    first := make_date(extract(year from on_day)::integer - case when extract(month from on_day) < starts then 1 else 0 end, starts, 1);
    -- Beside years that somebody made of other lengths.
    select greatest(first, coalesce(max(y.ends_on) + 1, first)) into first from ledger.fiscal_years y
        where y.organization_id = here and y.legal_entity_id = of_entity and y.ends_on < on_day;
    last := (first + interval '1 year' - interval '1 day')::date;
    select least(last, coalesce(min(y.starts_on) - 1, last)) into last from ledger.fiscal_years y
        where y.organization_id = here and y.legal_entity_id = of_entity and y.starts_on > on_day;
    insert into ledger.fiscal_years (id, legal_entity_id, name, starts_on, ends_on)
    values (made, of_entity, to_char(first, 'YYYY') || case when starts = 1 then '' else to_char(last, '"/"YY') end, first, last);
    return made;
end $$;

-- The months of a year, and the period that it is closed in.
create function ledger.make_periods() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if exists (select from ledger.fiscal_years y where y.organization_id = new.organization_id and y.legal_entity_id = new.legal_entity_id and y.id <> new.id
               and daterange(y.starts_on, y.ends_on, '[]') && daterange(new.starts_on, new.ends_on, '[]')) then
        raise exception 'Another fiscal year has some of these days.' using errcode = 'AP001', column = 'starts_on';
    end if;
    insert into ledger.fiscal_periods (organization_id, fiscal_year_id, legal_entity_id, name, starts_on, ends_on, is_closing)
    select new.organization_id, new.id, new.legal_entity_id, to_char(m, 'YYYY-MM'), m::date, least((m + interval '1 month' - interval '1 day')::date, new.ends_on), false
    from generate_series(new.starts_on, new.ends_on, interval '1 month') m
    union all select new.organization_id, new.id, new.legal_entity_id, new.name || ' +', new.ends_on, new.ends_on, true;
    return null;
end $$;
create trigger periods after insert on ledger.fiscal_years for each row execute function ledger.make_periods();
create trigger stays before update of starts_on, ends_on, legal_entity_id on ledger.fiscal_years for each row
    when ((old.starts_on, old.ends_on, old.legal_entity_id) is distinct from (new.starts_on, new.ends_on, new.legal_entity_id))
    execute function app.refuse('The days of a fiscal year stay as they were made.');
create trigger stays_here before delete on ledger.fiscal_years for each row execute function app.refuse('A fiscal year stays.');
create trigger stays_here before delete on ledger.fiscal_periods for each row execute function app.refuse('A period stays.');

-- A line written by hand: currency and amount follow from debit and credit, or these from the amount at the rate of the day.
create function ledger.line_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare e record; rate numeric;
begin
    select j.entry_on, b.currency, b.digits into e from ledger.journal_entries j join ledger.legal_entities b on b.organization_id = j.organization_id and b.id = j.legal_entity_id
    where j.organization_id = new.organization_id and b.organization_id = new.organization_id and j.id = new.entry_id;
    new.currency := coalesce(new.currency, e.currency);
    if new.currency = e.currency then
        new.currency_amount := new.debit - new.credit;
    elsif new.debit = 0 and new.credit = 0 and new.currency_amount <> 0 then
        rate := ledger.rate(new.currency, e.currency, e.entry_on);
        if rate is null then raise exception 'There is no exchange rate of % for %.', new.currency, e.entry_on using errcode = 'AP001', column = 'currency'; end if;
        new.debit := greatest(round(new.currency_amount * rate, e.digits), 0);
        new.credit := greatest(round(-new.currency_amount * rate, e.digits), 0);
    elsif new.currency_amount is null then
        raise exception 'Say the amount in %.', new.currency using errcode = 'AP001', column = 'currency_amount';
    end if;
    if new.debit <> round(new.debit, e.digits) or new.credit <> round(new.credit, e.digits) then
        raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = case when new.debit > 0 then 'debit' else 'credit' end;
    end if;
    if tg_op = 'INSERT' and new.position is null then
        select coalesce(max(l.position), 0) + 1 into new.position from ledger.journal_entry_lines l where l.organization_id = new.organization_id and l.entry_id = new.entry_id;
    end if;
    return new;
end $$;
create trigger defaults before insert or update on ledger.journal_entry_lines for each row when (new.period_id is null) execute function ledger.line_defaults();

create function ledger.post_entry() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare s record; odd record;
begin
    new.period_id := coalesce(new.period_id, ledger.open_period(new.legal_entity_id, new.entry_on));
    update ledger.journal_entry_lines l set entry_on = new.entry_on, period_id = new.period_id, legal_entity_id = new.legal_entity_id
    where l.organization_id = new.organization_id and l.entry_id = new.id and l.period_id is null and l.deleted_at is null;
    select coalesce(sum(l.debit), 0) as debit, coalesce(sum(l.credit), 0) as credit, count(*) as n,
        min(a.code) filter (where a.is_group) as heading, min(a.code) filter (where not a.is_active or a.deleted_at is not null) as resting,
        min(a.code) filter (where a.currency <> l.currency) as other
    into s from ledger.journal_entry_lines l join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id
    where l.organization_id = new.organization_id and a.organization_id = new.organization_id and l.entry_id = new.id and l.deleted_at is null;
    if s.n < 2 then raise exception 'An entry needs a debit and a credit.' using errcode = 'AP001', column = 'lines'; end if;
    if s.debit <> s.credit then
        raise exception 'An entry has as much debit as credit: here it is % and %.', trim_scale(s.debit), trim_scale(s.credit) using errcode = 'AP001', column = 'lines';
    end if;
    if s.heading is not null then raise exception 'Nothing can be written on the heading %.', s.heading using errcode = 'AP001', column = 'lines'; end if;
    if s.resting is not null then raise exception 'The account % is no longer used.', s.resting using errcode = 'AP001', column = 'lines'; end if;
    if s.other is not null then raise exception 'The account % is kept in another currency.', s.other using errcode = 'AP001', column = 'lines'; end if;
    for odd in select l.currency, sum(l.currency_amount) as amount from ledger.journal_entry_lines l
        where l.organization_id = new.organization_id and l.entry_id = new.id and l.deleted_at is null group by 1 having sum(l.currency_amount) <> 0 limit 1
    loop
        raise exception 'In % this entry does not balance: by %. Money that changes its currency goes over the conversion account.', odd.currency, trim_scale(odd.amount)
            using errcode = 'AP001', column = 'lines';
    end loop;
    new.debit := s.debit;
    new.credit := s.credit;
    new.number := coalesce(new.number, app.next_number('JE', new.entry_on));
    return new;
end $$;
create trigger posts before update on ledger.journal_entries for each row when (old.status = 'draft' and new.status = 'posted') execute function ledger.post_entry();

-- A posted line is what it is; it may only be folded into its balance.
create function ledger.keep_line() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - '{is_folded,version,updated_at,updated_by}'::text[] = to_jsonb(old) - '{is_folded,version,updated_at,updated_by}'::text[] then
        return new;
    end if;
    raise exception 'What is written in the books stays; reverse the entry instead.' using errcode = 'AP001';
end $$;
create trigger keeps before update or delete on ledger.journal_entry_lines for each row when (old.period_id is not null) execute function ledger.keep_line();
create function ledger.keep_entry() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - '{is_reversed,version,updated_at,updated_by,custom,search,search_text}'::text[] = to_jsonb(old) - '{is_reversed,version,updated_at,updated_by,custom,search,search_text}'::text[] then
        return new;
    end if;
    raise exception 'What is written in the books stays; reverse the entry instead.' using errcode = 'AP001';
end $$;
create trigger keeps before update or delete on ledger.journal_entries for each row when (old.status = 'posted') execute function ledger.keep_entry();

-- Parts of a whole in proportion to the weights, each rounded to the digits, that add up to the whole: what rounding down
-- leaves goes to the parts that lost most by it, the first of equals first. Weights are not negative; all nothing, the
-- whole goes to the first.
create function ledger.shares(whole numeric, weights numeric[], digits integer) returns numeric[] language plpgsql immutable set search_path = pg_catalog as $$
declare total numeric; parts numeric[];
begin
    select coalesce(sum(w), 0) into total from unnest(weights) w;
    if total = 0 then
        return array(select case when n = 1 then whole else 0 end from generate_subscripts(weights, 1) n order by n);
    end if;
    return array(
        with exact as (
            select n, whole * w / total as part, trunc(whole * w / total, digits) as cut from unnest(weights) with ordinality u (w, n)
        ), ranked as (
            select e.n, e.cut, row_number() over (order by abs(e.part - e.cut) desc, e.n) as rank,
                round((whole - sum(e.cut) over ()) * power(10::numeric, digits)) as units from exact e
        )
        select r.cut + case when r.rank <= abs(r.units) then sign(r.units) * power(10::numeric, -digits) else 0 end from ranked r order by r.n);
end $$;

-- What a module has written for a document. `base` is in the currency of the books, `amount` in its own; debit is more than
-- nothing, credit less.
create type ledger.posting as (
    account_id uuid, base numeric, currency text, amount numeric, party_id uuid, product_id uuid, project_id uuid, department_id uuid,
    tax_id uuid, tax_rate numeric, tax_base numeric, tax_on date, memo text
);

-- For other modules: writes an entry and posts it. Nothing to write is nothing written: null.
create function ledger.post(of_entity uuid, in_journal text, on_day date, of_number text, of_description text, from_source text, from_id uuid, for_event text,
    postings ledger.posting[], in_period uuid default null, of_entry uuid default null) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare made uuid := app.new_id(); span constant uuid := coalesce(in_period, ledger.open_period(of_entity, on_day));
begin
    if not exists (select from unnest(postings) p where p.base <> 0) then return null; end if;
    insert into ledger.journal_entries (id, legal_entity_id, journal_id, entry_on, number, description, source, source_id, event, reverses_id)
    values (made, of_entity, ledger.journal(in_journal), on_day, of_number, left(of_description, 500), from_source, from_id, for_event, of_entry);
    insert into ledger.journal_entry_lines (entry_id, position, account_id, debit, credit, currency, currency_amount, party_id, product_id, project_id, department_id,
        tax_id, tax_rate, tax_base, tax_on, memo, entry_on, period_id, legal_entity_id)
    select made, p.n, p.account_id, greatest(p.base, 0), greatest(-p.base, 0), p.currency, p.amount, p.party_id, p.product_id, p.project_id, p.department_id,
        p.tax_id, p.tax_rate, p.tax_base, p.tax_on, left(p.memo, 500), on_day, span, of_entity
    from unnest(postings) with ordinality p (account_id, base, currency, amount, party_id, product_id, project_id, department_id, tax_id, tax_rate, tax_base, tax_on, memo, n)
    where p.base <> 0 or p.amount <> 0;
    update ledger.journal_entries e set status = 'posted', period_id = in_period where e.organization_id = app.organization() and e.id = made;
    return made;
end $$;

-- The same the other way round, on a later day; what closed a year is taken back where it was written.
create function ledger.reverse(of_entry uuid, on_day date, why text) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); e ledger.journal_entries; kind text; postings ledger.posting[];
begin
    select * into e from ledger.journal_entries x where x.organization_id = here and x.id = of_entry for no key update;
    if e.status is distinct from 'posted' then raise exception 'Only a posted entry can be reversed.' using errcode = 'AP001'; end if;
    if e.is_reversed then raise exception 'This entry has been reversed already.' using errcode = 'AP001'; end if;
    if e.reverses_id is not null then raise exception 'This entry is a reversal itself; write what you mean as a new entry.' using errcode = 'AP001'; end if;
    if on_day < e.entry_on then raise exception 'An entry cannot be reversed before it was made.' using errcode = 'AP001', column = 'reversed_on'; end if;
    select array_agg(row (l.account_id, l.credit - l.debit, l.currency, -l.currency_amount, l.party_id, l.product_id, l.project_id, l.department_id,
        l.tax_id, l.tax_rate, -l.tax_base, l.tax_on, l.memo)::ledger.posting order by l.position) into postings
    from ledger.journal_entry_lines l where l.organization_id = here and l.entry_id = of_entry and l.deleted_at is null;
    select j.kind into kind from ledger.journals j where j.organization_id = here and j.id = e.journal_id;
    update ledger.journal_entries x set is_reversed = true where x.organization_id = here and x.id = of_entry;
    return ledger.post(e.legal_entity_id, kind, on_day, case when e.source not like 'ledger.%' then e.number end, concat_ws(': ', e.number, coalesce(why, e.description)),
        e.source, e.source_id, e.event, postings,
        (select p.id from ledger.fiscal_periods p where p.organization_id = here and p.id = e.period_id and p.is_closing), of_entry);
end $$;

-- Puts what was written since into the balances, a few thousand lines at a time.
create function ledger.fold() returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); n bigint;
begin
    loop
        with taken as (
            select l.id from ledger.journal_entry_lines l where l.organization_id = here and l.period_id is not null and not l.is_folded limit 20000 for update skip locked
        ), folded as (
            update ledger.journal_entry_lines l set is_folded = true from taken t where l.organization_id = here and l.id = t.id
            returning l.legal_entity_id, l.account_id, l.period_id, l.debit, l.credit
        ), sums as (
            select f.legal_entity_id, f.account_id, f.period_id, sum(f.debit) as debit, sum(f.credit) as credit, count(*) as n from folded f group by 1, 2, 3
        ), kept as (
            insert into ledger.account_balances as b (legal_entity_id, account_id, period_id, debit, credit)
            select s.legal_entity_id, s.account_id, s.period_id, s.debit, s.credit from sums s order by s.period_id, s.account_id
            on conflict on constraint account_balances_once do update set debit = b.debit + excluded.debit, credit = b.credit + excluded.credit
            returning 1
        )
        select coalesce(sum(s.n), 0) into n from sums s;
        exit when n < 20000;
    end loop;
end $$;
revoke execute on function ledger.fold() from public;

create function ledger.daily() returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    perform ledger.fold();
end $$;
revoke execute on function ledger.daily() from public;

-- Closing a year: its profit goes to retained earnings, in a period of its own, and its months are locked. In the order of
-- the years; opened again in the opposite one.
create function ledger.close_year() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; other text; books ledger.legal_entities; postings ledger.posting[]; total numeric; closing ledger.fiscal_periods; closed uuid;
begin
    select min(y.name) into other from ledger.fiscal_years y where y.organization_id = here and y.legal_entity_id = new.legal_entity_id
        and case when new.status = 'closed' then y.starts_on < new.starts_on and y.status = 'open' else y.starts_on > new.starts_on and y.status = 'closed' end;
    if other is not null then
        if new.status = 'closed' then raise exception 'Close % first.', other using errcode = 'AP001'; end if;
        raise exception 'Open % first.', other using errcode = 'AP001';
    end if;
    select * into strict books from ledger.legal_entities b where b.organization_id = here and b.id = new.legal_entity_id;
    -- Whoever writes in one of its periods now is waited for.
    perform 1 from ledger.fiscal_periods p where p.organization_id = here and p.fiscal_year_id = new.id order by p.starts_on, p.is_closing for no key update;
    select * into strict closing from ledger.fiscal_periods p where p.organization_id = here and p.fiscal_year_id = new.id and p.is_closing;
    if new.status = 'closed' then
        if exists (select from ledger.journal_entries e where e.organization_id = here and e.legal_entity_id = new.legal_entity_id and e.status = 'draft'
                   and e.entry_on between new.starts_on and new.ends_on and e.deleted_at is null) then
            raise exception 'There are drafts in this year: post or delete them first.' using errcode = 'AP001';
        end if;
        select array_agg(row (s.account_id, s.credit - s.debit, books.currency, s.credit - s.debit, null, null, null, null, null, null, null, null, null)::ledger.posting order by a.code),
            sum(s.debit - s.credit) into postings, total
        from ledger.sums(new.starts_on, new.ends_on, array[new.legal_entity_id], false) s
        join ledger.ledger_accounts a on a.organization_id = here and a.id = s.account_id and a.kind in ('revenue', 'expense') where s.debit <> s.credit;
        if total <> 0 then
            postings := postings || row (ledger.account('retained_earnings'), total, books.currency, total, null, null, null, null, null, null, null, null, null)::ledger.posting;
        end if;
        perform ledger.post(new.legal_entity_id, 'closing', new.ends_on, null, new.name, 'ledger.fiscal_years', new.id, 'close', postings, closing.id);
        update ledger.fiscal_periods p set status = 'locked' where p.organization_id = here and p.fiscal_year_id = new.id and p.status = 'open';
    else
        update ledger.fiscal_periods p set status = 'open' where p.organization_id = here and p.fiscal_year_id = new.id and p.status = 'locked';
        select e.id into closed from ledger.journal_entries e where e.organization_id = here and e.source = 'ledger.fiscal_years' and e.source_id = new.id
            and e.event = 'close' and e.reverses_id is null and not e.is_reversed;
        if closed is not null then perform ledger.reverse(closed, new.ends_on, null); end if;
    end if;
    return new;
end $$;
create trigger closes before update on ledger.fiscal_years for each row when (old.status is distinct from new.status) execute function ledger.close_year();

create function ledger.check_unlock() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if exists (select from ledger.fiscal_years y where y.organization_id = new.organization_id and y.id = new.fiscal_year_id and y.status = 'closed') then
        raise exception 'The year of this period is closed: open the year again first.' using errcode = 'AP001';
    end if;
    return new;
end $$;
-- A year that is opened again is still closed in its own row while its periods are unlocked.
create trigger unlocks before update on ledger.fiscal_periods for each row
    when (old.status = 'locked' and new.status = 'open' and pg_trigger_depth() < 1) execute function ledger.check_unlock();

-- What was written on each account from a day through another, out of the balances of whole periods and the lines of others.
-- Runs with the rights of whoever asks.
create function ledger.sums(from_on date, to_on date, entities uuid[], with_closing boolean) returns table (legal_entity_id uuid, account_id uuid, debit numeric, credit numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := app.organization();
begin
    return query
    with spans as materialized (
        -- A month that has begun is whole too when nothing in it is later than the last day.
        select p.id, p.starts_on >= from_on and (p.ends_on <= to_on or not exists (select from ledger.journal_entries e
            where e.organization_id = here and e.period_id = p.id and e.entry_on > to_on)) as is_whole from ledger.fiscal_periods p
        where p.organization_id = here and p.ends_on >= from_on and p.starts_on <= to_on and (entities is null or p.legal_entity_id = any (entities))
          and (with_closing or not p.is_closing)
    )
    select q.legal_entity_id, q.account_id, sum(q.debit), sum(q.credit) from (
        select b.legal_entity_id, b.account_id, b.debit, b.credit from ledger.account_balances b join spans s on s.id = b.period_id and s.is_whole
        where b.organization_id = here
        union all
        select l.legal_entity_id, l.account_id, l.debit, l.credit from ledger.journal_entry_lines l join spans s on s.id = l.period_id and s.is_whole
        where l.organization_id = here and not l.is_folded and l.period_id is not null
        union all
        select l.legal_entity_id, l.account_id, l.debit, l.credit from ledger.journal_entry_lines l join spans s on s.id = l.period_id and not s.is_whole
        where l.organization_id = here and l.period_id is not null and l.entry_on between from_on and to_on
    ) q group by 1, 2;
end $$;

-- Debit less credit of each account, in one currency: of one legal entity in its own, or of all together without what they
-- have with each other. What belongs to a span of time goes at its average rate, what stands on a day at that of the day.
create function ledger.figures(from_on date, to_on date, of_entity uuid, into_currency text, at_average boolean, with_closing boolean)
returns table (account_id uuid, amount numeric) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := app.organization(); e ledger.legal_entities; rate numeric; places smallint := app.digits(into_currency); inside uuid[];
begin
    inside := array(select x.party_id from ledger.legal_entities x where x.organization_id = here and x.party_id is not null and x.deleted_at is null);
    for e in select * from ledger.legal_entities x where x.organization_id = here and x.deleted_at is null and (of_entity is null or x.id = of_entity) loop
        if e.currency = into_currency then rate := 1;
        elsif at_average then
            select avg(ledger.rate(e.currency, into_currency, d)) into rate from (
                select m::date as d from generate_series(from_on, to_on, interval '1 month') m union select to_on) days;
        else rate := ledger.rate(e.currency, into_currency, to_on);
        end if;
        if rate is null then raise exception 'There is no exchange rate of % for %.', e.currency, to_on using errcode = 'AP001', column = 'to'; end if;
        return query
        select q.account_id, round(sum(q.amount) * rate, places) from (
            select s.account_id, s.debit - s.credit as amount from ledger.sums(from_on, to_on, array[e.id], with_closing) s
            union all
            select l.account_id, l.credit - l.debit from ledger.journal_entry_lines l join ledger.fiscal_periods p on p.organization_id = here and p.id = l.period_id
            where of_entity is null and l.organization_id = here and l.party_id = any (inside) and l.legal_entity_id = e.id
              and l.entry_on between from_on and to_on and (with_closing or not p.is_closing)
        ) q group by 1;
    end loop;
end $$;

-- What was taxed and the tax on it, entry by entry, by the day of supply. A tax line that says what it was counted from
-- speaks for its base, each tax of a group by itself; else what stands on the other accounts with that tax is the base.
create function ledger.taxed(of_organization uuid, from_on date, to_on date, of_entity uuid)
returns table (entry_id uuid, supplied_on date, direction text, tax_id uuid, tax_rate numeric, base numeric, tax numeric)
language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
declare here constant uuid := of_organization;
begin
    return query
    select l.entry_id, coalesce(l.tax_on, l.entry_on), q.direction, l.tax_id, l.tax_rate::numeric,
        case when a.category <> 'tax' then q.sign * (l.debit - l.credit) else q.sign * coalesce(l.tax_base, 0) end,
        case when a.category = 'tax' then q.sign * (l.debit - l.credit) else 0 end
    from ledger.journal_entry_lines l
    join ledger.ledger_accounts a on a.organization_id = here and a.id = l.account_id
    left join products.taxes t on t.organization_id = here and t.id = l.tax_id
    cross join lateral (select case when a.purpose = 'withheld' then 'withheld' when a.kind = 'revenue' or a.purpose in ('tax_out', 'discount_given') then 'out' else 'in' end as direction,
        case when a.purpose in ('tax_out', 'discount_given', 'withheld') or a.kind = 'revenue' then -1 else 1 end as sign) q
    where l.organization_id = here and l.tax_rate is not null and l.period_id is not null
      and coalesce(l.tax_on, l.entry_on) between from_on and to_on and l.legal_entity_id = of_entity
      and (a.category = 'tax' or not exists (select from ledger.journal_entry_lines x join ledger.ledger_accounts b on b.organization_id = here and b.id = x.account_id
          and b.category = 'tax' and b.purpose is distinct from 'withheld'
          where x.organization_id = here and x.entry_id = l.entry_id and x.tax_base is not null
            and (x.tax_id is not distinct from l.tax_id and (x.tax_rate = l.tax_rate or t.kind = 'reverse_charge') or t.kind = 'group' and l.tax_rate > 0)));
end $$;

-- What is open in other currencies, worth what it is on that day; taken back on the next. Answers how much was gained.
create function ledger.revalue(of_entity uuid, as_of date) returns numeric language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); books ledger.legal_entities; o record; postings ledger.posting[] := '{}'; total numeric := 0; rate numeric; diff numeric; made uuid;
begin
    select * into books from ledger.legal_entities b where b.organization_id = here and b.id = of_entity for no key update;
    if not found then raise exception 'There is no such legal entity.' using errcode = 'AP001'; end if;
    if exists (select from ledger.journal_entries e where e.organization_id = here and e.source = 'ledger.legal_entities' and e.source_id = of_entity and e.event = 'revalue ' || as_of) then
        raise exception 'The open amounts were valued for this day already.' using errcode = 'AP001', column = 'as_of';
    end if;
    for o in
        select l.account_id, l.party_id, l.currency, sum(l.currency_amount) as amount, sum(l.debit - l.credit) as base
        from ledger.ledger_accounts a join ledger.journal_entry_lines l on l.organization_id = a.organization_id and l.account_id = a.id
        where a.organization_id = here and l.organization_id = here and a.category in ('receivable', 'payable', 'bank', 'cash', 'loan') and l.period_id is not null
          and a.purpose is distinct from 'conversion'    -- money that changed its currency there is gone
          and l.legal_entity_id = of_entity and l.entry_on <= as_of and l.currency <> books.currency
        group by 1, 2, 3 order by 3, 1, 2
    loop
        rate := ledger.rate(o.currency, books.currency, as_of);
        if rate is null then raise exception 'There is no exchange rate of % for %.', o.currency, as_of using errcode = 'AP001', column = 'as_of'; end if;
        diff := round(o.amount * rate, books.digits) - o.base;
        if diff = 0 then continue; end if;
        postings := postings || row (o.account_id, diff, o.currency, 0, o.party_id, null, null, null, null, null, null, null, null)::ledger.posting
            || row (ledger.account(case when diff > 0 then 'unrealised_gain' else 'unrealised_loss' end), -diff, o.currency, 0, null, null, null, null, null, null, null, null, null)::ledger.posting;
        total := total + diff;
    end loop;
    made := ledger.post(of_entity, 'exchange', as_of, null, null, 'ledger.legal_entities', of_entity, 'revalue ' || as_of, postings);
    if made is not null then perform ledger.reverse(made, as_of + 1, null); end if;
    return total;
end $$;

-- For `fondaco verify`: what does not follow from what it should follow from. Whoever asks sees what he may see.
create function ledger.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with sums as (
        select l.organization_id, l.entry_id, sum(l.debit) as debit, sum(l.credit) as credit from ledger.journal_entry_lines l
        where l.period_id is not null and l.deleted_at is null group by 1, 2
    )
    select e.organization_id, format('entry %s of %s: its lines are debit %s and credit %s, it says %s', e.number, e.entry_on, coalesce(s.debit, 0), coalesce(s.credit, 0), e.debit)
    from ledger.journal_entries e left join sums s on s.organization_id = e.organization_id and s.entry_id = e.id
    where e.status = 'posted' and (s.debit is distinct from s.credit or s.debit is distinct from e.debit or e.debit <> e.credit)
    union all
    select l.organization_id, format('entry %s: in %s it does not balance by %s', e.number, l.currency, sum(l.currency_amount))
    from ledger.journal_entry_lines l join ledger.journal_entries e on e.organization_id = l.organization_id and e.id = l.entry_id and e.status = 'posted'
    where l.deleted_at is null group by 1, e.id, e.number, l.currency having sum(l.currency_amount) <> 0
    union all
    select l.organization_id, format('entry %s of %s: a line of it is in another period', e.number, e.entry_on)
    from ledger.journal_entry_lines l join ledger.journal_entries e on e.organization_id = l.organization_id and e.id = l.entry_id
    where (l.period_id, l.entry_on, l.legal_entity_id) is distinct from (e.period_id, case when e.period_id is not null then e.entry_on end,
        case when e.period_id is not null then e.legal_entity_id end) and l.deleted_at is null
    union all
    select e.organization_id, format('entry %s: %s is not in its period %s', e.number, e.entry_on, p.name)
    from ledger.journal_entries e join ledger.fiscal_periods p on p.organization_id = e.organization_id and p.id = e.period_id
    where e.entry_on not between p.starts_on and p.ends_on or e.legal_entity_id <> p.legal_entity_id
    union all
    select coalesce(b.organization_id, l.organization_id), format('account %s in %s: the balance says %s and %s, its lines %s and %s',
        (select a.code from ledger.ledger_accounts a where a.organization_id = coalesce(b.organization_id, l.organization_id) and a.id = coalesce(b.account_id, l.account_id)),
        (select p.name from ledger.fiscal_periods p where p.organization_id = coalesce(b.organization_id, l.organization_id) and p.id = coalesce(b.period_id, l.period_id)),
        coalesce(b.debit, 0), coalesce(b.credit, 0), coalesce(l.debit, 0), coalesce(l.credit, 0))
    from ledger.account_balances b
    full join (select l.organization_id, l.period_id, l.account_id, sum(l.debit) as debit, sum(l.credit) as credit from ledger.journal_entry_lines l
               where l.period_id is not null and l.is_folded group by 1, 2, 3) l
        on l.organization_id = b.organization_id and l.period_id = b.period_id and l.account_id = b.account_id
    where b.debit is distinct from l.debit or b.credit is distinct from l.credit
    union all
    select c.organization_id, format('journal entries: %s numbers were given, %s are there', c.last, count(e.id))
    from app.counters c left join ledger.journal_entries e on e.organization_id = c.organization_id and e.number is not null
        and (e.source is null or e.source like 'ledger.%')
    where c.series = 'JE' and c.period = '' group by 1, c.last having count(e.id) <> c.last;
end $$;
comment on function ledger.verify() is 'Entries that do not balance, balances that are not the sum of their lines, numbers that are missing.';
