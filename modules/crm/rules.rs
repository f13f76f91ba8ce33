//! What people do with deals besides moving them. What must hold is said in schema.sql.

use kernel::{Error, Result, Tx, sql};
use serde_json::Value;
use uuid::Uuid;

kernel::rules! {}

kernel::actions! {
    lose crm.deals: lose;
}

kernel::calls! {}

/// `{"lost_reason", "lost_to"?}`.
async fn lose(tx: &Tx, deal: &Value, body: &Value) -> Result<Value> {
    let id: Option<Uuid> = deal["id"].as_str().and_then(|s| s.parse().ok());
    let (reason, to) = (body["lost_reason"].as_str(), body["lost_to"].as_str());
    let lost = sql!(
        "update crm.deals set stage = 'LOST', lost_reason = $3, lost_to = $4 where organization_id = $1 and id = $2"
    );
    match tx.change(lost, &[&tx.actor.organization, &id, &reason, &to]).await? {
        0 => Err(Error::Forbidden("You may not change this one of the deals.".into())),
        _ => Ok(Value::Null),
    }
}
