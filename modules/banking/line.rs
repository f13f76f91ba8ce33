//! One line of a statement: what it may be, and what it is said to be.

use super::{
    id, may,
    suggest::{Entered, Fits, Invoice, Suggestion, Told, letters, suggest, words},
};
use conditions::{Condition, Context, FieldRef, Kind, Part, Schema};
use kernel::{Error, Result, Row, Tx, sql};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

const LINES: &str = "banking.statement_lines";

/// `{"items": [{"payment_id"} | {"entry_id"} | {"invoice_id", "amount"?, …} | {"party_id", "amount"?} | {"account_id", "amount"?, "tax_id"?, "memo"?}]}`.
pub(super) async fn matched(tx: &Tx, line: &Value, body: &Value) -> Result<Value> {
    may(tx, &line["bank_account_id"]).await?;
    let items = body["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    // What is named must be there for whoever names it: the rest is done with the rights of the program.
    for (field, entity) in [
        ("payment_id", "finance.payments"),
        ("entry_id", "ledger.journal_entries"),
        ("invoice_id", "finance.invoices"),
        ("party_id", "parties.parties"),
        ("account_id", "ledger.ledger_accounts"),
        ("tax_id", "products.taxes"),
        ("project_id", "ledger.dimensions"),
        ("department_id", "ledger.dimensions"),
    ] {
        let named = items.iter().filter(|i| !i[field].is_null());
        let ids = named.map(|i| i[field].as_str().and_then(|s| s.parse().ok()));
        let ids: Vec<Uuid> = ids.collect::<Option<_>>().ok_or_else(|| Error::malformed_at(field, "This is not an id."))?;
        visible(tx, entity, &ids, field).await?;
    }
    tx.query(sql!("select banking.match($1, $2)"), &[&id(&line["id"])?, &body["items"]]).await?;
    Ok(Value::Null)
}

/// Refuses what the person may not see as if it were not there.
pub(super) async fn visible(tx: &Tx, entity: &str, ids: &[Uuid], field: &str) -> Result<()> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let name = &tx.catalog.entity(entity)?.name;
    let statement = format!("select count(*) from {name} where organization_id = $1 and id = any($2) and deleted_at is null");
    let there: i64 = tx.query_one(&statement, &[&tx.actor.organization, &ids]).await?.get(0);
    if usize::try_from(there) == Ok(ids.len()) {
        return Ok(());
    }
    Err(Error::refused_at(field, "There is no such record."))
}

/// The first suggestion, when it is sure. As a bulk action it takes all sure ones, each by itself.
pub(super) async fn take(tx: &Tx, line: &Value, _: &Value) -> Result<Value> {
    let best = of(tx, line).await?.into_iter().next().filter(|s| s.is_sure);
    let best = best.ok_or_else(|| Error::refused("No suggestion for this line is sure enough."))?;
    matched(tx, line, &json!({ "items": best.items })).await
}

pub(super) async fn undo(tx: &Tx, line: &Value, _: &Value) -> Result<Value> {
    may(tx, &line["bank_account_id"]).await?;
    tx.query(sql!("select banking.undo($1)"), &[&id(&line["id"])?]).await?;
    Ok(Value::Null)
}

/// What a line may be, the best first: `{"line_id"}`.
pub(super) async fn suggestions(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need(LINES, "read")?;
    let statement = sql!("select to_jsonb(l) - '{search,search_text}'::text[] from banking.statement_lines l where l.organization_id = $1 and l.id = $2");
    let row = tx.query_opt(statement, &[&tx.actor.organization, &id(&body["line_id"])?]).await?.ok_or(Error::NotFound)?;
    let line: Value = row.get(0);
    let found = of(tx, &line).await?;
    Ok(json!({ "line_id": line["id"], "suggestions": found.iter().map(Suggestion::value).collect::<Vec<_>>() }))
}

