//! What waits for approval: who decides it, in whose name, and what comes of it. When an action waits, `records::approvals`
//! says; that nobody decides on his own, decides twice or after the end, the database holds (`sql/6_approvals.sql`).
//!
//! A decision and what it brings about are one transaction: with the last approval the action itself is taken, as by the
//! program, or the decision is none.

use crate::notifications;
use kernel::{Actor, Error, Result, Store, Tx, Values, sql, within};
use records::approvals::{carry_out, carry_out_if_possible, tell, unbound};
use serde_json::{Value, json};
use uuid::Uuid;

/// Requests that one bulk decision may name.
const MOST: usize = 200;

/// What somebody decides: `approve`, `reject`, `return` or `ask` with a comment, or `delegate` to somebody.
#[derive(Clone, Debug, Default)]
pub struct Decision<'a> {
    pub decision: &'a str,
    pub comment: Option<&'a str>,
    pub to: Option<Uuid>,
}

/// Who has decided on a request that waits no longer, as one says it.
fn late(answer: &Value) -> Error {
    let status = answer["status"].as_str().unwrap_or_default();
    match answer["by"].as_str() {
        Some(by) => Error::Conflict(format!("This has been {status} already, by {by}.")),
        None => Error::Conflict(format!("This has been {status} already.")),
    }
}

/// Decides; answers the request as it is then.
///
/// # Errors
/// Conflict when it was decided already, Forbidden for one's own and for what others decide, NotFound for what one has
/// nothing to do with, Stale when the record was changed since; and whatever the action itself says.
pub async fn decide(store: &Store, actor: &Actor, id: Uuid, decision: &Decision<'_>) -> Result<Value> {
    // What one has nothing to do with is not there, whatever one sends.
    get(store, actor, id).await?;
    if !["approve", "reject", "return", "ask", "delegate"].contains(&decision.decision) {
        return Err(Error::malformed_at("decision", "One of approve, reject, return, ask, delegate."));
    }
    let said = decision.comment.map(str::trim).filter(|c| !c.is_empty());
    if said.is_none() && !["approve", "delegate"].contains(&decision.decision) {
        return Err(Error::refused_at("comment", "Say why."));
    }
    if (decision.decision == "delegate") != decision.to.is_some() {
        return Err(Error::refused_at("to", "Say to whom."));
    }
    let all = actor.access.is_admin();
    // The rights of the program are for what is done in the end; who decides is looked at by the function itself.
    let program = unbound(&actor.catalog, actor);
    within!(store, &program, tx => {
        let sql = sql!("select app.decide_approval($1, $2, $3, $4, $5)");
        let answer: Value = tx.query_one(sql, &[&id, &decision.decision, &said, &decision.to, &all]).await?.get(0);
        match answer["outcome"].as_str().unwrap_or_default() {
            "missing" => return Err(Error::NotFound),
            "late" => return Err(late(&answer)),
            "own" => return Err(Error::Forbidden("Nobody decides on what he asked for himself.".into())),
            "made" => return Err(Error::Forbidden("Nobody decides on a record that he made himself.".into())),
            "done" => return Err(Error::Conflict("You have approved this already.".into())),
            "others" => return Err(Error::Forbidden("Others decide on this.".into())),
            "changed" => return Err(Error::Conflict("The record was changed after approval was asked for. Return it, so that it is asked for anew.".into())),
            _ => follow(&tx, &answer, said).await?,
        }
        shown(&tx, id, all).await
    })
}

/// What an outcome brings about: the action that waited, or the one for its rejection or return.
async fn follow(tx: &Tx, answer: &Value, said: Option<&str>) -> Result<()> {
    let entity = tx.catalog.entity(answer["entity"].as_str().unwrap_or_default())?;
    let record: Uuid = answer["record"].as_str().and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
    if let Some(then) = answer["then"].as_str() {
        if answer["outcome"] == "approved" {
            carry_out(tx, entity, record, then, &answer["body"]).await?;
        } else {
            carry_out_if_possible(tx, entity, record, then, &json!({ "reason": said })).await?;
        }
    }
    tell(tx, &answer["told"]);
    tx.changed(&entity.name, record, 0, "approval");
    Ok(())
}

async fn shown(tx: &Tx, id: Uuid, all: bool) -> Result<Value> {
    let row = tx.query_one(sql!("select app.approval($1, $2)"), &[&id, &all]).await?;
    row.get::<_, Option<Value>>(0).ok_or(Error::NotFound)
}

/// The same decision on many, each in a transaction of its own: `{done, failed: [{id, message}]}`.
///
/// # Errors
/// Malformed for more than 200.
pub async fn decide_all(
    store: &Store,
    actor: &Actor,
    ids: &[Uuid],
    decision: &Decision<'_>,
) -> Result<Value> {
    if ids.len() > MOST {
        return Err(Error::malformed_at("ids", format!("At most {MOST}.")));
    }
    let mut failed = Vec::new();
    for id in ids {
        match decide(store, actor, *id, decision).await {
            Ok(_) => {}
            Err(e @ (Error::Broken(_) | Error::Unavailable(_))) => return Err(e),
            Err(e) => failed.push(json!({ "id": id, "message": e.to_string() })),
        }
    }
    Ok(json!({ "done": ids.len() - failed.len(), "failed": failed }))
}

