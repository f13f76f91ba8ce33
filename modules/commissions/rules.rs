//! What people do with commissions and policies. How they are reckoned is said in schema.sql.

use kernel::{Error, Result, Scope, Tx, sql, id};
use serde_json::{Value, json};
use uuid::Uuid;

const SETTLEMENTS: &str = "commissions.commission_payments";

kernel::rules! {}

kernel::actions! {
    correct commissions.commissions: correct;
    settle commissions.commissions: settle_one;
    revise commissions.commission_policies: revise;
}

kernel::calls! {
    settle: settle_all;
}

/// `{"amount", "reason"}`: a line of its own for the next run; less than nothing takes away.
async fn correct(tx: &Tx, commission: &Value, body: &Value) -> Result<Value> {
    let made = sql!("select commissions.correct($1, $2)");
    let made = tx.query_one(made, &[&id(&commission["id"])?, body]).await?.get(0);
    Ok(made_of(tx, "commissions.commissions", made))
}

/// A draft of another revision.
async fn revise(tx: &Tx, policy: &Value, _: &Value) -> Result<Value> {
    let made = tx.query_one(sql!("select commissions.revise($1)"), &[&id(&policy["id"])?]).await?.get(0);
    Ok(made_of(tx, "commissions.commission_policies", made))
}

/// `{"until"?}`: everything approved of whoever earned this one, until a day.
async fn settle_one(tx: &Tx, commission: &Value, body: &Value) -> Result<Value> {
    let made = sql!("select commissions.settle($1, $2::text::date)");
    let made = tx.query_one(made, &[&id(&commission["agent_id"])?, &until(tx, body)?]).await?;
    Ok(made_of(tx, SETTLEMENTS, made.get(0)))
}

/// `{"until"?}`: a settlement for everybody who has something coming; whose sum is nothing or less waits.
async fn settle_all(tx: &Tx, body: &Value) -> Result<Value> {
    if tx.actor.access.scope(tx.catalog.entity("commissions.commissions")?, "settle") != Scope::All {
        return Err(Error::Forbidden("You may not settle commissions.".into()));
    }
    let due = sql!(
        "select commissions.settle(a.agent_id, $2::text::date) from (
             select c.agent_id from commissions.commissions c
             where c.organization_id = $1 and c.commission_payment_id is null and c.status in ('approved', 'clawed_back') and c.earned_on <= $2::text::date
             group by 1 having sum(c.final_amount) > 0 order by 1) a"
    );
    let made = tx.query(due, &[&tx.actor.organization, &until(tx, body)?]).await?;
    let made: Vec<Value> = made.iter().map(|row| made_of(tx, SETTLEMENTS, row.get(0))).collect();
    Ok(json!({ "made": made }))
}

fn until(tx: &Tx, body: &Value) -> Result<String> {
    let day: jiff::civil::Date = match &body["until"] {
        Value::Null => jiff::Timestamp::now().to_zoned(tx.actor.zone.clone()).date(),
        said => said
            .as_str()
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| Error::malformed_at("until", "This is not a date."))?,
    };
    Ok(day.to_string())
}

fn made_of(tx: &Tx, entity: &str, id: Uuid) -> Value {
    tx.changed(entity, id, 1, "create");
    json!({ "entity": entity, "id": id })
}