async fn of(tx: &Tx, line: &Value) -> Result<Vec<Suggestion>> {
    let text = |field: &str| line[field].as_str();
    let amount = decimal(&line["amount"]);
    let words = words(&[text("text"), text("reference"), text("end_to_end"), text("creditor_reference")]);
    let known: Vec<String> = words.iter().filter(|w| w.len() >= 4).take(500).cloned().collect();
    let (here, account) = (tx.actor.organization, id(&line["bank_account_id"])?);
    let fee = sql!("select trim_scale(b.fee_percent)::text, b.fee_account_id::text from banking.bank_accounts b where b.organization_id = $1 and b.id = $2");
    let fee = tx.query_opt(fee, &[&here, &account]).await?;
    let fee = fee.and_then(|r| Some((r.get::<_, Option<String>>(0)?.parse().ok()?, r.get::<_, Option<String>>(1)?)));
    let told = Told {
        amount,
        booked_on: text("booked_on").unwrap_or_default().into(),
        counterparty: text("counterparty").unwrap_or_default().into(),
        words,
        reference: text("reference").map(letters),
        fee,
    };
    let longest = told.counterparty.split(|c: char| !c.is_alphanumeric()).max_by_key(|w| w.chars().count()).unwrap_or_default().to_lowercase();
    let like = if longest.chars().count() >= 4 { format!("%{longest}%") } else { String::new() };
    let size = amount.abs().to_string();
    let is_in = amount > Decimal::ZERO;
    let can_see = |entity: &str| tx.catalog.entity(entity).is_ok_and(|e| tx.actor.access.may(e, "read"));

    let mut invoices = Vec::new();
    if can_see("finance.invoices") && can_see("parties.parties") {
        let rows = tx.query(INVOICES, &[&here, &line["iban"].as_str(), &like, &is_in, &size, &known, &line["currency"].as_str()]).await?;
        invoices.extend(rows.iter().map(|r| invoice(r, is_in)));
    }
    let mut entered = Vec::new();
    if can_see("finance.payments") {
        let rows = tx.query(PAYMENTS, &[&here, &line["iban"].as_str(), &is_in, &size, &text("booked_on"), &line["currency"].as_str()]).await?;
        entered.extend(rows.iter().map(|r| payment(r, is_in, told.reference.as_deref())));
    }
    if can_see("ledger.journal_entries") {
        let rows = tx.query(ENTRIES, &[&here, &account, &amount.to_string(), &text("booked_on")]).await?;
        entered.extend(rows.iter().map(|r| Entered {
            id: r.get(0),
            kind: "entry_id",
            number: r.get(1),
            party_name: r.get::<_, Option<String>>(2).unwrap_or_default(),
            on: r.get(3),
            amount,
            ..Entered::default()
        }));
    }
    Ok(suggest(&told, &invoices, &entered, &rules(tx, line, account).await?))
}

const INVOICES: &str = sql!(
    "with payers as (
         select a.party_id as id, true as knows from banking.party_accounts a where a.organization_id = $1 and a.iban = $2 and a.deleted_at is null
         union all
         (select p.id, false from parties.parties p where p.organization_id = $1 and $3::text <> '' and p.search_text like $3::text and p.deleted_at is null limit 20)
     )
     select i.id::text, i.number, i.supplier_number, i.reference, i.party_id::text, coalesce(i.party_name, ''), trim_scale(i.balance)::text, i.due_on::text,
         exists (select from payers y where y.id = i.party_id and y.knows), i.po_number
     from finance.invoices i
     where i.organization_id = $1 and i.status in ('sent', 'viewed', 'partial') and i.balance > 0 and i.deleted_at is null and i.kind not in ('PROFORMA', 'RECEIPT') and i.currency = $7::text
       and finance.paid_by(i.direction, i.kind) = any (case when $4::boolean then '{in}' else '{out,refund}' end::text[])
       and (i.balance = $5::text::numeric or i.party_id in (select y.id from payers y)
            or upper(regexp_replace(i.number, '[^[:alnum:]]', '', 'g')) = any ($6::text[])
            or upper(regexp_replace(i.supplier_number, '[^[:alnum:]]', '', 'g')) = any ($6::text[]))
       -- What is being paid already is that payment.
       and not exists (select from finance.payment_allocations a join finance.payments p on p.organization_id = a.organization_id and p.id = a.payment_id
           where a.organization_id = $1 and p.organization_id = $1 and a.invoice_id = i.id and p.status = 'processing' and a.reversed_on is null)
     order by (i.balance = $5::text::numeric) desc, i.due_on, i.number limit 100"
);

fn invoice(row: &Row, is_in: bool) -> Invoice {
    let text = |n: usize| row.get::<_, Option<String>>(n);
    let open: Decimal = row.get::<_, String>(6).parse().unwrap_or_default();
    Invoice {
        id: row.get(0),
        number: row.get(1),
        other_numbers: [text(2), text(3), text(9)].into_iter().flatten().collect(),
        party: row.get(4),
        party_name: row.get(5),
        open: if is_in { open } else { -open },
        due_on: row.get(7),
        knows_iban: row.get(8),
    }
}

