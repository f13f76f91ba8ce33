//! What people do at the bank and with what it says. What must hold is said in schema.sql.

mod camt;
mod line;
mod mt940;
mod pain;
mod runs;
mod statement;
mod suggest;
mod table;
mod xml;

use kernel::{Error, Result, Tx, sql, id};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const STATEMENTS: &str = "banking.statements";

kernel::rules! {
    After create banking.reconciliation_rules: line::check_rule;
    After update banking.reconciliation_rules: line::check_rule;
    After create banking.transfers: may_transfer;
    After create banking.cash_entries: may_use;
    After create banking.cash_days: may_use;
    After create banking.payment_runs: may_use;
    After approve banking.payment_runs: runs::ask;
    Before void finance.payments: line::not_on_a_statement;
    Before cancel finance.payments: line::not_on_a_statement;
}

kernel::actions! {
    take_in banking.bank_accounts: take_in;
    match banking.statement_lines: line::matched;
    take banking.statement_lines: line::take;
    undo banking.statement_lines: line::undo;
    confirm banking.party_accounts: confirm;
    take_back banking.transfers: take_transfer_back;
    take_back banking.cash_entries: take_cash_back;
    close banking.cash_days: close_day;
    propose banking.payment_runs: runs::propose;
    payment_file banking.payment_runs: runs::payment_file;
}

kernel::calls! {
    suggestions: line::suggestions;
    documents: line::documents;
    reconciliation: reconciliation;
    advances: advances;
}

/// `{"text", "file_name"?, "mapping"?}`: a file of the bank, CAMT.053, MT940 or CSV; or `{"lines": [{"booked_on", "amount", "text"?, …}], "opening"?, "closing"?}`. The same
/// file twice changes nothing. Answers the last statement that it made.
async fn take_in(tx: &Tx, account: &Value, body: &Value) -> Result<Value> {
    may(tx, &account["id"]).await?;
    let mapping = mapping(tx, account, body).await?;
    let mut statements = match body["text"].as_str() {
        Some(text) => {
            let start = text.trim_start_matches('\u{feff}').trim_start();
            if start.starts_with('<') {
                camt::read(start)?
            } else if start.starts_with(":20:") || start.starts_with("{1:") {
                mt940::read(text)?
            } else {
                vec![table::read(text, &mapping)?]
            }
        }
        None => vec![given(body)?],
    };
    statements.sort_by(|a, b| a.through_on.cmp(&b.through_on));
    let mut made = Vec::new();
    for statement in &statements {
        statement.check()?;
        let ours = account["iban"].as_str();
        if let (Some(ours), Some(theirs)) = (ours, statement.account.as_deref())
            && ours != theirs
        {
            return Err(Error::refused_at("text", format!("This is a statement of the account {theirs}.")));
        }
        if let Some(currency) = statement.currency.as_deref().filter(|c| account["currency"] != **c) {
            return Err(Error::refused_at("text", format!("This statement is in {currency}.")));
        }
        let document = statement.document(body["file_name"].as_str());
        let row = tx.query_one(sql!("select banking.take_in($1, $2)"), &[&id(&account["id"])?, &document]).await?;
        made.extend(row.get::<_, Option<Uuid>>(0));
    }
    made.iter().for_each(|id| tx.changed(STATEMENTS, *id, 1, "create"));
    Ok(made.last().map_or(Value::Null, |id| json!({ "entity": STATEMENTS, "id": id })))
}

/// What was said now is remembered; what was said last time holds.
async fn mapping(tx: &Tx, account: &Value, body: &Value) -> Result<Map<String, Value>> {
    let Some(said) = body["mapping"].as_object() else {
        return Ok(account["csv_mapping"].as_object().cloned().unwrap_or_default());
    };
    table::check_mapping(said)?;
    let statement = sql!("update banking.bank_accounts set csv_mapping = $3 where organization_id = $1 and id = $2");
    tx.change(statement, &[&tx.actor.organization, &id(&account["id"])?, &body["mapping"]]).await?;
    Ok(said.clone())
}

/// Lines that come as data instead of a file.
fn given(body: &Value) -> Result<statement::Statement> {
    let lines = body["lines"].as_array().ok_or_else(|| Error::refused_at("text", "There is no file."))?;
    let number = |said: &Value, field: &str| match said {
        Value::Null => Ok(None),
        said => said.as_str().and_then(statement::amount).map(Some).ok_or_else(|| Error::malformed_at(field, "This is not an amount.")),
    };
    let mut read = Vec::new();
    for line in lines {
        let text = |field: &str| line[field].as_str().and_then(statement::said);
        read.push(statement::Line {
            booked_on: line["booked_on"].as_str().and_then(|d| statement::day(d, false)).ok_or_else(|| Error::malformed_at("lines", "This is not a date."))?,
            value_on: line["value_on"].as_str().and_then(|d| statement::day(d, false)),
            amount: number(&line["amount"], "lines")?.filter(|a| !a.is_zero()).ok_or_else(|| Error::malformed_at("lines", "This is not an amount."))?,
            counterparty: text("counterparty"),
            iban: line["iban"].as_str().and_then(statement::code),
            bic: line["bic"].as_str().and_then(statement::code),
            text: text("text"),
            reference: text("reference"),
            end_to_end: text("end_to_end"),
            creditor_reference: line["creditor_reference"].as_str().and_then(statement::code),
        });
    }
    Ok(statement::Statement { format: "lines", opening: number(&body["opening"], "opening")?, closing: number(&body["closing"], "closing")?, lines: read, at: 1, ..Default::default() })
}

