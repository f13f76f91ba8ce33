create schema banking;
comment on schema banking is 'Bank accounts and cash desks, what the bank says and what it means, payments sent to the bank.';

-- ISO 13616: the country''s four first characters go to the end, letters count from ten, and the rest of a division by 97 is one.
create function banking.valid_iban(iban text) returns boolean language plpgsql immutable strict parallel safe as $$
declare rest integer := 0; sign text;
begin
    if iban !~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$' then return false; end if;
    foreach sign in array string_to_array(substr(iban, 5) || left(iban, 4), null) loop
        rest := case when sign ~ '[0-9]' then rest * 10 + sign::integer else rest * 100 + ascii(sign) - 55 end % 97;
    end loop;
    return rest = 1;
end $$;

create table banking.bank_accounts (
    like app.record including all,
    name                   text not null constraint account_has_a_name check (name ~ '\S' and length(name) <= 100),
    kind                   text not null default 'bank' check (kind in ('bank', 'cash', 'gateway')),
    currency               text references app.currencies,
    digits                 smallint not null default 2,
    account_id             uuid,
    legal_entity_id        uuid,
    bank_name              text constraint bank_name_is_short check (length(bank_name) <= 100),
    iban                   text constraint iban_is_valid check (banking.valid_iban(iban)),
    bic                    text constraint bic_is_valid check (bic ~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$'),
    opening_on             date not null default current_date,
    opening_balance        app.money not null default 0,
    fee_percent            app.percent constraint fee_percent_is_a_part check (fee_percent between 0 and 100),
    fee_account_id         uuid,
    difference_account_id  uuid,
    roles                  text[] not null default '{}',
    csv_mapping            jsonb constraint csv_mapping_is_a_map check (jsonb_typeof(csv_mapping) = 'object'),
    is_active              boolean not null default true,
    note                   app.textarea,
    constraint bank_accounts_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint bank_accounts_legal_entity foreign key (organization_id, legal_entity_id) references ledger.legal_entities,
    constraint bank_accounts_fee_account foreign key (organization_id, fee_account_id) references ledger.ledger_accounts,
    constraint bank_accounts_difference foreign key (organization_id, difference_account_id) references ledger.ledger_accounts,
    constraint account_has_a_currency check (currency is not null),
    constraint account_stands_in_the_books check (account_id is not null),
    constraint opening_is_rounded check (opening_balance = round(opening_balance, digits)),
    constraint cash_has_no_iban check (kind <> 'cash' or iban is null)
);
comment on table banking.bank_accounts is 'Where our money is: an account at a bank, a cash desk, a card gateway. Each has a ledger account of its own.';
comment on column banking.bank_accounts.currency is 'Empty: that of our books.';
comment on column banking.bank_accounts.account_id is 'Where it stands in the books; empty: one is made.';
comment on column banking.bank_accounts.opening_on is 'Since when it is kept here.';
comment on column banking.bank_accounts.opening_balance is 'What was on it then; empty: what the first statement begins with.';
comment on column banking.bank_accounts.fee_percent is 'What a gateway usually keeps of a payment.';
comment on column banking.bank_accounts.fee_account_id is 'On which account its fees are written.';
comment on column banking.bank_accounts.difference_account_id is 'On which account it is written when counting finds more or less.';
comment on column banking.bank_accounts.roles is 'Who may work with it, by the names of roles; empty: everybody who may work with accounts.';
comment on column banking.bank_accounts.csv_mapping is 'Which column of the bank''s CSV files is what, as it was last said.';
comment on constraint account_has_a_name on banking.bank_accounts is 'A name has 1 to 100 characters.';
comment on constraint bank_name_is_short on banking.bank_accounts is 'The name of a bank has at most 100 characters.';
comment on constraint iban_is_valid on banking.bank_accounts is 'This is not an IBAN: its check digits do not fit.';
comment on constraint bic_is_valid on banking.bank_accounts is 'A BIC has 8 or 11 letters and digits.';
comment on constraint fee_percent_is_a_part on banking.bank_accounts is 'A fee is 0 to 100 percent.';
comment on constraint csv_mapping_is_a_map on banking.bank_accounts is 'A mapping says for each field which column it is in.';
comment on constraint account_has_a_currency on banking.bank_accounts is 'An account needs a currency.';
comment on constraint account_stands_in_the_books on banking.bank_accounts is 'An account needs a ledger account.';
comment on constraint opening_is_rounded on banking.bank_accounts is 'The amount has more digits than the currency.';
comment on constraint cash_has_no_iban on banking.bank_accounts is 'A cash desk has no IBAN.';
comment on constraint bank_accounts_currency_fkey on banking.bank_accounts is 'There is no such currency.';
create unique index bank_accounts_ledger on banking.bank_accounts (organization_id, account_id) where deleted_at is null;
comment on index banking.bank_accounts_ledger is 'This ledger account is that of another bank account.';
create unique index bank_accounts_iban on banking.bank_accounts (organization_id, iban) where deleted_at is null;
comment on index banking.bank_accounts_iban is 'There is an account with this IBAN already.';
select app.searchable('banking.bank_accounts', 'A: name, iban; B: bank_name');

create table banking.party_accounts (
    like app.record including all,
    party_id    uuid not null,
    iban        text not null constraint iban_is_valid check (banking.valid_iban(iban)),
    bic         text constraint bic_is_valid check (bic ~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$'),
    holder      text constraint holder_is_short check (length(holder) <= 140),
    is_default  boolean not null default false,
    is_learned  boolean not null default false,
    constraint party_accounts_party foreign key (organization_id, party_id) references parties.parties on delete cascade
);
comment on table banking.party_accounts is 'The bank account of a party: who pays from it is known, and it can be paid to.';
comment on column banking.party_accounts.holder is 'In whose name it is; empty: the party''s.';
comment on column banking.party_accounts.is_default is 'The one that bills are paid to.';
comment on column banking.party_accounts.is_learned is 'Seen on a statement. Nothing is paid to it before somebody confirms it.';
comment on constraint iban_is_valid on banking.party_accounts is 'This is not an IBAN: its check digits do not fit.';
comment on constraint bic_is_valid on banking.party_accounts is 'A BIC has 8 or 11 letters and digits.';
comment on constraint holder_is_short on banking.party_accounts is 'A name has at most 140 characters.';
create unique index party_accounts_iban on banking.party_accounts (organization_id, party_id, iban) where deleted_at is null;
comment on index banking.party_accounts_iban is 'This party has this account already.';
create unique index party_accounts_default on banking.party_accounts (organization_id, party_id) where is_default and deleted_at is null;
comment on index banking.party_accounts_default is 'Another account of this party is the default already.';
create index party_accounts_by_iban on banking.party_accounts (organization_id, iban);

create table banking.statements (
    like app.record including all,
    number           text not null default app.next_number('ST'),
    bank_account_id  uuid not null,
    reference        text,
    file_name        text constraint file_name_is_short check (length(file_name) <= 255),
    format           text not null constraint format_is_known check (format in ('csv', 'camt', 'mt940', 'lines')),
    from_on          date not null,
    through_on       date not null,
    currency         text not null,
    opening          app.money not null,
    closing          app.money not null,
    line_count       integer not null default 0,
    matched_count    integer not null default 0,
    open_count       integer not null generated always as (line_count - matched_count) stored,
    constraint statements_account foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint statement_ends_after_its_begin check (from_on <= through_on)
);
comment on table banking.statements is 'What the bank says happened on an account, from one balance to the next.';
comment on column banking.statements.reference is 'What the bank calls it.';
comment on column banking.statements.line_count is 'Its lines that no earlier statement had.';
comment on column banking.statements.matched_count is 'How many of them are in the books.';
comment on constraint file_name_is_short on banking.statements is 'A file''s name has at most 255 characters.';
comment on constraint statement_ends_after_its_begin on banking.statements is 'A statement cannot end before it begins.';
create index statements_through on banking.statements (organization_id, bank_account_id, through_on);

create table banking.statement_lines (
    like app.record including all,
    statement_id        uuid not null,
    bank_account_id     uuid not null,
    position            integer not null,
    booked_on           date not null,
    value_on            date,
    amount              app.money not null constraint line_moves_money check (amount <> 0),
    currency            text not null,
    counterparty        text,
    iban                text,
    bic                 text,
    text                text,
    reference           text,
    end_to_end          text,
    creditor_reference  text,
    fingerprint         text not null,
    status              text not null,
    matched_by          uuid,
    matched_at          timestamptz,
    constraint statement_lines_statement foreign key (organization_id, statement_id) references banking.statements,
    constraint statement_lines_account foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint statement_lines_once unique (organization_id, bank_account_id, fingerprint)
);
comment on table banking.statement_lines is 'One movement of a bank account, as the bank says: money in is more than nothing, money out less.';
comment on column banking.statement_lines.counterparty is 'Who paid, or was paid.';
comment on column banking.statement_lines.iban is 'The account of the other side.';
comment on column banking.statement_lines.reference is 'What the bank calls it.';
comment on column banking.statement_lines.end_to_end is 'What who paid calls it.';
comment on column banking.statement_lines.creditor_reference is 'The reference of who is paid, with check digits: RF18….';
comment on column banking.statement_lines.fingerprint is 'What tells it from every other line, so that no file brings it in twice.';
comment on constraint line_moves_money on banking.statement_lines is 'A line of nothing is no line.';
comment on constraint statement_lines_once on banking.statement_lines is 'This line is here already.';
create index statement_lines_open on banking.statement_lines (organization_id, bank_account_id, booked_on) where status = 'open';
create index statement_lines_day on banking.statement_lines (organization_id, bank_account_id, booked_on);
create index statement_lines_iban on banking.statement_lines (organization_id, iban) where iban is not null;
select app.searchable('banking.statement_lines', 'A: counterparty, reference; B: text, iban, end_to_end');

create table banking.line_matches (
    like app.record including all,
    line_id          uuid not null,
    bank_account_id  uuid not null,
    amount           app.money not null,
    entry_id         uuid not null,
    payment_id       uuid,
    invoice_id       uuid,
    write_off_id     uuid,
    made             text not null constraint made_is_known check (made in ('nothing', 'payment', 'entry')),
    undone_at        timestamptz,
    undone_by        uuid,
    constraint line_matches_line foreign key (organization_id, line_id) references banking.statement_lines,
    constraint line_matches_account foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint line_matches_entry foreign key (organization_id, entry_id) references ledger.journal_entries,
    constraint line_matches_payment foreign key (organization_id, payment_id) references finance.payments,
    constraint line_matches_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint line_matches_write_off foreign key (organization_id, write_off_id) references finance.write_offs
);
comment on table banking.line_matches is 'Which entry in the books a line of a statement is, and for how much of it. Undone, it stays with the day.';
comment on column banking.line_matches.made is 'What matching has made, and undoing takes back.';
create unique index line_matches_once on banking.line_matches (organization_id, bank_account_id, entry_id) where undone_at is null;
comment on index banking.line_matches_once is 'This is on a statement already.';
create unique index line_matches_payment_once on banking.line_matches (organization_id, payment_id) where undone_at is null and payment_id is not null;
comment on index banking.line_matches_payment_once is 'This payment is on a statement already.';

create table banking.reconciliation_rules (
    like app.record including all,
    name             text not null constraint rule_has_a_name check (name ~ '\S' and length(name) <= 100),
    position         integer not null default 10,
    bank_account_id  uuid,
    condition        jsonb not null default '{}' constraint condition_is_a_tree check (jsonb_typeof(condition) = 'object'),
    account_id       uuid,
    party_id         uuid,
    tax_id           uuid,
    memo             text constraint memo_is_short check (length(memo) <= 500),
    is_sure          boolean not null default false,
    is_active        boolean not null default true,
    constraint rules_bank_account foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint rules_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint rules_party foreign key (organization_id, party_id) references parties.parties,
    constraint rules_tax foreign key (organization_id, tax_id) references products.taxes,
    constraint rule_leads_somewhere check (account_id is not null or party_id is not null),
    constraint taxed_on_an_account check (tax_id is null or account_id is not null)
);
comment on table banking.reconciliation_rules is 'What lines of statements mean that look alike: on which account they are written, or whose money it is.';
comment on column banking.reconciliation_rules.position is 'The first that fits is taken.';
comment on column banking.reconciliation_rules.bank_account_id is 'Only for this one; empty: for all.';
comment on column banking.reconciliation_rules.condition is 'Of the line: text, counterparty, iban, reference, amount, booked_on; as in filters.';
comment on column banking.reconciliation_rules.is_sure is 'Taken without a look when all sure lines are taken at once.';
comment on constraint rule_has_a_name on banking.reconciliation_rules is 'A name has 1 to 100 characters.';
comment on constraint condition_is_a_tree on banking.reconciliation_rules is 'A condition is written as in filters.';
comment on constraint memo_is_short on banking.reconciliation_rules is 'A memo has at most 500 characters.';
comment on constraint rule_leads_somewhere on banking.reconciliation_rules is 'A rule names an account or a party.';
comment on constraint taxed_on_an_account on banking.reconciliation_rules is 'A tax goes with an account.';

create table banking.transfers (
    like app.record including all,
    number           text not null default app.next_number('TR'),
    moved_on         date not null default current_date,
    from_id          uuid not null,
    to_id            uuid not null,
    amount           app.money not null constraint amount_is_positive check (amount > 0),
    received_amount  app.money constraint received_is_positive check (received_amount > 0),
    note             text constraint note_is_short check (length(note) <= 500),
    status           text not null,
    constraint transfers_from foreign key (organization_id, from_id) references banking.bank_accounts,
    constraint transfers_to foreign key (organization_id, to_id) references banking.bank_accounts,
    constraint transfers_between_two check (from_id <> to_id)
);
comment on table banking.transfers is 'Money that goes from one of our accounts to another, perhaps into another currency.';
comment on column banking.transfers.amount is 'What left, in the currency of the account that it left.';
comment on column banking.transfers.received_amount is 'What arrived, in the currency of the other; empty: the same.';
comment on constraint amount_is_positive on banking.transfers is 'An amount must be more than nothing.';
comment on constraint received_is_positive on banking.transfers is 'An amount must be more than nothing.';
comment on constraint note_is_short on banking.transfers is 'A note has at most 500 characters.';
comment on constraint transfers_between_two on banking.transfers is 'A transfer goes from one account to another.';

create table banking.cash_days (
    like app.record including all,
    bank_account_id  uuid not null,
    opened_on        date not null default current_date,
    counted          app.money constraint counted_not_negative check (counted >= 0),
    expected         app.money,
    difference       app.money generated always as (counted - expected) stored,
    closed_by        uuid,
    closed_at        timestamptz,
    note             text constraint note_is_short check (length(note) <= 500),
    status           text not null,
    constraint cash_days_account foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint closed_days_are_counted check (status = 'open' or counted is not null)
);
comment on table banking.cash_days is 'A day of a cash desk: opened, and closed when the money was counted.';
comment on column banking.cash_days.counted is 'What was found in the desk.';
comment on column banking.cash_days.expected is 'What the books said was in it.';
comment on constraint counted_not_negative on banking.cash_days is 'Less than nothing cannot be counted.';
comment on constraint note_is_short on banking.cash_days is 'A note has at most 500 characters.';
comment on constraint closed_days_are_counted on banking.cash_days is 'Count the money first.';
create unique index cash_days_one_open on banking.cash_days (organization_id, bank_account_id) where status = 'open' and deleted_at is null;
comment on index banking.cash_days_one_open is 'This cash desk is open already.';
create unique index cash_days_day on banking.cash_days (organization_id, bank_account_id, opened_on) where deleted_at is null;
comment on index banking.cash_days_day is 'This cash desk had this day already.';

create table banking.cash_entries (
    like app.record including all,
    number           text not null default app.next_number('CO'),
    bank_account_id  uuid not null,
    direction        text not null default 'in' check (direction in ('in', 'out')),
    amount           app.money not null constraint amount_is_positive check (amount > 0),
    party_id         uuid,
    invoice_id       uuid,
    account_id       uuid,
    memo             text constraint memo_is_short check (length(memo) <= 500),
    status           text not null,
    cash_day_id      uuid,
    paid_on          date,
    payment_id       uuid,
    entry_id         uuid,
    constraint cash_entries_desk foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint cash_entries_party foreign key (organization_id, party_id) references parties.parties,
    constraint cash_entries_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint cash_entries_account foreign key (organization_id, account_id) references ledger.ledger_accounts,
    constraint cash_entries_day foreign key (organization_id, cash_day_id) references banking.cash_days,
    constraint cash_entries_payment foreign key (organization_id, payment_id) references finance.payments,
    constraint cash_entries_entry foreign key (organization_id, entry_id) references ledger.journal_entries,
    constraint cash_goes_somewhere check (num_nonnulls(coalesce(party_id, invoice_id), account_id) = 1)
);
comment on table banking.cash_entries is 'Cash that came in or went out: for an invoice, from a party, or on an account.';
comment on column banking.cash_entries.invoice_id is 'What it pays; empty: money in advance.';
comment on column banking.cash_entries.account_id is 'What it was for, where it is no party''s.';
comment on constraint amount_is_positive on banking.cash_entries is 'An amount must be more than nothing.';
comment on constraint memo_is_short on banking.cash_entries is 'A memo has at most 500 characters.';
comment on constraint cash_goes_somewhere on banking.cash_entries is 'Name an invoice, a party or an account, and only one.';

create table banking.payment_runs (
    like app.record including all,
    number           text not null default app.next_number('RUN'),
    bank_account_id  uuid not null,
    status           text not null,
    execute_on       date not null default current_date,
    note             text constraint note_is_short check (length(note) <= 500),
    amount           app.money not null default 0,
    submitted_by     uuid,
    approved_by      uuid,
    approved_at      timestamptz,
    constraint payment_runs_account foreign key (organization_id, bank_account_id) references banking.bank_accounts,
    constraint approved_by_another check (approved_by <> submitted_by)
);
comment on table banking.payment_runs is 'Bills that are paid together, by a file for the bank. One proposes, another approves.';
comment on column banking.payment_runs.execute_on is 'When the bank is to pay.';
comment on constraint note_is_short on banking.payment_runs is 'A note has at most 500 characters.';
comment on constraint approved_by_another on banking.payment_runs is 'Whoever prepared a payment run does not approve it.';

create table banking.payment_run_lines (
    like app.record including all,
    run_id            uuid not null,
    invoice_id        uuid not null,
    party_id          uuid,
    party_account_id  uuid,
    amount            app.money constraint amount_is_positive check (amount > 0),
    discount          app.money not null default 0,
    payment_id        uuid,
    is_live           boolean not null default true,
    constraint run_lines_run foreign key (organization_id, run_id) references banking.payment_runs on delete cascade,
    constraint run_lines_invoice foreign key (organization_id, invoice_id) references finance.invoices,
    constraint run_lines_party foreign key (organization_id, party_id) references parties.parties,
    constraint run_lines_account foreign key (organization_id, party_account_id) references banking.party_accounts,
    constraint run_lines_payment foreign key (organization_id, payment_id) references finance.payments
);
comment on table banking.payment_run_lines is 'One bill of a payment run.';
comment on column banking.payment_run_lines.party_account_id is 'Where it is paid to.';
comment on column banking.payment_run_lines.amount is 'Empty: all that is open, less the discount for paying early.';
comment on column banking.payment_run_lines.discount is 'Not paid, for it is paid in the days of its discount.';
comment on constraint amount_is_positive on banking.payment_run_lines is 'An amount must be more than nothing.';
create unique index run_lines_once on banking.payment_run_lines (organization_id, invoice_id) where is_live and deleted_at is null;
comment on index banking.run_lines_once is 'This bill is in a payment run already.';

select app.enroll('banking.bank_accounts');
select app.enroll('banking.party_accounts');
select app.enroll('banking.statements');
select app.enroll('banking.statement_lines');
select app.enroll('banking.line_matches');
select app.enroll('banking.reconciliation_rules');
select app.enroll('banking.transfers');
select app.enroll('banking.cash_days');
select app.enroll('banking.cash_entries');
select app.enroll('banking.payment_runs');

select app.workflow('banking.statement_lines', 'status', $$
    open    -> matched : auto
    matched -> open    : auto
$$);
select app.workflow('banking.transfers', 'status', 'booked -> reversed : auto');
select app.workflow('banking.cash_entries', 'status', 'booked -> reversed : auto');
select app.workflow('banking.cash_days', 'status', 'open -> closed : auto');
select app.workflow('banking.payment_runs', 'status', $$
    draft     -> submitted : submit
    submitted -> draft     : return
    submitted -> approved  : approve
    approved  -> executed  : auto
    draft     -> cancelled : cancel
    submitted -> cancelled : cancel
    approved  -> cancelled : recall
$$);
-- Its lines are guarded by a trigger of their own, below: what becomes of them is written there later.
select app.editable_in('banking.payment_runs', 'status', '{draft}', keep => '{submitted_by,approved_by,approved_at,note}');
select app.enroll_part('banking.payment_run_lines', 'banking.payment_runs', 'run_id');
select app.total('banking.payment_runs', 'banking.payment_run_lines', 'run_id', 'amount');
select app.derive('banking.bank_accounts', '{digits}');
select app.derive('banking.party_accounts', '{is_learned}');
select app.derive('banking.statements', '{number,bank_account_id,reference,file_name,format,from_on,through_on,currency,opening,closing,line_count,matched_count}');
select app.derive('banking.statement_lines', '{statement_id,bank_account_id,position,booked_on,value_on,amount,currency,counterparty,iban,bic,text,reference,end_to_end,creditor_reference,fingerprint,matched_by,matched_at}');
select app.derive('banking.line_matches', '{line_id,bank_account_id,amount,entry_id,payment_id,invoice_id,write_off_id,made,undone_at,undone_by}');
select app.derive('banking.cash_days', '{counted,expected,closed_by,closed_at}');
select app.derive('banking.cash_entries', '{cash_day_id,paid_on,payment_id,entry_id}');
select app.derive('banking.payment_runs', '{submitted_by,approved_by,approved_at}');
select app.derive('banking.payment_run_lines', '{party_id,payment_id,is_live}');
select app.derive('banking.payment_run_lines', '{discount}');

-- Codes are written with spaces as often as without.
create function banking.compact_codes() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    new.iban := nullif(upper(regexp_replace(new.iban, '\s', '', 'g')), '');
    new.bic := nullif(upper(regexp_replace(new.bic, '\s', '', 'g')), '');
    return new;
end $$;
create trigger codes before insert or update of iban, bic on banking.bank_accounts for each row execute function banking.compact_codes();
create trigger codes before insert or update of iban, bic on banking.party_accounts for each row execute function banking.compact_codes();

-- An account starts with a place in the books.
create function banking.account_defaults() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare a ledger.ledger_accounts;
begin
    if tg_op = 'UPDATE' then
        if (new.account_id, new.currency, new.legal_entity_id) is distinct from (old.account_id, old.currency, old.legal_entity_id) then
            raise exception 'The ledger account and the currency of an account stay as they were made.' using errcode = 'AP001', column = 'account_id';
        end if;
        if (new.opening_on, new.opening_balance) is distinct from (old.opening_on, old.opening_balance)
            and (old.opening_balance <> 0 or exists (select from banking.statements s where s.organization_id = new.organization_id and s.bank_account_id = new.id))
            and coalesce(current_setting('banking.opens', true), '') <> new.id::text then
            raise exception 'The opening balance is in the books already.' using errcode = 'AP001', column = 'opening_balance';
        end if;
        return new;
    end if;
    new.legal_entity_id := coalesce(new.legal_entity_id, ledger.home());
    new.currency := coalesce(new.currency, (select e.currency from ledger.legal_entities e where e.organization_id = new.organization_id and e.id = new.legal_entity_id));
    new.digits := coalesce(app.digits(new.currency), new.digits);
    if new.account_id is null then
        new.account_id := ledger.add_account(case new.kind when 'cash' then 'cash' else 'bank' end, new.name, new.currency);
        return new;
    end if;
    select * into a from ledger.ledger_accounts x where x.organization_id = new.organization_id and x.id = new.account_id;
    if a.is_group or a.kind not in ('asset', 'liability') or a.purpose in ('receivable', 'payable', 'conversion') then
        raise exception 'Money stands on an account for money.' using errcode = 'AP001', column = 'account_id';
    end if;
    if a.currency <> new.currency then
        raise exception 'The account % is kept in another currency.', a.code using errcode = 'AP001', column = 'account_id';
    end if;
    return new;
end $$;
create trigger defaults before insert or update on banking.bank_accounts for each row execute function banking.account_defaults();

-- What an amount in the account's currency is worth in the books on a day.
create function banking.in_books(b banking.bank_accounts, amount numeric, on_day date) returns numeric language plpgsql stable security definer set search_path = pg_catalog as $$
declare rate constant numeric := finance.rate(b.legal_entity_id, b.currency, on_day);
begin
    if rate is null then raise exception 'There is no exchange rate of % for %.', b.currency, on_day using errcode = 'AP001'; end if;
    return finance.in_books(b.legal_entity_id, amount, rate);
end $$;

create function banking.posting(account uuid, base numeric, currency text, amount numeric, party uuid, memo text) returns ledger.posting language sql immutable parallel safe
return row (account, base, currency, amount, party, null, null, null, null, null, null, null, memo)::ledger.posting;

-- What the books say is on an account on a day, in its own currency.
create function banking.balance(account uuid, as_of date) returns numeric language plpgsql stable set search_path = pg_catalog as $$
begin
    return (select coalesce(sum(l.currency_amount), 0) from banking.bank_accounts b
        join ledger.journal_entry_lines l on l.organization_id = b.organization_id and l.account_id = b.account_id and l.currency = b.currency
        where b.organization_id = app.organization() and l.organization_id = app.organization() and b.id = account and l.period_id is not null and l.entry_on <= as_of);
end $$;

-- What was on it when it began to be kept here, as far as the books do not have it.
create function banking.book_opening() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare lacking constant numeric := new.opening_balance - banking.balance(new.id, new.opening_on - 1); base constant numeric := banking.in_books(new, lacking, new.opening_on);
begin
    perform ledger.post(new.legal_entity_id, 'opening', new.opening_on, new.name, new.name, 'banking.bank_accounts', new.id, 'open', array[
        banking.posting(new.account_id, base, new.currency, lacking, null, null),
        banking.posting(ledger.account('opening'), -base, new.currency, -lacking, null, null)]);
    return null;
end $$;
create trigger opens_insert after insert on banking.bank_accounts for each row when (new.opening_balance <> 0) execute function banking.book_opening();
create trigger opens after update on banking.bank_accounts for each row when (new.opening_balance <> old.opening_balance) execute function banking.book_opening();

-- Where the statements of an account do not follow from one another; null when they do. Every balance that the bank told is
-- the opening one and all lines until then.
create function banking.broken_chain(account uuid) returns text language plpgsql stable set search_path = pg_catalog as $$
declare s record;
begin
    for s in
        select x.through_on, array_agg(x.closing) as told, min(x.number) as number, b.opening_balance + coalesce((select sum(l.amount) from banking.statement_lines l
            where l.organization_id = app.organization() and l.bank_account_id = account and l.booked_on <= x.through_on), 0) as is_there
        from banking.statements x join banking.bank_accounts b on b.organization_id = x.organization_id and b.id = x.bank_account_id
        where x.organization_id = app.organization() and b.organization_id = app.organization() and x.bank_account_id = account
        group by x.through_on, b.opening_balance order by 1
    loop
        if s.is_there <> all (s.told) then
            return format('On %s the bank says %s, the lines until then come to %s', s.through_on, trim_scale(s.told[1]), trim_scale(s.is_there));
        end if;
    end loop;
    return null;
end $$;

-- Takes in a statement. Doc: {format, file_name, reference, from_on, through_on, opening, closing, lines: [{booked_on, …}]}; a file without
-- balances has none. Lines that are here already are passed over; nothing new, nothing is made: null.
create function banking.take_in(account uuid, doc jsonb) returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); b banking.bank_accounts; made constant uuid := app.new_id(); n integer; total numeric; begins date; ends date; ends_with numeric; broken text;
begin
    -- Of two that take in the same file at once the second sees the lines of the first.
    select * into strict b from banking.bank_accounts x where x.organization_id = here and x.id = account for no key update;
    select least(min((l ->> 'booked_on')::date), (doc ->> 'from_on')::date), greatest(max((l ->> 'booked_on')::date), (doc ->> 'through_on')::date), coalesce(sum((l ->> 'amount')::numeric), 0)
        into begins, ends, total from jsonb_array_elements(doc -> 'lines') l;
    if not exists (select from banking.statements s where s.organization_id = here and s.bank_account_id = account) and b.opening_balance = 0
        and (doc ->> 'opening')::numeric <> 0 then
        perform set_config('banking.opens', account::text, true);
        update banking.bank_accounts x set opening_on = begins, opening_balance = (doc ->> 'opening')::numeric where x.organization_id = here and x.id = account;
        perform set_config('banking.opens', '', true);
    end if;
    select count(*) into n from jsonb_array_elements(doc -> 'lines') l where not exists (select from banking.statement_lines x
        where x.organization_id = here and x.bank_account_id = account and x.fingerprint = l ->> 'fingerprint');
    if n = 0 and exists (select from banking.statements s where s.organization_id = here and s.bank_account_id = account
        and (s.through_on > ends or s.through_on = ends and s.closing = coalesce((doc ->> 'closing')::numeric, s.closing))) then
        return null;
    end if;
    insert into banking.statements (id, bank_account_id, reference, file_name, format, from_on, through_on, currency, opening, closing)
    values (made, account, doc ->> 'reference', doc ->> 'file_name', doc ->> 'format', begins, ends, b.currency,
        coalesce((doc ->> 'opening')::numeric, 0), coalesce((doc ->> 'closing')::numeric, 0));
    insert into banking.statement_lines (statement_id, bank_account_id, position, booked_on, value_on, amount, currency, counterparty, iban, bic, text, reference, end_to_end,
        creditor_reference, fingerprint)
    select made, account, l.n, (x ->> 'booked_on')::date, (x ->> 'value_on')::date, (x ->> 'amount')::numeric, b.currency, x ->> 'counterparty', x ->> 'iban', x ->> 'bic', x ->> 'text',
        x ->> 'reference', x ->> 'end_to_end', x ->> 'creditor_reference', x ->> 'fingerprint'
    from jsonb_array_elements(doc -> 'lines') with ordinality l (x, n) order by l.n
    on conflict on constraint statement_lines_once do nothing;
    if doc ->> 'closing' is null then
        select x.opening_balance + coalesce(sum(l.amount), 0) into ends_with from banking.bank_accounts x
        left join banking.statement_lines l on l.organization_id = here and l.bank_account_id = account and l.booked_on <= ends
        where x.organization_id = here and x.id = account group by x.opening_balance;
        update banking.statements s set line_count = n, closing = ends_with, opening = ends_with - total where s.organization_id = here and s.id = made;
    else
        update banking.statements s set line_count = n where s.organization_id = here and s.id = made;
    end if;
    broken := banking.broken_chain(account);
    if broken is not null then
        raise exception 'This statement does not follow from those before it: %. Bring in what is between first.', broken using errcode = 'AP001', column = 'text';
    end if;
    return made;
end $$;

-- What is on a statement stays as the bank said it.
create function banking.keep_line() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - '{status,matched_by,matched_at,version,updated_at,updated_by,custom,search,search_text}'::text[]
        = to_jsonb(old) - '{status,matched_by,matched_at,version,updated_at,updated_by,custom,search,search_text}'::text[] then
        return new;
    end if;
    raise exception 'What the bank said stays as it is.' using errcode = 'AP001';
end $$;
create trigger keeps before update or delete on banking.statement_lines for each row execute function banking.keep_line();
create function banking.keep_statement() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and (old.line_count = 0 or to_jsonb(new) - '{matched_count,open_count,version,updated_at,updated_by,custom}'::text[]
        = to_jsonb(old) - '{matched_count,open_count,version,updated_at,updated_by,custom}'::text[]) and new.deleted_at is null then
        return new;
    end if;
    raise exception 'What the bank said stays as it is.' using errcode = 'AP001';
end $$;
create trigger keeps before update or delete on banking.statements for each row execute function banking.keep_statement();
create function banking.keep_match() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and old.undone_at is null and to_jsonb(new) - '{undone_at,undone_by,version,updated_at,updated_by,custom}'::text[]
        = to_jsonb(old) - '{undone_at,undone_by,version,updated_at,updated_by,custom}'::text[] then
        return new;
    end if;
    raise exception 'A match stays in the books; undo it instead.' using errcode = 'AP001';
end $$;
create trigger keeps before update or delete on banking.line_matches for each row execute function banking.keep_match();

-- Writes so much of a bank account on an account of the books, a tax in it by itself. Item: {account_id, tax_id?, memo?, party_id?, project_id?, department_id?}.
create function banking.book_on(b banking.bank_accounts, item jsonb, part numeric, on_day date, of_number text, why text, from_source text, from_id uuid)
returns uuid language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); account constant uuid := sales.read_id(item, 'account_id'); tax constant uuid := sales.read_id(item, 'tax_id');
    said constant text := left(coalesce(item ->> 'memo', why), 500);
    base constant numeric := banking.in_books(b, part, on_day); rate numeric; taxed numeric := 0; base_taxed numeric := 0; a ledger.ledger_accounts;