const PAYMENTS: &str = sql!(
    "select p.id::text, p.number, p.reference, p.transaction_id, p.bank_reference, coalesce(q.name, ''), trim_scale(p.amount + case p.direction when 'in' then -p.fee else p.fee end)::text, p.paid_on::text,
         exists (select from banking.party_accounts a where a.organization_id = $1 and a.party_id = p.party_id and a.iban = $2 and a.deleted_at is null), p.status = 'processing',
         (select string_agg(i.number, ' ') from finance.payment_allocations a join finance.invoices i on i.organization_id = a.organization_id and i.id = a.invoice_id
          where a.organization_id = $1 and i.organization_id = $1 and a.payment_id = p.id and a.reversed_on is null)
     from finance.payments p left join parties.parties q on q.organization_id = p.organization_id and q.id = p.party_id
     where p.organization_id = $1 and p.deleted_at is null and p.status in ('processing', 'completed')
       and p.amount + case p.direction when 'in' then -p.fee else p.fee end = $4::text::numeric and p.currency = $6::text
       and p.direction = any (case when $3::boolean then '{in}' else '{out,refund}' end::text[])
       and (p.status = 'processing' or p.paid_on between $5::text::date - 120 and $5::text::date + 30)
       and not exists (select from banking.line_matches m where m.organization_id = $1 and m.payment_id = p.id and m.undone_at is null)
     order by abs(p.paid_on - $5::text::date), p.number limit 30"
);

fn payment(row: &Row, is_in: bool, reference: Option<&str>) -> Entered {
    let text = |n: usize| row.get::<_, Option<String>>(n);
    let amount: Decimal = row.get::<_, String>(6).parse().unwrap_or_default();
    let numbers: Vec<String> = [text(2), text(3), text(4)].into_iter().flatten().chain(text(10).unwrap_or_default().split(' ').map(str::to_owned)).collect();
    let is_the_same = reference.is_some_and(|r| numbers.iter().any(|n| letters(n) == r));
    Entered {
        id: row.get(0),
        kind: "payment_id",
        number: row.get(1),
        numbers,
        party_name: row.get(5),
        amount: if is_in { amount } else { -amount },
        on: row.get(7),
        knows_iban: row.get::<_, bool>(8),
        is_under_way: row.get::<_, bool>(9) || is_the_same,
    }
}

const ENTRIES: &str = sql!(
    "select e.id::text, coalesce(e.number, ''), e.description, e.entry_on::text
     from banking.bank_accounts b join ledger.journal_entry_lines l on l.organization_id = b.organization_id and l.account_id = b.account_id and l.currency = b.currency
     join ledger.journal_entries e on e.organization_id = l.organization_id and e.id = l.entry_id
     where b.organization_id = $1 and l.organization_id = $1 and e.organization_id = $1 and b.id = $2 and l.period_id is not null and e.status = 'posted' and not e.is_reversed
       and e.reverses_id is null and e.source is distinct from 'finance.payments' and e.source is distinct from 'banking.bank_accounts'
       and l.entry_on between $4::text::date - 45 and $4::text::date + 45
       and not exists (select from banking.line_matches m where m.organization_id = $1 and m.bank_account_id = b.id and m.entry_id = e.id and m.undone_at is null)
     group by e.id, e.number, e.description, e.entry_on having sum(l.currency_amount) = $3::text::numeric
     order by abs(e.entry_on - $4::text::date), e.number limit 20"
);

/// The rules that a line fits, in their order.
async fn rules(tx: &Tx, line: &Value, account: Uuid) -> Result<Vec<Fits>> {
    let statement = sql!(
        "select r.name, r.condition, r.account_id::text, r.party_id::text, r.tax_id::text, r.memo, r.is_sure from banking.reconciliation_rules r
         where r.organization_id = $1 and r.is_active and r.deleted_at is null and (r.bank_account_id is null or r.bank_account_id = $2) order by r.position, r.name limit 500"
    );
    let mut fits = Vec::new();
    for row in tx.query(statement, &[&tx.actor.organization, &account]).await? {
        let Ok(condition) = checked(tx, &row.get(1)) else { continue };
        if condition.matches(line) {
            let mut item = serde_json::Map::new();
            for (n, field) in ["account_id", "party_id", "tax_id", "memo"].into_iter().enumerate() {
                if let Some(said) = row.get::<_, Option<String>>(n + 2) {
                    item.insert(field.into(), said.into());
                }
            }
            fits.push(Fits { name: row.get(0), item: item.into(), is_sure: row.get(6) });
        }
    }
    Ok(fits)
}

/// What a rule may ask of a line.
struct Fields;

impl Schema for Fields {
    fn resolve(&mut self, path: &str) -> Result<FieldRef, String> {
        let kind = match path {
            "text" | "counterparty" | "iban" | "bic" | "reference" | "end_to_end" | "creditor_reference" | "currency" => Kind::Text,
            "amount" => Kind::Number,
            "booked_on" | "value_on" => Kind::Date,
            _ => return Err(format!("There is no field {path}.")),
        };
        Ok(FieldRef { kind, sql: path.to_owned() })
    }