/// What the bank and the books say on a day: `{"account_id", "as_of"?}`.
async fn reconciliation(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("banking.statement_lines", "read")?;
    tx.need("ledger.journal_entries", "read")?;
    let statement = sql!("select banking.reconciliation($1, coalesce(sales.read_date($2, 'as_of'), current_date))");
    let row = tx.query_one(statement, &[&id(&body["account_id"])?, body]).await?;
    row.get::<_, Option<Value>>(0).ok_or(Error::NotFound)
}

/// Money before an invoice, by party: `{"direction"?: "in"|"out"}`.
async fn advances(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("finance.payments", "read")?;
    let direction = match body["direction"].as_str() {
        None => None,
        Some(said @ ("in" | "out")) => Some(said),
        Some(_) => return Err(Error::malformed_at("direction", "Either in or out.")),
    };
    let statement = sql!(
        "select jsonb_build_object('rows', coalesce(jsonb_agg(jsonb_build_object('party_id', q.party_id, 'party', q.name, 'direction', q.direction, 'currency', q.currency,
             'amount', trim_scale(q.amount)::text, 'payments', q.payments) order by q.name, q.currency), '[]'), 'as_of', current_date, 'inputs_hash', md5(concat_ws('|', $1::uuid, $2::text)))
         from (select p.party_id, n.name, p.direction, p.currency, sum(p.unallocated) as amount,
                   jsonb_agg(jsonb_build_object('id', p.id, 'number', p.number, 'paid_on', p.paid_on, 'amount', trim_scale(p.unallocated)::text) order by p.paid_on, p.number) as payments
               from finance.payments p join parties.parties n on n.organization_id = p.organization_id and n.id = p.party_id
               where p.organization_id = $1 and n.organization_id = $1 and p.status = 'completed' and p.deleted_at is null and p.unallocated > 0
                 and p.direction <> 'refund' and ($2::text is null or p.direction = $2)
               group by 1, 2, 3, 4) q"
    );
    Ok(tx.query_one(statement, &[&tx.actor.organization, &direction]).await?.get(0))
}

/// Somebody vouches for an account that was only seen on a statement.
async fn confirm(tx: &Tx, account: &Value, _: &Value) -> Result<Value> {
    let statement = sql!("update banking.party_accounts set is_learned = false where organization_id = $1 and id = $2");
    tx.change(statement, &[&tx.actor.organization, &id(&account["id"])?]).await?;
    Ok(Value::Null)
}

async fn take_transfer_back(tx: &Tx, transfer: &Value, _: &Value) -> Result<Value> {
    may_transfer(tx, transfer).await?;
    tx.query(sql!("select banking.take_transfer_back($1)"), &[&id(&transfer["id"])?]).await?;
    Ok(Value::Null)
}

async fn take_cash_back(tx: &Tx, entry: &Value, _: &Value) -> Result<Value> {
    may_use(tx, entry).await?;
    if let Ok(payment) = id(&entry["payment_id"]) {
        line::refuse_on_a_statement(tx, payment).await?;
    }
    tx.query(sql!("select banking.take_cash_back($1)"), &[&id(&entry["id"])?]).await?;
    Ok(Value::Null)
}

/// `{"counted", "account_id"?, "note"?}`.
async fn close_day(tx: &Tx, day: &Value, body: &Value) -> Result<Value> {
    may_use(tx, day).await?;
    if let Ok(account) = id(&body["account_id"]) {
        line::visible(tx, "ledger.ledger_accounts", &[account], "account_id").await?;
    }
    tx.query(sql!("select banking.close_day($1, $2)"), &[&id(&day["id"])?, body]).await?;
    Ok(Value::Null)
}

async fn may_transfer(tx: &Tx, transfer: &Value) -> Result<()> {
    may(tx, &transfer["from_id"]).await?;
    may(tx, &transfer["to_id"]).await
}

async fn may_use(tx: &Tx, record: &Value) -> Result<()> {
    may(tx, &record["bank_account_id"]).await
}

/// Whether the person works with this account: those whose roles it names, or everybody where it names none.
async fn may(tx: &Tx, account: &Value) -> Result<()> {
    let statement = sql!("select b.roles, b.is_active from banking.bank_accounts b where b.organization_id = $1 and b.id = $2");
    let row = tx.query_opt(statement, &[&tx.actor.organization, &id(account)?]).await?.ok_or(Error::NotFound)?;
    let roles: Vec<String> = row.get(0);
    if !row.get::<_, bool>(1) {
        return Err(Error::refused("This account is no longer used."));
    }
    let access = &tx.actor.access;
    if roles.is_empty() || access.is_admin() || access.roles.iter().any(|r| roles.contains(r)) {
        return Ok(());
    }
    Err(Error::Forbidden("This account is for other roles.".into()))
}
