//! What was taxed, and what is owed of it.

use super::reports::{Span, optional};
use kernel::{Error, Result, Tx, sql};
use serde_json::Value;

/// `{"from"?, "to"?, "legal_entity_id"?}`: what was taxed and the tax on it, by direction, tax and rate, by the day of
/// supply; what was exempt or taxed with nothing too. A tax of a group is told by itself, with what it was counted from.
pub(super) async fn tax_report(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let statement = sql!(
        "with told as (
             select f.direction, f.tax_id, f.tax_rate, sum(f.base) as base, sum(f.tax) as tax
             from ledger.taxed($1, ($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, coalesce(app.j_id($2, 'legal_entity_id'), ledger.opened())) f group by 1, 2, 3
         ), named as (
             select d.direction, d.tax_id, d.tax_rate, d.base, d.tax, t.name, t.code, t.kind, array_position('{out,in,withheld}', d.direction) as n
             from told d left join products.taxes t on t.organization_id = $1 and t.id = d.tax_id
             where d.base <> 0 or d.tax <> 0
         ), shown as (
             select n, 0 as level, 'group' as role, direction as word, direction, null::uuid as tax_id, null::text as name, null::text as code, null::text as kind,
                 null::numeric as rate, case when direction <> 'withheld' then sum(base) end as base, sum(tax) as tax from named group by 1, 4, 5
             union all
             select n, 1, null, case when tax_id is null then 'no_tax' end, direction, tax_id, name, code, kind, tax_rate, base, tax from named
             union all
             select 9, 0, 'result', 'tax_due', null, null, null, null, null, null, null, sum(case direction when 'in' then -tax else tax end) from named having count(*) > 0
         )
         select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', concat_ws(' ', s.direction, s.word, s.tax_id, trim_scale(s.rate)), 'level', s.level, 'role', s.role, 'word', s.word,
             'direction', s.direction, 'tax_id', s.tax_id, 'tax', s.name, 'code', s.code, 'kind', s.kind, 'rate', trim_scale(s.rate)::text, 'base', round(s.base, ($2::jsonb ->> 'digits')::integer)::text, 'amount', round(s.tax, ($2::jsonb ->> 'digits')::integer)::text))
             order by s.n, s.level, s.code nulls last, s.rate desc), '[]') from shown s"
    );
    span.rows(tx, statement).await
}

/// `{"direction", "tax_id"?, "rate", "from"?, "to"?, "legal_entity_id"?}`: the entries that a line of the tax report is made of.
pub(super) async fn tax_entries(tx: &Tx, body: &Value) -> Result<Value> {
    let span = Span::of(tx, body).await?;
    let tax = optional(&body["tax_id"])?;
    let direction = body["direction"].as_str().filter(|d| ["out", "in", "withheld"].contains(d));
    let direction = direction.ok_or_else(|| Error::malformed_at("direction", "One of out, in, withheld."))?;
    let rate = body["rate"].as_str().filter(|r| r.len() <= 12 && r.parse::<f64>().is_ok_and(f64::is_finite));
    let rate = rate.ok_or_else(|| Error::malformed_at("rate", "This is not a number."))?;
    let statement = sql!(
        "with told as (
             select f.entry_id, f.supplied_on, sum(f.base) as base, sum(f.tax) as tax
             from ledger.taxed($1, ($2::jsonb ->> 'from')::date, ($2::jsonb ->> 'to')::date, coalesce(app.j_id($2, 'legal_entity_id'), ledger.opened())) f
             where f.direction = $3 and f.tax_id is not distinct from $4::uuid and f.tax_rate = $5::text::numeric group by 1, 2
         ), lines as (
             select d.entry_id, d.supplied_on, d.base, d.tax, e.number, e.description, e.source, e.source_id,
                 (select p.name from ledger.journal_entry_lines l join parties.parties p on p.organization_id = $1 and p.id = l.party_id
                  where l.organization_id = $1 and l.entry_id = d.entry_id limit 1) as party
             from told d join ledger.journal_entries e on e.organization_id = $1 and e.id = d.entry_id
             where d.base <> 0 or d.tax <> 0
             union all
             select null, null, sum(d.base), sum(d.tax), null, null, null, null, null from told d having count(*) > 0
         )
         select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('key', coalesce(concat_ws(' ', l.entry_id, l.supplied_on), ''), 'word', case when l.entry_id is null then 'total' end,
             'role', case when l.entry_id is null then 'result' end, 'entry_id', l.entry_id, 'on', l.supplied_on, 'number', l.number, 'description', l.description, 'party', l.party,
             'source', l.source, 'source_id', l.source_id, 'base', round(l.base, ($2::jsonb ->> 'digits')::integer)::text, 'amount', round(l.tax, ($2::jsonb ->> 'digits')::integer)::text)) order by l.entry_id is null, l.supplied_on, l.number), '[]') from lines l"
    );
    let mut told = span.said.clone();
    told["rows"] = tx.query_one(statement, &[&tx.actor.organization, &span.said, &direction, &tax, &rate]).await?.get(0);
    Ok(told)
}
