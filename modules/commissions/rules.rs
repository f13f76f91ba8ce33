//! What people do with commissions and policies. How they are reckoned is said in schema.sql.

use kernel::{Error, Result, Tx, sql};
use serde_json::{Value, json};
use uuid::Uuid;

const SETTLEMENTS: &str = "commissions.commission_payments";

kernel::rules! {}

kernel::actions! {
    correct commissions.commissions: correct;
    revise commissions.commission_policies: revise;
}

kernel::calls! {
    settle: settle;
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

/// `{"until"?}`: a settlement for everybody who has something coming; whose sum is nothing or less waits.
async fn settle(tx: &Tx, body: &Value) -> Result<Value> {
    if !tx.actor.access.may(tx.catalog.entity(SETTLEMENTS)?, "create") {
        return Err(Error::Forbidden("You may not create commission payments.".into()));
    }
    let until = match &body["until"] {
        Value::Null => jiff::Timestamp::now().to_zoned(tx.actor.zone.clone()).date(),
        said => said
            .as_str()
            .and_then(|s| s.parse().ok())
            .ok_or_else(|| Error::malformed_at("until", "This is not a date."))?,
    };
    let due = sql!(
        "insert into commissions.commission_payments (agent_id, period_end)
         select c.agent_id, $2::text::date from commissions.commissions c
         where c.organization_id = $1 and c.commission_payment_id is null and c.status in ('approved', 'clawed_back') and c.earned_on <= $2::text::date
         group by 1 having sum(c.final_amount) > 0 order by 1 returning id"
    );
    let made = tx.query(due, &[&tx.actor.organization, &until.to_string()]).await?;
    let made: Vec<Value> = made.iter().map(|row| made_of(tx, SETTLEMENTS, row.get(0))).collect();
    Ok(json!({ "made": made }))
}

fn made_of(tx: &Tx, entity: &str, id: Uuid) -> Value {
    tx.changed(entity, id, 1, "create");
    json!({ "entity": entity, "id": id })
}

fn id(said: &Value) -> Result<Uuid> {
    let id = said.as_str().and_then(|s| s.parse().ok());
    id.ok_or_else(|| Error::malformed("Say which record, by its id."))
}
