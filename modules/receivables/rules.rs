//! What people do about what customers owe. What must hold is said in schema.sql.

use kernel::{Error, Result, Tx, sql, id};
use records::approvals::{ask_approval, go_on};
use serde_json::{Value, json};
use uuid::Uuid;

const INVOICES: &str = "finance.invoices";
const PAYMENTS: &str = "finance.payments";
const LETTERS: &str = "receivables.dunning_letters";

kernel::rules! {
    After create receivables.payment_terms: check_terms;
    After update receivables.payment_terms: check_terms;
    After create receivables.statements: fill;
    After create sales.orders: take_terms;
}

kernel::actions! {
    use_terms finance.invoices: use_terms;
    pay_early finance.invoices: pay_early;
    bill receivables.recurring_invoices: bill;
    send receivables.dunning_letters: send;
    run receivables.dunning_levels: run;
}

kernel::calls! {
    statement: statement;
    dun: dun;
}

async fn check_terms(tx: &Tx, terms: &Value) -> Result<()> {
    tx.query(sql!("select receivables.check_terms($1)"), &[&id(&terms["id"])?]).await?;
    Ok(())
}

async fn fill(tx: &Tx, statement: &Value) -> Result<()> {
    tx.query(sql!("select receivables.fill_statement($1)"), &[&id(&statement["id"])?]).await?;
    Ok(())
}

/// An order keeps the terms that its customer has on the day.
async fn take_terms(tx: &Tx, order: &Value) -> Result<()> {
    tx.query(sql!("select receivables.order_made($1)"), &[&id(&order["id"])?]).await?;
    Ok(())
}

/// `{"terms_id"}`: in which parts a draft will be due.
async fn use_terms(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    let terms = id(&body["terms_id"]).map_err(|_| Error::refused_at("terms_id", "Say which terms."))?;
    tx.query(sql!("select receivables.use_terms($1, $2)"), &[&id(&invoice["id"])?, &terms]).await?;
    Ok(Value::Null)
}

/// `{"paid_on"?, "method"?, "reference"?, "transaction_id"?}`: all that is open less the discount, which is written off.
async fn pay_early(tx: &Tx, invoice: &Value, body: &Value) -> Result<Value> {
    let statement = sql!("select receivables.pay_early($1, $2)");
    let made: Option<Uuid> = tx.query_one(statement, &[&id(&invoice["id"])?, body]).await?.get(0);
    let Some(made) = made else { return Ok(Value::Null) };
    let catalog = tx.catalog.clone();
    if ask_approval(tx, catalog.entity(PAYMENTS)?, made, "complete", &json!({})).await?.is_some() {
        return Err(Error::refused(
            "Such a payment waits for approval: enter the payment, and write the discount off when it is approved.",
        ));
    }
    tx.query(sql!("select finance.complete($1)"), &[&made]).await?;
    tx.changed(PAYMENTS, made, 1, "create");
    Ok(json!({ "entity": PAYMENTS, "id": made }))
}

/// The next invoice, when its day has come.
async fn bill(tx: &Tx, recurring: &Value, _: &Value) -> Result<Value> {
    let statement = sql!("select receivables.bill($1, current_date)");
    let made: Option<Uuid> = tx.query_one(statement, &[&id(&recurring["id"])?]).await?.get(0);
    let made = made.ok_or_else(|| Error::refused("There is nothing to bill yet."))?;
    if recurring["post_at_once"] == true {
        return go_on(tx, INVOICES, made, "post", sql!("select finance.post($1)")).await;
    }
    tx.changed(INVOICES, made, 1, "create");
    Ok(json!({ "entity": INVOICES, "id": made }))
}

async fn send(tx: &Tx, letter: &Value, _: &Value) -> Result<Value> {
    tx.query(sql!("select receivables.send_letter($1)"), &[&id(&letter["id"])?]).await?;
    tx.changed(flow::jobs::EVENT, Uuid::nil(), 0, "queued");
    Ok(Value::Null)
}

