//! What people do with an order besides moving it. What must hold is said in schema.sql.

use kernel::{Error, FieldAccess, Result, Tx, sql, id};
use serde_json::{Value, json};

kernel::rules! {}

kernel::actions! {
    ship_lines sales.orders: ship_lines;
    deliver_lines sales.orders: deliver_lines;
    return_lines sales.orders: return_lines;
}

kernel::calls! {
    customer_summary: customer_summary;
}

/// `{"lines": [{"id", "quantity"}], "on": date}`: some of it goes out; a line without a quantity in full.
async fn ship_lines(tx: &Tx, order: &Value, body: &Value) -> Result<Value> {
    some(tx, order, "ship", body).await
}

async fn deliver_lines(tx: &Tx, order: &Value, body: &Value) -> Result<Value> {
    some(tx, order, "deliver", body).await
}

async fn return_lines(tx: &Tx, order: &Value, body: &Value) -> Result<Value> {
    some(tx, order, "return", body).await
}

async fn some(tx: &Tx, order: &Value, verb: &str, body: &Value) -> Result<Value> {
    tx.query(sql!("select sales.move_some($1, $2, $3)"), &[&id(&order["id"])?, &verb, body])
        .await?;
    Ok(Value::Null)
}

/// What a customer has bought so far, in the currency of our books: `{"customer": id}`.
async fn customer_summary(tx: &Tx, body: &Value) -> Result<Value> {
    let customer = id(&body["customer"])?;
    let summary = sql!(
        "select jsonb_build_object('orders', count(*), 'value', coalesce(round(sum(o.total * o.exchange_rate), 2), 0)::text,
             'paid', coalesce(round(sum(o.paid * o.exchange_rate), 2), 0)::text, 'first_order_on', min(o.ordered_on), 'last_order_on', max(o.ordered_on))
         from sales.orders o
         where o.organization_id = $1 and o.customer_id = $2 and o.status not in ('draft', 'cancelled') and o.deleted_at is null"
    );
    let mut summary: Value =
        tx.query_one(summary, &[&tx.actor.organization, &customer]).await?.get(0);
    // Only for whoever may read the customer: what it owes is told by functions that read everything.
    let seen = sql!(
        "select trim_scale(parties.exposure(p.id))::text, trim_scale(p.credit_limit)::text from parties.parties p where p.organization_id = $1 and p.id = $2"
    );
    let seen =
        tx.query_opt(seen, &[&tx.actor.organization, &customer]).await?.ok_or(Error::NotFound)?;
    summary["exposure"] = json!(seen.get::<_, Option<String>>(0));
    if tx.actor.access.field("parties.parties", "credit_limit") > FieldAccess::None {
        summary["credit_limit"] = json!(seen.get::<_, Option<String>>(1));
    }
    Ok(summary)
}