/// Whoever asked answers a question; the clock goes on.
///
/// # Errors
/// NotFound for what one has not asked for; Refused when it waits no longer, or for nothing said.
pub async fn answer(store: &Store, actor: &Actor, id: Uuid, comment: &str) -> Result<Value> {
    get(store, actor, id).await?;
    if comment.trim().is_empty() {
        return Err(Error::refused_at("comment", "Say something."));
    }
    let all = actor.access.is_admin();
    within!(store, actor, tx => {
        let sql = sql!("select app.answer_approval($1, $2)");
        let answer: Value = tx.query_one(sql, &[&id, &comment]).await?.get(0);
        if answer["outcome"] == "missing" {
            return Err(Error::NotFound);
        }
        follow(&tx, &answer, None).await?;
        shown(&tx, id, all).await
    })
}

/// Whoever asked, or an administrator, takes it back.
///
/// # Errors
/// NotFound for others'; Refused when it waits no longer.
pub async fn withdraw(store: &Store, actor: &Actor, id: Uuid, comment: Option<&str>) -> Result<Value> {
    let all = actor.access.is_admin();
    let program = unbound(&actor.catalog, actor);
    within!(store, &program, tx => {
        let sql = sql!("select app.withdraw_approval($1, $2, $3)");
        let answer: Value = tx.query_one(sql, &[&id, &comment, &all]).await?.get(0);
        if answer["outcome"] == "missing" {
            return Err(Error::NotFound);
        }
        follow(&tx, &answer, comment).await?;
        shown(&tx, id, all).await
    })
}

/// `mine` to decide, `requested` by me, `decided` by me, or for administrators `all`; the newest first, after `before`, and
/// those to decide by when they are due.
///
/// # Errors
/// Forbidden for `all` to others than administrators.
pub async fn list(
    store: &Store,
    actor: &Actor,
    which: &str,
    state: Option<&str>,
    before: Option<Uuid>,
) -> Result<Value> {
    let all = actor.access.is_admin();
    if !["mine", "requested", "decided", "all"].contains(&which) {
        return Err(Error::malformed_at("of", "One of mine, requested, decided, all."));
    }
    if which == "all" && !all {
        return Err(Error::Forbidden("Only administrators see all approvals.".into()));
    }
    let values: Values<'_> = &[&which, &state, &before, &if which == "mine" { 200 } else { 50 }, &all];
    one(store, actor, sql!("select app.approvals($1, $2, $3, $4, $5)"), values).await
}

/// # Errors
/// NotFound for what one has nothing to do with.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Value> {
    let found =
        one(store, actor, sql!("select app.approval($1, $2)"), &[&id, &actor.access.is_admin()]).await?;
    if found.is_null() { Err(Error::NotFound) } else { Ok(found) }
}

/// Those about a record that the actor may read, which the caller has made sure of.
///
/// # Errors
/// When the database does not answer.
pub async fn of_record(store: &Store, actor: &Actor, entity: &str, record: Uuid) -> Result<Value> {
    let values: Values<'_> = &[&entity, &record, &actor.access.is_admin()];
    one(store, actor, sql!("select app.approvals_of($1, $2, $3)"), values).await
}

async fn one(store: &Store, actor: &Actor, sql: &str, values: Values<'_>) -> Result<Value> {
    let rows = store.batch(actor, &[(sql, values)]).await?;
    Ok(rows.iter().flatten().next().and_then(|row| row.get::<_, Option<Value>>(0)).unwrap_or_default())
}

/// Who is away when, and who decides for him: one's own absences and those that one stands in for, of administrators all.
///
/// # Errors
/// When the database does not answer.
pub async fn delegations(store: &Store, actor: &Actor) -> Result<Value> {
    let all = actor.access.is_admin();
    let sql = sql!("select app.delegations_told($1)");
    one(store, actor, sql, &[&all]).await
}

/// # Errors
/// Forbidden for somebody else's absence to others than administrators; Refused for days that are none.
pub async fn delegate(
    store: &Store,
    actor: &Actor,
    person: Option<Uuid>,
    to: Uuid,
    (starts, ends): (Option<&str>, &str),
    reason: Option<&str>,
) -> Result<Value> {
    if person.is_some_and(|p| p != actor.user) && !actor.access.is_admin() {
        return Err(Error::Forbidden("Only administrators say who is away.".into()));
    }
    let person = person.unwrap_or(actor.user);
    let date = |field: &str, text: &str| {
        text.parse::<jiff::civil::Date>()
            .map(|d| d.to_string())
            .map_err(|_| Error::malformed_at(field, "This is not a date."))
    };
    let starts = starts.map(|s| date("starts_on", s)).transpose()?;
    let ends = date("ends_on", ends)?;
    let id = Uuid::now_v7();
    within!(store, actor, tx => {
        let sql = sql!(
            "insert into app.delegations (organization_id, id, person_id, delegate_id, starts_on, ends_on, reason)
             values ($1, $2, $3, $4, coalesce($5::text::date, current_date), $6::text::date, $7)"
        );
        tx.change(sql, &[&actor.organization, &id, &person, &to, &starts, &ends, &reason]).await?;
        tx.changed(notifications::EVENT, to, 0, "delegation");
        Ok(())
    })?;
    Ok(json!({ "id": id }))
}

/// Ends an absence, whose own or as an administrator.
///
/// # Errors
/// NotFound for others'.
pub async fn end_delegation(store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
    within!(store, actor, tx => {
        let sql = sql!("update app.delegations set deleted_at = now() where organization_id = $1 and id = $2 and deleted_at is null");
        if tx.change(sql, &[&actor.organization, &id]).await? == 0 {
            return Err(Error::NotFound);
        }
        Ok(())
    })
}