begin
    select * into a from ledger.ledger_accounts x where x.organization_id = here and x.id = account and x.deleted_at is null;
    if not found then raise exception 'There is no such account.' using errcode = 'AP001', column = 'account_id'; end if;
    if account = b.account_id then raise exception 'Money cannot go from an account to itself.' using errcode = 'AP001', column = 'account_id'; end if;
    if a.purpose in ('receivable', 'payable') then
        raise exception 'What a party owes is settled by a payment: name the invoice or the party.' using errcode = 'AP001', column = 'account_id';
    end if;
    if tax is not null then
        rate := products.tax_rate(tax, on_day);
        if rate is null then raise exception 'This tax has no rate on %.', on_day using errcode = 'AP001', column = 'tax_id'; end if;
        taxed := sign(part) * app.line_tax(abs(part), rate, true, b.digits);
        base_taxed := banking.in_books(b, taxed, on_day);
    end if;
    return ledger.post(b.legal_entity_id, 'money', on_day, of_number, why, from_source, from_id, 'write', array[
        banking.posting(b.account_id, base, b.currency, part, sales.read_id(item, 'party_id'), said),
        row (account, base_taxed - base, b.currency, taxed - part, sales.read_id(item, 'party_id'), null, sales.read_id(item, 'project_id'), sales.read_id(item, 'department_id'),
            tax, rate, null, case when tax is not null then on_day end, said)::ledger.posting,
        row (case when taxed <> 0 then ledger.account(case when part > 0 then 'tax_out' else 'tax_in' end) end, -base_taxed, b.currency, -taxed, sales.read_id(item, 'party_id'),
            null, null, null, tax, rate, base_taxed - base, case when tax is not null then on_day end, said)::ledger.posting]);
