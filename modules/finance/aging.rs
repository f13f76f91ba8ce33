//! What is open, and for how long it has been due. DEFINITIONS 8.

use kernel::{Error, Result, Scope, Tx, sql};
use serde_json::{Value, json};

/// Rows told at a time.
const PAGE: i64 = 500;

/// `{"direction"?: "out"|"in", "as_of"?, "basis"?: "due"|"issue", "buckets"?: [30, 60, 90, 120],
/// "by"?: "customer"|"invoice"|"instalment", "currency"?: "document"|"base", "party_id"?, "skip"?}`, 500 rows at a time;
/// `next` is what to skip for the rest, `sums` what all of them come to in each currency. Whoever may read the books and all
/// invoices is told under `control` whether what is open comes to what the control account says.
pub(super) async fn invoice_aging(tx: &Tx, body: &Value) -> Result<Value> {
    tx.need("finance.invoices", "read")?;
    let direction = one_of(body, "direction", &["out", "in"])?;
    let basis = one_of(body, "basis", &["due", "issue"])?;
    let by = one_of(body, "by", &["customer", "invoice", "instalment"])?;
    let in_base = one_of(body, "currency", &["document", "base"])? == "base";
    let as_of = match &body["as_of"] {
        Value::Null => jiff::Timestamp::now().to_zoned(tx.actor.zone.clone()).date(),
        said => said
            .as_str()
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| Error::malformed_at("as_of", "This is not a date."))?,
    };
    let as_of = as_of.to_string();
    let limits = limits(&body["buckets"])?;
    let party = match &body["party_id"] {
        Value::Null => None,
        said => Some(kernel::id(said).map_err(|_| Error::malformed_at("party_id", "This is not an id."))?),
    };
    let skip = match &body["skip"] {
        Value::Null => 0,
        said => said
            .as_i64()
            .filter(|s| *s >= 0)
            .ok_or_else(|| Error::malformed_at("skip", "This is a number of rows."))?,
    };
    let aging = sql!(
        "with told as materialized (
             select a.* from finance.invoice_aging($1, $2::text::date, $3, $4, $5, $6)
                 with ordinality a (party_id, party_name, currency, invoice_id, number, due_on, not_due, buckets, unallocated, credit, total, n)
             where $7::uuid is null or a.party_id = $7::uuid
         ), page as (
             select false as is_sum, p.* from (select * from told t order by t.n offset $8::bigint limit $9) p
             union all
             select true, null, null, t.currency, null, null, null, sum(t.not_due),
                 (select array_agg(s.amount order by s.place) from (select u.place, sum(u.amount) as amount from told o cross join lateral unnest(o.buckets) with ordinality u (amount, place)
                     where o.currency = t.currency group by 1) s),
                 sum(t.unallocated), sum(t.credit), sum(t.total), row_number() over (order by sum(t.total) desc, t.currency)
             from told t group by t.currency having count(*) > 1
         ), rows as (
             select a.is_sum, jsonb_agg(jsonb_build_object('party_id', a.party_id, 'party', a.party_name, 'currency', a.currency,
                 'invoice_id', a.invoice_id, 'number', a.number, 'due_on', a.due_on, 'not_due', round(a.not_due, c.digits)::text,
                 'aged', (select jsonb_agg(round(b, c.digits)::text) from unnest(a.buckets) b), 'unallocated', round(a.unallocated, c.digits)::text,
                 'credit', round(a.credit, c.digits)::text, 'total', round(a.total, c.digits)::text)
                 || case when a.is_sum then jsonb_build_object('key', 'total ' || a.currency, 'role', 'result', 'word', 'total')
                     else jsonb_build_object('key', concat_ws(' ', a.party_id, a.currency, a.number, a.due_on)) end
                 || (select jsonb_object_agg('aged_' || q.n, round(q.b, c.digits)::text) from unnest(a.buckets) with ordinality q (b, n)) order by a.n) as all
             from page a join app.currencies c on c.code = a.currency group by 1
         )
         select jsonb_build_object('as_of', $2::text, 'direction', $1::text, 'basis', $3::text, 'buckets', $4::integer[], 'by', $5::text,
             'amounts', case when $6::boolean then 'base' else 'document' end,
             'currency', parties.home_currency(app.organization()),
             'columns', jsonb_build_array('party') || case when $5::text = 'customer' then jsonb_build_array() else jsonb_build_array('number', 'due_on') end || jsonb_build_array('currency', 'not_due')
                 || (select jsonb_agg(jsonb_build_object('name', 'aged_' || n, 'type', 'money', 'label', case when n <= cardinality($4::integer[])
                         then coalesce(($4::integer[])[n - 1], 0) + 1 || '–' || ($4::integer[])[n] else '> ' || ($4::integer[])[n - 1] end) order by n)
                     from generate_series(1, cardinality($4::integer[]) + 1) n) || jsonb_build_array('unallocated', 'total'),
             'inputs_hash', md5(concat_ws('|', app.organization(), $1, $2, $3, $4::text, $5, $6, $7::uuid)),
             'rows', coalesce((select r.all from rows r where not r.is_sum), '[]'), 'sums', coalesce((select r.all from rows r where r.is_sum), '[]'),
             'next', (select $8::bigint + $9 from told having count(*) > $8::bigint + $9))"
    );
    let asked: kernel::Values<'_> = &[&direction, &as_of, &basis, &limits, &by, &in_base, &party, &skip, &PAGE];
    let mut told: Value = tx.query_one(aging, asked).await?.get(0);
    let sees_all = |name: &str| -> Result<bool> {
        Ok(tx.actor.access.scope(tx.catalog.entity(name)?, "read") == Scope::All)
    };
    if sees_all("finance.invoices")? && sees_all("finance.payments")? && sees_all("ledger.journal_entries")? {
        let control = sql!(
            "with q as materialized (
                 select coalesce((select sum(o.base) from (
                            select case when i.is_credit then -i.base else i.base end from finance.open_invoices($1, $2::text::date) i
                            union all select l.base from finance.loose_payments($1, $2::text::date) l) o (base)), 0) as open,
                     finance.control_balance($1, $2::text::date) * case $1 when 'out' then 1 else -1 end as account)
             select jsonb_build_object('open', q.open::text, 'account', q.account::text, 'difference', (q.open - q.account)::text) from q"
        );
        let opened: Option<uuid::Uuid> = tx.query_one(sql!("select ledger.opened()"), &[]).await?.get(0);
        if opened.is_some() {
            told["control"] = tx.query_one(control, &[&direction, &as_of]).await?.get(0);
        }
    }
    Ok(told)
}

/// One of these words; the first when nothing is said.
fn one_of<'a>(body: &Value, field: &str, words: &[&'a str]) -> Result<&'a str> {
    match &body[field] {
        Value::Null => Ok(words[0]),
        said => words
            .iter()
            .find(|w| said == **w)
            .copied()
            .ok_or_else(|| Error::malformed_at(field, format!("One of {}.", words.join(", ")))),
    }
}

fn limits(said: &Value) -> Result<Vec<i32>> {
    if *said == json!(null) {
        return Ok(vec![30, 60, 90, 120]);
    }
    let days = said.as_array().and_then(|days| {
        days.iter().map(|d| d.as_i64().and_then(|d| i32::try_from(d).ok())).collect::<Option<Vec<i32>>>()
    });
    days.filter(|d| (1..=12).contains(&d.len()) && d[0] > 0 && d.is_sorted_by(|a, b| a < b))
        .ok_or_else(|| Error::malformed_at("buckets", "Up to twelve numbers of days, growing."))
}
