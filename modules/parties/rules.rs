//! Finding and merging duplicates.

use kernel::{Error, FieldAccess, Result, Tx, sql, id};
use serde_json::{Value, json};

kernel::rules! {}

kernel::actions! {
    merge parties.parties: merge;
}

kernel::calls! {
    find_duplicates: find_duplicates;
}

/// `{"other": id}`: that record becomes part of this one. Whoever asks must be able to change both.
async fn merge(tx: &Tx, party: &Value, body: &Value) -> Result<Value> {
    let (keep, other) = (id(&party["id"])?, id(&body["other"])?);
    let mine = sql!(
        "select from parties.parties where organization_id = $1 and id = $2 for no key update"
    );
    if tx.query_opt(mine, &[&tx.actor.organization, &other]).await?.is_none() {
        return Err(Error::refused_at(
            "other",
            "There is no such record, or you may not change it.",
        ));
    }
    tx.query(sql!("select parties.merge($1, $2)"), &[&keep, &other]).await?;
    tx.query(sql!("select app.relink('parties.parties', $1, $2)"), &[&other, &keep]).await?;
    tx.changed("parties.parties", other, 0, "delete");
    Ok(Value::Null)
}

/// Who looks like a party that is there (`{"party": id}`), or like one that is being typed in (`{"name", "email", …}`).
async fn find_duplicates(tx: &Tx, body: &Value) -> Result<Value> {
    let party = match &body["party"] {
        Value::Null => None,
        said => Some(id(said)?),
    };
    // Who may not see what duplicates are found by would find it out here.
    let hidden = |field: &&str| tx.actor.access.field("parties.parties", field) == FieldAccess::None;
    if ["name", "bin", "iin", "email", "phone"].iter().any(hidden) {
        return Ok(json!({ "duplicates": [] }));
    }
    let said = |name: &str| body[name].as_str().map(str::trim).filter(|s| !s.is_empty());
    let found = sql!(
        "select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'number', d.number, 'name', d.label, 'reasons', d.reasons,
             'score', d.score::text) order by d.score desc), '[]')
         from (select $2::uuid as id) a
         left join parties.parties p on p.organization_id = $1 and p.id = a.id
         cross join lateral parties.find_duplicates(a.id, coalesce($3, p.name), coalesce($4, p.bin), coalesce($5, p.iin),
             coalesce($6, p.email), coalesce($7, p.phone)) d"
    );
    let (name, bin, iin, email, phone) =
        (said("name"), said("bin"), said("iin"), said("email"), said("phone"));
    let values: kernel::Values<'_> =
        &[&tx.actor.organization, &party, &name, &bin, &iin, &email, &phone];
    let duplicates: Value = tx.query_one(found, values).await?.get(0);
    Ok(json!({ "duplicates": duplicates }))
}