end $$;

-- The entry that a payment is in the books, and on which account of money.
create function banking.entry_of(payment uuid, out entry uuid, out account uuid) language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    -- The money comes first, what its method keeps of it last.
    select e.id, l.account_id into entry, account from ledger.journal_entries e
    join ledger.journal_entry_lines l on l.organization_id = e.organization_id and l.entry_id = e.id
    join ledger.ledger_accounts a on a.organization_id = l.organization_id and a.id = l.account_id and (a.purpose is null or a.purpose not in ('receivable', 'payable'))
    where e.organization_id = here and l.organization_id = here and a.organization_id = here and e.source = 'finance.payments' and e.source_id = payment and e.event = 'complete'
      and e.reverses_id is null and not e.is_reversed
    order by l.position limit 1;
end $$;

-- Money that changes its currency goes over the conversion account: so much arrives on the bank account, what it was worth is `worth`,
-- and the difference is gained or lost there and then.
create function banking.convert(b banking.bank_accounts, part numeric, worth numeric, on_day date, of_number text, party uuid, from_id uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare base constant numeric := banking.in_books(b, part, on_day); diff constant numeric := base - worth; over constant uuid := ledger.account('conversion');
begin
    return ledger.post(b.legal_entity_id, 'money', on_day, of_number, null, 'banking.line_matches', from_id, 'convert', array[
        banking.posting(b.account_id, base, b.currency, part, party, null),
        banking.posting(over, -base, b.currency, -part, party, null),
        banking.posting(over, diff, b.currency, 0, party, null),
        banking.posting(ledger.account(case when diff > 0 then 'exchange_gain' else 'exchange_loss' end), -diff, b.currency, 0, party, null)]);
end $$;

create function banking.remember(l banking.statement_lines, b banking.bank_accounts, part numeric, entry uuid, payment uuid, invoice uuid, write_off uuid, what text, match uuid)
returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    if entry is null then raise exception 'This is not in the books yet.' using errcode = 'AP001'; end if;
    insert into banking.line_matches (id, line_id, bank_account_id, amount, entry_id, payment_id, invoice_id, write_off_id, made)
    values (match, l.id, b.id, part, entry, payment, invoice, write_off, what);
end $$;

-- Says what a line of a statement is. Items, each with its part of the line, signed as the line: {payment_id} | {entry_id} |
-- {invoice_id, amount?, invoice_amount?, write_off?, write_off_kind?} | {party_id, amount?} | {account_id, amount?, tax_id?, memo?, …}. One without an
-- amount is all that is open of it, or all that is left of the line. In one transaction: all of it, or nothing.
create function banking.match(of_line uuid, items jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
    here constant uuid := app.organization(); l banking.statement_lines; b banking.bank_accounts; item jsonb; rest numeric; part numeric; match uuid; entry uuid; account uuid;
    p finance.payments; i finance.invoices; g record; payment uuid; open_part numeric; written uuid; bodies jsonb := '[]'; run uuid; worth numeric;
begin
    select * into l from banking.statement_lines x where x.organization_id = here and x.id = of_line for no key update;
    if l.status <> 'open' then raise exception 'This line is matched already.' using errcode = 'AP001'; end if;
    select * into strict b from banking.bank_accounts x where x.organization_id = here and x.id = l.bank_account_id;
    if jsonb_typeof(items) is distinct from 'array' or jsonb_array_length(items) not between 1 and 100 or exists (select from jsonb_array_elements(items) x
        where jsonb_typeof(x) <> 'object' or num_nonnulls(x ->> 'payment_id', x ->> 'entry_id', x ->> 'invoice_id', coalesce(x ->> 'account_id', case when not x ? 'invoice_id' then x ->> 'party_id' end)) <> 1) then
        raise exception 'Say what the line is: payments, invoices, a party, accounts.' using errcode = 'AP001', column = 'items';
    end if;
    rest := l.amount;
    for item in select x from jsonb_array_elements(items) with ordinality u (x, n)
        -- What has an amount of its own comes before what takes the rest.
        order by (x ->> 'amount' is null and (x ? 'account_id' or x ? 'party_id')), n
    loop
        match := app.new_id();
        part := round(sales.read_number(item, 'amount'), b.digits);
        if part = 0 then raise exception 'A part of nothing is no part.' using errcode = 'AP001', column = 'amount'; end if;
        if item ->> 'payment_id' is not null then
            select * into p from finance.payments x where x.organization_id = here and x.id = sales.read_id(item, 'payment_id') for no key update;
            if not found or p.status <> all ('{pending,processing,completed}') then
                raise exception 'Only a payment that is under way or completed is on a statement.' using errcode = 'AP001', column = 'payment_id';
            end if;
            if p.currency <> b.currency then
                raise exception 'The payment is in %, the account in %.', p.currency, b.currency using errcode = 'AP001', column = 'payment_id';
            end if;
            if p.status <> 'completed' then perform finance.finish_payment(p.id, l.booked_on, b.account_id); end if;
            select e.entry, e.account into entry, account from banking.entry_of(p.id) e;
            -- What the bank sees is without the fee that the method has kept.
            select sum(x.currency_amount), sum(x.debit - x.credit) into part, worth from ledger.journal_entry_lines x
            where x.organization_id = here and x.entry_id = entry and x.account_id = account;
            if account <> b.account_id then     -- it was entered for another account of money: it moves to this one
                select * into p from finance.payments x where x.organization_id = here and x.id = p.id;
                entry := ledger.post(b.legal_entity_id, 'money', greatest(l.booked_on, p.paid_on), p.number, null, 'banking.line_matches', match, 'move', array[
                    banking.posting(b.account_id, worth, b.currency, part, p.party_id, null),
                    banking.posting(account, -worth, b.currency, -part, p.party_id, null)]);
                perform banking.remember(l, b, part, entry, p.id, null, null, 'entry', match);
            else
                perform banking.remember(l, b, part, entry, p.id, null, null, 'nothing', match);
            end if;
            perform banking.learn(p.party_id, l);
            for run in select x.run_id from banking.payment_run_lines x where x.organization_id = here and x.payment_id = p.id loop perform banking.follow_run(run); end loop;
        elsif item ->> 'entry_id' is not null then
            select e.id, sum(x.currency_amount) into entry, part from ledger.journal_entries e join ledger.journal_entry_lines x on x.organization_id = e.organization_id and x.entry_id = e.id
            where e.organization_id = here and x.organization_id = here and e.id = sales.read_id(item, 'entry_id') and e.status = 'posted' and not e.is_reversed and e.reverses_id is null
              and x.account_id = b.account_id and x.currency = b.currency group by e.id;
            if entry is null or part = 0 then raise exception 'This entry is not on this account.' using errcode = 'AP001', column = 'entry_id'; end if;
            perform banking.remember(l, b, part, entry, null, null, null, 'nothing', match);
        elsif item ->> 'invoice_id' is not null then
            select * into i from finance.invoices x where x.organization_id = here and x.id = sales.read_id(item, 'invoice_id') for no key update;
            if not found or i.number is null or i.kind in ('PROFORMA', 'RECEIPT') then
                raise exception 'Only a posted invoice can be paid.' using errcode = 'AP001', column = 'invoice_id';
            end if;
            open_part := coalesce(sales.read_number(item, 'invoice_amount'), case when i.currency = b.currency and part is not null then abs(part) else i.balance - coalesce(sales.read_number(item, 'write_off'), 0) end);
            part := coalesce(part, case when i.currency = b.currency then case finance.paid_by(i.direction, i.kind) when 'in' then open_part else -open_part end else rest end);
            if (part > 0) <> (finance.paid_by(i.direction, i.kind) = 'in') then
                raise exception 'Money that comes in pays our invoices, money that goes out those of suppliers, a refund credit notes.' using errcode = 'AP001', column = 'invoice_id';
            end if;
            if i.currency = b.currency and open_part <> abs(part) then
                raise exception 'The amount of the invoice and that of the line differ: both are in %.', b.currency using errcode = 'AP001', column = 'invoice_amount';
            end if;
            if sales.read_number(item, 'write_off') > 0 then
                written := finance.write_off(i.id, jsonb_build_object('amount', item ->> 'write_off', 'kind', coalesce(item ->> 'write_off_kind', 'difference'), 'taken_on', greatest(l.booked_on, i.issued_on)));
            else
                written := null;
            end if;
            bodies := bodies || jsonb_build_object('party', i.party_id, 'way', finance.paid_by(i.direction, i.kind), 'currency', i.currency, 'invoice_id', i.id, 'amount', open_part::text,
                'part', part, 'written', written, 'number', i.number);
        elsif item ->> 'account_id' is not null then
            part := coalesce(part, rest);
            entry := banking.book_on(b, item, part, l.booked_on, coalesce(l.reference, (select s.number from banking.statements s where s.organization_id = here and s.id = l.statement_id)),
                coalesce(l.text, l.counterparty), 'banking.line_matches', match);
            perform banking.remember(l, b, part, entry, null, null, null, 'entry', match);
        else
            part := coalesce(part, rest);
            bodies := bodies || jsonb_build_object('party', sales.read_id(item, 'party_id'), 'way', case when part > 0 then 'in' else 'out' end, 'currency', b.currency, 'amount', abs(part)::text, 'part', part);
        end if;
        rest := rest - part;
    end loop;
    if rest <> 0 then
        raise exception 'The parts come to %, the line to %.', trim_scale(l.amount - rest), trim_scale(l.amount) using errcode = 'AP001', column = 'items';
    end if;
    -- The invoices of one party are one payment.
    for g in
        select x ->> 'party' as party, x ->> 'way' as way, x ->> 'currency' as currency, sum((x ->> 'amount')::numeric) as amount, sum((x ->> 'part')::numeric) as part,
            coalesce(jsonb_agg(jsonb_build_object('invoice_id', x ->> 'invoice_id', 'amount', x ->> 'amount')) filter (where x ->> 'invoice_id' is not null), '[]') as allocations,
            string_agg(x ->> 'number', ', ') as numbers, min(x ->> 'invoice_id') as invoice, array_remove(array_agg((x ->> 'written')::uuid), null) as written
        from jsonb_array_elements(bodies) x group by 1, 2, 3 order by 1, 2, 3
    loop
        match := app.new_id();
        payment := finance.enter_payment(jsonb_build_object('direction', g.way, 'party_id', g.party, 'amount', g.amount::text, 'currency', g.currency, 'paid_on', l.booked_on,
            'account_id', case when g.currency = b.currency then b.account_id else ledger.account('conversion') end, 'legal_entity_id', b.legal_entity_id,
            'method', case b.kind when 'gateway' then 'CARD' when 'cash' then 'CASH' else 'BANK_TRANSFER' end, 'reference', left(coalesce(g.numbers, l.text), 255),
            'bank_reference', l.reference, 'allocations', g.allocations));
        if g.currency = b.currency then
            entry := (banking.entry_of(payment)).entry;
        else
            entry := banking.convert(b, g.part, (select sign(g.part) * x.base_amount from finance.payments x where x.organization_id = here and x.id = payment), l.booked_on,
                (select x.number from finance.payments x where x.organization_id = here and x.id = payment), g.party::uuid, match);
        end if;
        perform banking.remember(l, b, g.part, entry, payment, g.invoice::uuid, g.written[1], 'payment', match);
        for n in 2 .. cardinality(g.written) loop
            raise exception 'One difference is written off at a time.' using errcode = 'AP001', column = 'items';
        end loop;
        perform banking.learn(g.party::uuid, l);
    end loop;
    update banking.statement_lines x set status = 'matched', matched_by = app.actor(), matched_at = now() where x.organization_id = here and x.id = l.id;
    update banking.statements x set matched_count = x.matched_count + 1 where x.organization_id = here and x.id = l.statement_id;
end $$;

-- Whose account a line came from is known from then on.
create function banking.learn(party uuid, l banking.statement_lines) returns void language plpgsql security definer set search_path = pg_catalog as $$
begin
    if party is null or l.iban is null or not banking.valid_iban(l.iban) then return; end if;
    insert into banking.party_accounts (party_id, iban, bic, holder, is_learned)
    values (party, l.iban, case when l.bic ~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$' then l.bic end, left(l.counterparty, 140), true)
    on conflict (organization_id, party_id, iban) where deleted_at is null do nothing;
end $$;

-- Takes back what matching a line has made; the line is open again. Nothing is deleted: entries are reversed, payments voided.
create function banking.undo(of_line uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); l banking.statement_lines; m banking.line_matches;
begin
    select * into l from banking.statement_lines x where x.organization_id = here and x.id = of_line for no key update;
    if l.status <> 'matched' then raise exception 'This line is not matched.' using errcode = 'AP001'; end if;
    for m in select * from banking.line_matches x where x.organization_id = here and x.line_id = of_line and x.undone_at is null order by x.id loop
        update banking.line_matches x set undone_at = now(), undone_by = app.actor() where x.organization_id = here and x.id = m.id;
        perform ledger.reverse(e.id, greatest(current_date, e.entry_on), null) from ledger.journal_entries e
        where e.organization_id = here and e.source = 'banking.line_matches' and e.source_id = m.id and e.reverses_id is null and not e.is_reversed;
        if m.made = 'payment' then perform finance.cancel_payment(m.payment_id); end if;
        if m.write_off_id is not null then perform finance.undo_write_off(m.write_off_id); end if;
    end loop;
    update banking.statement_lines x set status = 'open', matched_by = null, matched_at = null where x.organization_id = here and x.id = l.id;
    update banking.statements x set matched_count = x.matched_count - 1 where x.organization_id = here and x.id = l.statement_id;
end $$;

-- A transfer is one entry. What one currency was worth and the other is, is gained or lost on the way.
create function banking.book_transfer() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; a banking.bank_accounts; b banking.bank_accounts; leaves numeric; arrives numeric; diff numeric; over uuid;
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - '{status,version,updated_at,updated_by,custom}'::text[] <> to_jsonb(old) - '{status,version,updated_at,updated_by,custom}'::text[] then
            raise exception 'What was moved stays; take it back instead.' using errcode = 'AP001';
        end if;
        return new;
    end if;
    select * into a from banking.bank_accounts x where x.organization_id = here and x.id = new.from_id and x.deleted_at is null;
    select * into b from banking.bank_accounts x where x.organization_id = here and x.id = new.to_id and x.deleted_at is null;
    if a.currency = b.currency then new.received_amount := coalesce(new.received_amount, new.amount);
    elsif new.received_amount is null then raise exception 'Say how much arrived, in %.', b.currency using errcode = 'AP001', column = 'received_amount';
    end if;
    if new.amount <> round(new.amount, a.digits) or new.received_amount <> round(new.received_amount, b.digits) then
        raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount';
    end if;
    if a.currency = b.currency and new.amount <> new.received_amount then
        raise exception 'As much arrives as left; a fee is a line of its own.' using errcode = 'AP001', column = 'received_amount';
    end if;
    if a.legal_entity_id <> b.legal_entity_id then
        raise exception 'These accounts are in different books.' using errcode = 'AP001', column = 'to_id';
    end if;
    leaves := banking.in_books(a, new.amount, new.moved_on);
    arrives := banking.in_books(b, new.received_amount, new.moved_on);
    diff := arrives - leaves;
    over := ledger.account('conversion');
    perform ledger.post(a.legal_entity_id, 'money', new.moved_on, new.number, new.note, 'banking.transfers', new.id, 'move', case when a.currency = b.currency then array[
        banking.posting(b.account_id, leaves, b.currency, new.amount, null, new.note), banking.posting(a.account_id, -leaves, a.currency, -new.amount, null, new.note)]
    else array[
        banking.posting(b.account_id, arrives, b.currency, new.received_amount, null, new.note), banking.posting(over, -arrives, b.currency, -new.received_amount, null, new.note),
        banking.posting(over, leaves, a.currency, new.amount, null, new.note), banking.posting(a.account_id, -leaves, a.currency, -new.amount, null, new.note),
        banking.posting(over, diff, b.currency, 0, null, new.note),
        banking.posting(ledger.account(case when diff > 0 then 'exchange_gain' else 'exchange_loss' end), -diff, b.currency, 0, null, new.note)] end);
    return new;
end $$;
create trigger books before insert or update on banking.transfers for each row execute function banking.book_transfer();
create trigger stays before delete on banking.transfers for each row execute function app.refuse('What was moved stays; take it back instead.');

create function banking.take_transfer_back(transfer uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    update banking.transfers x set status = 'reversed' where x.organization_id = here and x.id = transfer and x.status = 'booked';
    if not found then raise exception 'This was taken back already.' using errcode = 'AP001'; end if;
    perform banking.reverse_of('banking.transfers', transfer);
end $$;

-- What is on a statement is not taken back under it.
create function banking.reverse_of(from_source text, from_id uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); e record;
begin
    for e in select x.id, x.entry_on from ledger.journal_entries x where x.organization_id = here and x.source = from_source and x.source_id = from_id and x.reverses_id is null and not x.is_reversed loop
        if exists (select from banking.line_matches m where m.organization_id = here and m.entry_id = e.id and m.undone_at is null) then
            raise exception 'This is on a bank statement: undo the match first.' using errcode = 'AP001';
        end if;
        perform ledger.reverse(e.id, greatest(current_date, e.entry_on), null);
    end loop;
end $$;

-- A day of a cash desk.
create function banking.open_day() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
begin
    if not exists (select from banking.bank_accounts b where b.organization_id = new.organization_id and b.id = new.bank_account_id and b.kind = 'cash' and b.is_active and b.deleted_at is null) then
        raise exception 'Only a cash desk has days.' using errcode = 'AP001', column = 'bank_account_id';
    end if;
    if exists (select from banking.cash_days d where d.organization_id = new.organization_id and d.bank_account_id = new.bank_account_id and d.opened_on > new.opened_on and d.deleted_at is null) then
        raise exception 'This cash desk had a later day already.' using errcode = 'AP001', column = 'opened_on';
    end if;
    return new;
end $$;
create trigger opens before insert on banking.cash_days for each row execute function banking.open_day();
create function banking.keep_day() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
    if tg_op = 'UPDATE' and old.status = 'open' and (new.bank_account_id, new.opened_on, new.deleted_at) is not distinct from (old.bank_account_id, old.opened_on, old.deleted_at) then return new; end if;
    raise exception 'A day of a cash desk stays.' using errcode = 'AP001';
end $$;
create trigger keeps before update or delete on banking.cash_days for each row execute function banking.keep_day();

-- Closes a day with what was counted; more or less than the books say is written on the account for it.
create function banking.close_day(of_day uuid, body jsonb) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); d banking.cash_days; b banking.bank_accounts; found_money constant numeric := sales.read_number(body, 'counted'); says numeric; other uuid;
begin
    select * into d from banking.cash_days x where x.organization_id = here and x.id = of_day for no key update;
    if d.status <> 'open' then raise exception 'This day is closed already.' using errcode = 'AP001'; end if;
    -- Whoever receives or pays out now is waited for.
    select * into strict b from banking.bank_accounts x where x.organization_id = here and x.id = d.bank_account_id for no key update;
    if found_money is null then raise exception 'Count the money first.' using errcode = 'AP001', column = 'counted'; end if;
    if found_money <> round(found_money, b.digits) then raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'counted'; end if;
    says := banking.balance(b.id, d.opened_on);
    other := coalesce(sales.read_id(body, 'account_id'), b.difference_account_id);
    if found_money <> says then
        if other is null then raise exception 'Say on which account the difference of % is written.', trim_scale(found_money - says) using errcode = 'AP001', column = 'account_id'; end if;
        perform banking.book_on(b, jsonb_build_object('account_id', other), found_money - says, d.opened_on, b.name, body ->> 'note', 'banking.cash_days', d.id);
    end if;
    update banking.cash_days x set status = 'closed', counted = found_money, expected = says, closed_by = app.actor(), closed_at = now(), note = coalesce(body ->> 'note', x.note)
    where x.organization_id = here and x.id = of_day;
end $$;

-- Cash is in the books as soon as it is entered, on the day that the desk is open for.
create function banking.book_cash() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; b banking.bank_accounts; d banking.cash_days; i finance.invoices; sign constant integer := case new.direction when 'in' then 1 else -1 end;
begin
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - '{status,version,updated_at,updated_by,custom}'::text[] <> to_jsonb(old) - '{status,version,updated_at,updated_by,custom}'::text[] then
            raise exception 'Cash that was entered stays; take it back instead.' using errcode = 'AP001';
        end if;
        return new;
    end if;
    -- One after the other, and none while the day is being closed.
    select * into b from banking.bank_accounts x where x.organization_id = here and x.id = new.bank_account_id and x.deleted_at is null for no key update;
    select * into d from banking.cash_days x where x.organization_id = here and x.bank_account_id = new.bank_account_id and x.status = 'open' and x.deleted_at is null;
    if not found then raise exception 'Open the cash desk first.' using errcode = 'AP001', column = 'bank_account_id'; end if;
    if new.amount <> round(new.amount, b.digits) then raise exception 'The amount has more digits than the currency.' using errcode = 'AP001', column = 'amount'; end if;
    if sign < 0 and new.amount > banking.balance(b.id, d.opened_on) then
        raise exception 'There is only % in the desk.', trim_scale(banking.balance(b.id, d.opened_on)) using errcode = 'AP001', column = 'amount';
    end if;
    new.cash_day_id := d.id;
    new.paid_on := d.opened_on;
    if num_nonnulls(coalesce(new.party_id, new.invoice_id), new.account_id) <> 1 then
        raise exception 'Name an invoice, a party or an account, and only one.' using errcode = 'AP001', column = 'party_id';
    end if;
    if new.account_id is not null then
        new.entry_id := banking.book_on(b, jsonb_build_object('account_id', new.account_id), sign * new.amount, d.opened_on, new.number, new.memo, 'banking.cash_entries', new.id);
        return new;
    end if;
    if new.invoice_id is not null then
        select * into i from finance.invoices x where x.organization_id = here and x.id = new.invoice_id;
        if coalesce(new.party_id <> i.party_id, false) then raise exception 'The payment and the invoice are of different parties.' using errcode = 'AP001', column = 'invoice_id'; end if;
        if finance.paid_by(i.direction, i.kind) <> all (case new.direction when 'in' then '{in}' else '{out,refund}' end::text[]) then
            raise exception 'Money that comes in pays our invoices, money that goes out those of suppliers, a refund credit notes.' using errcode = 'AP001', column = 'invoice_id';
        end if;
        new.party_id := i.party_id;
    end if;
    new.payment_id := finance.enter_payment(jsonb_build_object('direction', coalesce(finance.paid_by(i.direction, i.kind), new.direction), 'party_id', new.party_id, 'amount', new.amount::text,
        'currency', b.currency, 'paid_on', d.opened_on, 'account_id', b.account_id, 'legal_entity_id', b.legal_entity_id, 'method', 'CASH', 'reference', coalesce(new.memo, i.number, new.number),
        'allocations', case when i.id is null then '[]' else jsonb_build_array(jsonb_build_object('invoice_id', i.id, 'amount', new.amount::text)) end));
    new.entry_id := (banking.entry_of(new.payment_id)).entry;
    return new;
end $$;
create trigger books before insert or update on banking.cash_entries for each row execute function banking.book_cash();
create trigger stays before delete on banking.cash_entries for each row execute function app.refuse('Cash that was entered stays; take it back instead.');

create function banking.take_cash_back(of_entry uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); c banking.cash_entries;
begin
    update banking.cash_entries x set status = 'reversed' where x.organization_id = here and x.id = of_entry and x.status = 'booked' returning x.* into c;
    if not found then raise exception 'This was taken back already.' using errcode = 'AP001'; end if;
    if not exists (select from banking.cash_days d where d.organization_id = here and d.bank_account_id = c.bank_account_id and d.status = 'open' and d.deleted_at is null) then
        raise exception 'Open the cash desk first.' using errcode = 'AP001';
    end if;
    if c.payment_id is not null then perform finance.cancel_payment(c.payment_id); else perform banking.reverse_of('banking.cash_entries', of_entry); end if;
end $$;

-- A line of a payment run: a bill of a supplier, in the currency of the account, to an account that somebody vouched for.
create function banking.check_run_line() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := (coalesce(new, old)).organization_id; state text; b banking.bank_accounts; i finance.invoices; a banking.party_accounts; early numeric;
begin
    -- Gone with its run, which could be thrown away.
    select r.status into state from banking.payment_runs r where r.organization_id = here and r.id = (coalesce(new, old)).run_id for no key update;
    if not found then return coalesce(new, old); end if;
    if tg_op = 'UPDATE' and to_jsonb(new) - '{payment_id,is_live,version,updated_at,updated_by,custom}'::text[]
        = to_jsonb(old) - '{payment_id,is_live,version,updated_at,updated_by,custom}'::text[] then
        return new;
    end if;
    if state <> 'draft' then raise exception 'The record that this belongs to is no longer open.' using errcode = 'AP001'; end if;
    if tg_op = 'DELETE' then return old; end if;
    select x.* into b from banking.payment_runs r join banking.bank_accounts x on x.organization_id = r.organization_id and x.id = r.bank_account_id
    where r.organization_id = here and x.organization_id = here and r.id = new.run_id;
    select * into i from finance.invoices x where x.organization_id = here and x.id = new.invoice_id;
    if i.direction is distinct from 'in' or i.number is null or i.kind in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT') then
        raise exception 'Only posted bills of suppliers are paid together.' using errcode = 'AP001', column = 'invoice_id';
    end if;
    if i.currency <> b.currency then
        raise exception 'The invoice is in %, the account in %.', i.currency, b.currency using errcode = 'AP001', column = 'invoice_id';
    end if;
    new.party_id := i.party_id;
    early := coalesce(receivables.early_discount(i.id, (select greatest(r.execute_on, current_date) from banking.payment_runs r where r.organization_id = here and r.id = new.run_id)), 0);
    if early >= i.balance then early := 0; end if;
    new.amount := coalesce(new.amount, i.balance - early);
    new.discount := case when new.amount = i.balance - early then early else 0 end;
    if new.amount > i.balance or new.amount <> round(new.amount, b.digits) then
        raise exception 'No more than % is open.', trim_scale(i.balance) using errcode = 'AP001', column = 'amount';
    end if;
    new.party_account_id := coalesce(new.party_account_id, (select x.id from banking.party_accounts x where x.organization_id = here and x.party_id = i.party_id
        and not x.is_learned and x.deleted_at is null order by x.is_default desc, x.created_at limit 1));
    select * into a from banking.party_accounts x where x.organization_id = here and x.id = new.party_account_id;
    if a.party_id <> i.party_id then raise exception 'This account is that of another party.' using errcode = 'AP001', column = 'party_account_id'; end if;
    return new;
end $$;
create trigger checks before insert or update or delete on banking.payment_run_lines for each row execute function banking.check_run_line();

-- Puts the bills into a run that are due by a day: of a party or of all, in the currency of the account, not in a run yet. A discount
-- for paying early that the run still gets is due by its last day. Body: {due_by?, party_id?}.
create function banking.propose(run uuid, body jsonb) returns integer language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); r banking.payment_runs; n integer;
begin
    select * into strict r from banking.payment_runs x where x.organization_id = here and x.id = run for no key update;
    insert into banking.payment_run_lines (run_id, invoice_id)
    select run, i.id from finance.invoices i join banking.bank_accounts b on b.organization_id = i.organization_id and b.id = r.bank_account_id
    where i.organization_id = here and b.organization_id = here and i.direction = 'in' and i.number is not null and i.deleted_at is null and i.kind not in ('CREDIT_NOTE', 'PROFORMA', 'RECEIPT')
      and i.balance > 0 and i.currency = b.currency
      and coalesce(receivables.discount_until(i.id, greatest(r.execute_on, current_date)), i.due_on) <= coalesce(sales.read_date(body, 'due_by'), r.execute_on)
      and (body ->> 'party_id' is null or i.party_id = sales.read_id(body, 'party_id'))
      and not exists (select from banking.payment_run_lines l where l.organization_id = here and l.invoice_id = i.id and l.is_live and l.deleted_at is null)
      and not exists (select from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
          where a.organization_id = here and p.organization_id = here and a.invoice_id = i.id and p.status in ('pending', 'processing') and a.reversed_on is null)
    order by i.due_on, i.number limit 1000;
    get diagnostics n = row_count;
    return n;
end $$;

-- Two people: whoever made, changed or submitted a run does not approve it. Approved, its bills are payments under way.
create function banking.move_run() returns trigger language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := new.organization_id; b banking.bank_accounts; x record;
begin
    if new.status in ('submitted', 'approved') then
        select coalesce(i.supplier_number, i.number) as number into x from banking.payment_run_lines l join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
        where l.organization_id = here and i.organization_id = here and l.run_id = new.id and l.deleted_at is null and l.discount > 0
          and coalesce(receivables.early_discount(i.id, greatest(new.execute_on, current_date)), 0) < l.discount limit 1;
        if found then raise exception 'The discount on % ends before the bank pays it; change its amount.', x.number using errcode = 'AP001', column = 'lines'; end if;
    end if;
    if new.status = 'submitted' then
        select q.name into x from banking.payment_run_lines l join parties.parties q on q.organization_id = l.organization_id and q.id = l.party_id
            left join banking.party_accounts a on a.organization_id = l.organization_id and a.id = l.party_account_id and not a.is_learned and a.deleted_at is null
        where l.organization_id = here and q.organization_id = here and l.run_id = new.id and l.deleted_at is null and a.id is null limit 1;
        if found then raise exception 'There is no confirmed bank account of %.', x.name using errcode = 'AP001', column = 'lines'; end if;
        if new.amount <= 0 then raise exception 'There is nothing to pay in this run.' using errcode = 'AP001', column = 'lines'; end if;
        new.submitted_by := app.actor();
    elsif new.status = 'draft' then
        new.submitted_by := null;
    elsif new.status = 'approved' then
        if app.actor() is null or app.actor() in (new.created_by, new.submitted_by) or exists (select from app.audit a where a.organization_id = here and a.actor_id = app.actor()
            and (a.entity = 'banking.payment_runs' and a.record_id = new.id and (a.action = 'insert' or a.new ?| '{bank_account_id,execute_on}')
                or a.entity = 'banking.payment_run_lines' and a.record_id in (select l.id from banking.payment_run_lines l where l.organization_id = here and l.run_id = new.id))) then
            raise exception 'Whoever prepared a payment run does not approve it.' using errcode = 'AP001';
        end if;
        new.approved_by := app.actor();
        new.approved_at := now();
        select * into strict b from banking.bank_accounts y where y.organization_id = here and y.id = new.bank_account_id;
        for x in select l.id, l.party_id, l.invoice_id, l.amount, coalesce(i.supplier_number, i.number) as number from banking.payment_run_lines l
            join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
            where l.organization_id = here and i.organization_id = here and l.run_id = new.id and l.deleted_at is null order by l.invoice_id
        loop
            update banking.payment_run_lines l set payment_id = finance.enter_payment(jsonb_build_object('direction', 'out', 'party_id', x.party_id, 'amount', x.amount::text,
                'currency', b.currency, 'paid_on', greatest(new.execute_on, current_date), 'account_id', b.account_id, 'legal_entity_id', b.legal_entity_id, 'reference', x.number,
                'bank_reference', new.number, 'complete', false, 'allocations', jsonb_build_array(jsonb_build_object('invoice_id', x.invoice_id, 'amount', x.amount::text))))
            where l.organization_id = here and l.id = x.id;
        end loop;
    elsif new.status = 'cancelled' then
        if exists (select from banking.payment_run_lines l join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
            where l.organization_id = here and p.organization_id = here and l.run_id = new.id and p.status = 'completed') then
            raise exception 'The bank has paid some of this run already.' using errcode = 'AP001';
        end if;
        for x in select l.id, l.payment_id from banking.payment_run_lines l where l.organization_id = here and l.run_id = new.id order by l.payment_id loop
            if x.payment_id is not null then perform finance.cancel_payment(x.payment_id); end if;
            update banking.payment_run_lines l set is_live = false where l.organization_id = here and l.id = x.id;
        end loop;
    end if;
    return new;
end $$;
create trigger moves before update on banking.payment_runs for each row when (old.status <> new.status) execute function banking.move_run();

-- A run is executed when the bank has made all of its payments.
create function banking.follow_run(run uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    update banking.payment_run_lines l set is_live = false from finance.payments p
    where l.organization_id = here and p.organization_id = here and p.id = l.payment_id and l.run_id = run and l.is_live and p.status in ('completed', 'failed', 'cancelled');
    update banking.payment_runs r set status = 'executed' where r.organization_id = here and r.id = run and r.status = 'approved'
        and not exists (select from banking.payment_run_lines l where l.organization_id = here and l.run_id = run and l.is_live and l.deleted_at is null);
end $$;

-- What was paid in the days of its discount is settled: the rest is written off as the discount, with its share of the taxes.
create function banking.payment_counts(payment uuid) returns void language plpgsql security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); x record;
begin
    for x in select l.invoice_id, least(l.discount, i.balance) as discount, greatest(p.paid_on, i.issued_on) as taken_on, p.number from banking.payment_run_lines l
        join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
        join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
        where l.organization_id = here and i.organization_id = here and p.organization_id = here and l.payment_id = payment and l.discount > 0 and i.balance > 0
    loop
        perform finance.write_off(x.invoice_id, jsonb_build_object('kind', 'discount', 'amount', x.discount::text, 'taken_on', x.taken_on, 'reason', x.number));
    end loop;
end $$;

-- A payment of a run that a rule of approval holds back, or whose approval was refused.
create function banking.held_back(run uuid) returns text language plpgsql stable security definer set search_path = pg_catalog as $$
declare here constant uuid := app.organization();
begin
    return (select p.number from banking.payment_run_lines l join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
        where l.organization_id = here and p.organization_id = here and l.run_id = run and l.deleted_at is null and p.status in ('pending', 'processing')
          and exists (select from app.approval_requests r where r.organization_id = here and r.entity = 'finance.payments' and r.record_id = p.id and r.action = 'complete')
        order by p.number limit 1);
end $$;

-- What the bank and the books say of an account on a day, and every reason why they differ. Runs with the rights of whoever asks.
create function banking.reconciliation(account uuid, as_of date) returns jsonb language plpgsql stable set search_path = pg_catalog as $$
declare here constant uuid := app.organization(); b banking.bank_accounts; books numeric; bank numeric; in_books jsonb; at_bank jsonb; s banking.statements; explained numeric;
begin
    select * into b from banking.bank_accounts x where x.organization_id = here and x.id = account;
    if not found then return null; end if;
    books := banking.balance(account, as_of);
    select b.opening_balance + coalesce(sum(l.amount), 0) into bank from banking.statement_lines l where l.organization_id = here and l.bank_account_id = account and l.booked_on <= as_of;
    select * into s from banking.statements x where x.organization_id = here and x.bank_account_id = account and x.through_on <= as_of order by x.through_on desc, x.created_at desc limit 1;
    select coalesce(jsonb_agg(jsonb_build_object('entry_id', q.id, 'number', q.number, 'on', q.entry_on, 'description', q.description, 'amount', trim_scale(q.amount)::text) order by q.entry_on, q.number), '[]')
        into in_books from (
        select e.id, e.number, e.entry_on, e.description, sum(l.currency_amount) as amount
        from ledger.journal_entry_lines l join ledger.journal_entries e on e.organization_id = l.organization_id and e.id = l.entry_id
        where l.organization_id = here and e.organization_id = here and l.account_id = b.account_id and l.currency = b.currency and l.period_id is not null
          and l.entry_on between b.opening_on and as_of and not (coalesce(e.source = 'banking.bank_accounts', false) and e.event = 'open')
          and not exists (select from banking.line_matches m join banking.statement_lines x on x.organization_id = m.organization_id and x.id = m.line_id
              where m.organization_id = here and x.organization_id = here and m.entry_id = e.id and m.bank_account_id = account and m.undone_at is null and x.booked_on <= as_of)
          -- What was taken back by then is nothing, and so is what takes it back.
          and not exists (select from ledger.journal_entries r where r.organization_id = here and (r.reverses_id = e.id and r.entry_on <= as_of or r.id = e.reverses_id))
        group by 1, 2, 3, 4 having sum(l.currency_amount) <> 0
    ) q;
    select coalesce(jsonb_agg(jsonb_build_object('line_id', q.id, 'on', q.booked_on, 'text', coalesce(q.text, q.counterparty), 'status', q.status, 'amount', trim_scale(q.amount)::text) order by q.booked_on, q.position), '[]')
        into at_bank from (
        select l.id, l.booked_on, l.position, l.text, l.counterparty, l.status, l.amount - coalesce((select sum(m.amount) from banking.line_matches m
            join ledger.journal_entries e on e.organization_id = m.organization_id and e.id = m.entry_id
            where m.organization_id = here and e.organization_id = here and m.line_id = l.id and m.undone_at is null and e.entry_on <= as_of), 0) as amount
        from banking.statement_lines l where l.organization_id = here and l.bank_account_id = account and l.booked_on <= as_of
    ) q where q.amount <> 0;
    explained := coalesce((select sum((x ->> 'amount')::numeric) from jsonb_array_elements(in_books) x), 0) - coalesce((select sum((x ->> 'amount')::numeric) from jsonb_array_elements(at_bank) x), 0);
    return jsonb_build_object('account_id', account, 'as_of', as_of, 'currency', b.currency, 'in_books', trim_scale(books)::text, 'at_bank', trim_scale(bank)::text,
        'difference', trim_scale(books - bank)::text, 'unexplained', trim_scale(books - bank - explained)::text,
        'statement', case when s.id is not null then jsonb_build_object('id', s.id, 'number', s.number, 'through_on', s.through_on, 'closing', trim_scale(s.closing)::text) end,
        'not_at_bank', in_books, 'not_in_books', at_bank, 'inputs_hash', md5(concat_ws('|', here, account, as_of)));
end $$;

-- For `fondaco verify`: what does not follow from what it should follow from. Whoever asks sees what he may see.
create function banking.verify() returns table (organization_id uuid, wrong text) language plpgsql stable set search_path = pg_catalog as $$
#variable_conflict use_column
begin
    return query
    with days as (
        select s.organization_id, s.bank_account_id, s.through_on, array_agg(s.closing) as told from banking.statements s group by 1, 2, 3
    )
    select d.organization_id, format('account %s: on %s the bank says %s, the lines until then come to %s', b.name, d.through_on, d.told[1], b.opening_balance + coalesce(x.sum, 0))
    from days d join banking.bank_accounts b on b.organization_id = d.organization_id and b.id = d.bank_account_id
    cross join lateral (select sum(l.amount) from banking.statement_lines l where l.organization_id = d.organization_id and l.bank_account_id = d.bank_account_id and l.booked_on <= d.through_on) x
    where b.opening_balance + coalesce(x.sum, 0) <> all (d.told)
    union all
    select s.organization_id, format('statement %s: it says %s lines, %s of them matched; there are %s and %s', s.number, s.line_count, s.matched_count, count(l.id), count(l.id) filter (where l.status = 'matched'))
    from banking.statements s left join banking.statement_lines l on l.organization_id = s.organization_id and l.statement_id = s.id
    group by 1, s.id, s.number, s.line_count, s.matched_count
    having s.line_count <> count(l.id) or s.matched_count <> count(l.id) filter (where l.status = 'matched')
    union all
    select l.organization_id, format('line of %s over %s: it is %s, its matches come to %s', l.booked_on, l.amount, l.status, coalesce(m.sum, 0))
    from banking.statement_lines l
    left join (select organization_id, line_id, sum(amount) from banking.line_matches where undone_at is null group by 1, 2) m on m.organization_id = l.organization_id and m.line_id = l.id
    where coalesce(m.sum, 0) <> case l.status when 'matched' then l.amount else 0 end
    union all
    select m.organization_id, format('line of %s: its part of %s is entry %s, which says %s', x.booked_on, m.amount, e.number, coalesce(j.sum, 0))
    from banking.line_matches m join banking.statement_lines x on x.organization_id = m.organization_id and x.id = m.line_id
    join banking.bank_accounts b on b.organization_id = m.organization_id and b.id = m.bank_account_id
    join ledger.journal_entries e on e.organization_id = m.organization_id and e.id = m.entry_id
    left join lateral (select sum(l.currency_amount) from ledger.journal_entry_lines l where l.organization_id = m.organization_id and l.entry_id = m.entry_id and l.account_id = b.account_id) j on true
    where m.undone_at is null and (m.amount <> coalesce(j.sum, 0) or e.status <> 'posted' or e.is_reversed)
    union all
    select r.organization_id, format('payment run %s: approved by who prepared it', r.number) from banking.payment_runs r
    where r.status in ('approved', 'executed') and (r.approved_by is null or r.approved_by in (r.submitted_by, r.created_by))
    union all
    select d.organization_id, format('cash day %s of %s: counted %s where %s was expected, nothing is written of it', d.opened_on, b.name, d.counted, d.expected)
    from banking.cash_days d join banking.bank_accounts b on b.organization_id = d.organization_id and b.id = d.bank_account_id
    where d.status = 'closed' and d.counted <> d.expected and not exists (select from ledger.journal_entries e where e.organization_id = d.organization_id
        and e.source = 'banking.cash_days' and e.source_id = d.id and e.reverses_id is null and not e.is_reversed)
    union all
    select q.organization_id, format('%s %s is not in the books', q.kind, q.number) from (
        select t.organization_id, t.id, 'transfer' as kind, t.number, 'banking.transfers' as source from banking.transfers t where t.status = 'booked'
        union all select c.organization_id, c.id, 'cash', c.number, 'banking.cash_entries' from banking.cash_entries c where c.status = 'booked' and c.payment_id is null) q
    where not exists (select from ledger.journal_entries e where e.organization_id = q.organization_id and e.source = q.source and e.source_id = q.id and e.reverses_id is null and not e.is_reversed);
end $$;
comment on function banking.verify() is 'Statements that do not follow from one another, matched lines that are not what their entries say, runs approved by who made them.';

-- Rules that have to know who else may be told: what is on a statement is not voided under it.
create function banking.holds(payment uuid) returns boolean language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    return exists (select from banking.line_matches m where m.organization_id = app.organization() and m.payment_id = payment and m.undone_at is null);
end $$;