/// `{"party_id", "from"?, "to"?}`: in each currency what was open, what came and went, and what is open now, by age.
async fn statement(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("finance.invoices", "read")?;
    tx.need("finance.payments", "read")?;
    let party = id(&body["party_id"]).map_err(|_| Error::refused_at("party_id", "Say whose."))?;
    for day in ["from", "to"] {
        self::day(body, day)?;
    }
    let statement = sql!(
        "with asked as (select coalesce(app.j_date($3, 'from'), (date_trunc('month', current_date) - interval '1 month')::date) as from_on,
                            coalesce(app.j_date($3, 'to'), current_date) as to_on),
         currencies as (
             select distinct i.currency from finance.invoices i where i.organization_id = $1 and i.party_id = $2 and i.direction = 'out' and i.number is not null
             union select distinct p.currency from finance.payments p where p.organization_id = $1 and p.party_id = $2 and p.direction in ('in', 'refund') and p.status = 'completed')
         select jsonb_build_object('party_id', $2::uuid, 'from', (select from_on from asked), 'to', (select to_on from asked),
             'currencies', coalesce((select jsonb_agg(jsonb_build_object('currency', c.currency, 'rows', m.rows, 'opening', m.rows -> 0 ->> 'balance',
                 'closing', m.rows -> -1 ->> 'balance',
                 'aging', (select jsonb_build_object('not_due', a.not_due::text, 'aged', (select jsonb_agg(b::text) from unnest(a.buckets) b),
                     'unallocated', a.unallocated::text, 'total', a.total::text)
                     from finance.invoice_aging('out', (select to_on from asked), 'due', '{30,60,90,120}', 'customer', false) a
                     where a.party_id = $2 and a.currency = c.currency)) order by c.currency)
             from currencies c cross join lateral (
                 select jsonb_agg(jsonb_build_object('on', x.on_day, 'kind', x.kind, 'number', x.number, 'due_on', x.due_on, 'debit', x.debit::text, 'credit', x.credit::text,
                     'balance', x.balance::text, 'invoice_id', x.invoice_id, 'payment_id', x.payment_id) order by x.place) as rows
                 from (select y.*, row_number() over () as place
                       from receivables.movements($2, c.currency, (select from_on from asked), (select to_on from asked)) y) x) m), '[]'))"
    );
    Ok(tx.query_one(statement, &[&tx.actor.organization, &party, body]).await?.get(0))
}

/// `{"as_of"?, "dry"?: true}`: writes the letters that are due, or with `dry` tells which they would be.
async fn dun(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("receivables.dunning_levels", "run")?;
    day(body, "as_of")?;
    if body["dry"] == true {
        let statement = sql!(
            "select coalesce(jsonb_agg(jsonb_build_object('party_id', q.party_id, 'party', p.name, 'currency', q.currency, 'level_id', q.level_id, 'level', v.name,
                 'amount', q.amount::text, 'fee', v.fee::text, 'invoices', q.numbers) order by p.name, v.position), '[]')
             from (select o.party_id, o.currency, o.level_id, sum(o.amount) as amount, jsonb_agg(o.number order by o.due_on) as numbers
                   from receivables.overdue(coalesce(app.j_date($2, 'as_of'), current_date)) o group by 1, 2, 3) q
             join parties.parties p on p.organization_id = $1 and p.id = q.party_id
             join receivables.dunning_levels v on v.organization_id = $1 and v.id = q.level_id"
        );
        let rows: Value = tx.query_one(statement, &[&tx.actor.organization, body]).await?.get(0);
        return Ok(json!({ "dry": true, "letters": rows }));
    }
    Ok(json!({ "dry": false, "letters": write(tx, body).await? }))
}

/// `{"as_of"?}`: from any of the levels, at all of them. Answers the first letter.
async fn run(tx: &Tx, _: &Value, body: &Value) -> Result<Value> {
    day(body, "as_of")?;
    let made = write(tx, body).await?;
    let first = made.first().ok_or_else(|| Error::refused("There is nobody to be reminded."))?;
    Ok(json!({ "entity": LETTERS, "id": first }))
}

async fn write(tx: &Tx, body: &Value) -> Result<Vec<Uuid>> {
    let statement = sql!("select receivables.dun(coalesce(app.j_date($1, 'as_of'), current_date))");
    let made: Vec<Uuid> = tx.query_one(statement, &[body]).await?.get(0);
    for letter in &made {
        tx.changed(LETTERS, *letter, 1, "create");
    }
    Ok(made)
}

/// A field that is a day or is not said.
fn day(body: &Value, field: &str) -> Result<()> {
    let known = |d: &str| d.parse::<jiff::civil::Date>().is_ok();
    if body[field].is_null() || body[field].as_str().is_some_and(known) {
        return Ok(());
    }
    Err(Error::malformed_at(field, "This is not a date."))
}