    fn part(&mut self, path: &str) -> Result<(Box<dyn Part + '_>, String), String> {
        Err(format!("There is no field {path}."))
    }
}

fn checked(tx: &Tx, condition: &Value) -> Result<conditions::Checked> {
    let context = Context {
        user: tx.actor.user.to_string(),
        roles: tx.actor.access.roles.clone(),
        departments: None,
        now: jiff::Timestamp::now(),
        zone: tx.actor.zone.clone(),
    };
    let refused = |problems: Vec<conditions::Problem>| {
        let said = problems.first().map(|p| p.message.clone()).unwrap_or_default();
        Error::refused_at("condition", said)
    };
    Condition::parse(condition).map_err(refused)?.check(&mut Fields, &context).map_err(refused)
}

/// A rule that would never be understood is not kept. One that asks nothing would fit every line.
pub(super) async fn check_rule(tx: &Tx, rule: &Value) -> Result<()> {
    checked(tx, &rule["condition"])?;
    if Condition::parse(&rule["condition"]).is_ok_and(|c| c.is_empty()) {
        return Err(Error::refused_at("condition", "Say which lines the rule is for."));
    }
    Ok(())
}

pub(super) async fn not_on_a_statement(tx: &Tx, payment: &Value) -> Result<()> {
    refuse_on_a_statement(tx, id(&payment["id"])?).await
}

/// What the bank says was paid is not voided under its statement.
pub(super) async fn refuse_on_a_statement(tx: &Tx, payment: Uuid) -> Result<()> {
    if tx.query_one(sql!("select banking.holds($1)"), &[&payment]).await?.get(0) {
        return Err(Error::refused("This is on a bank statement: undo the match first."));
    }
    Ok(())
}

/// Open invoices and payments that are on no statement, by number, name or amount: `{"line_id", "q"}`.
pub(super) async fn documents(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("finance.invoices", "read")?;
    tx.need("finance.payments", "read")?;
    tx.need(LINES, "read")?;
    let statement = sql!(
        r"with l as (select x.amount, x.currency from banking.statement_lines x where x.organization_id = $1 and x.id = $2)
         select coalesce(jsonb_agg(to_jsonb(q)), '[]') from (
             (select 'invoice' as kind, i.id, i.number, coalesce(i.party_name, '') as party, i.party_id, trim_scale(i.balance)::text as amount, i.currency, i.due_on as on
              from finance.invoices i, l where i.organization_id = $1 and i.status in ('sent', 'viewed', 'partial') and i.balance > 0 and i.deleted_at is null and i.kind not in ('PROFORMA', 'RECEIPT')
                and finance.paid_by(i.direction, i.kind) = any (case when l.amount > 0 then '{in}' else '{out,refund}' end::text[])
                and ($3::text = '' or i.search_text like '%' || lower($3::text) || '%' or i.balance::text like replace($3::text, ',', '.') || '%')
              order by (i.currency = l.currency) desc, abs(i.balance - abs(l.amount)), i.due_on limit 25)
             union all
             (select 'payment', p.id, p.number, coalesce(n.name, ''), p.party_id, trim_scale(p.amount)::text, p.currency, p.paid_on
              from finance.payments p left join parties.parties n on n.organization_id = p.organization_id and n.id = p.party_id, l
              where p.organization_id = $1 and p.deleted_at is null and p.status in ('processing', 'completed') and p.currency = l.currency
                and p.direction = any (case when l.amount > 0 then '{in}' else '{out,refund}' end::text[])
                and not exists (select from banking.line_matches m where m.organization_id = $1 and m.payment_id = p.id and m.undone_at is null)
                and ($3::text = '' or p.search_text like '%' || lower($3::text) || '%' or lower(n.name) like '%' || lower($3::text) || '%' or p.amount::text like replace($3::text, ',', '.') || '%')
              order by abs(p.amount - abs(l.amount)), p.paid_on desc limit 15)) q"
    );
    let said: String = body["q"].as_str().unwrap_or_default().chars().filter(|c| !matches!(c, '%' | '_' | '\\')).take(100).collect();
    let row = tx.query_one(statement, &[&tx.actor.organization, &id(&body["line_id"])?, &said.trim()]).await?;
    Ok(json!({ "rows": row.get::<_, Value>(0) }))
}

fn decimal(said: &Value) -> Decimal {
    let text = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
    text.parse().unwrap_or_default()
}
