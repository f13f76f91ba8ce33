//! A company's own fields that are there, or must be filled in, only where a condition on their record holds.
//! The pages ask the same conditions while somebody types; what counts is asked here, of the row as it was written.

use crate::{
    approvals::unbound,
    plan::{Bound, Plan, field_of, malformed},
};
use conditions::{Condition, Param};
use kernel::{Actor, Catalog, CustomField, Entity, Error, Fault, Result, Tx};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

const REQUIRED: &str = "This is required.";

fn conditional<'a>(actor: &'a Actor, entity: &Entity) -> Vec<&'a CustomField> {
    actor.overlay.of(&entity.name).iter().filter(|f| f.is_conditional()).collect()
}

pub(crate) fn any(actor: &Actor, entity: &Entity) -> bool {
    actor.overlay.of(&entity.name).iter().any(CustomField::is_conditional)
}

/// The fields that a condition asks about, under their full names.
fn asked(actor: &Actor, entity: &Entity, condition: &Value) -> Result<Vec<String>> {
    let condition = Condition::parse(condition).map_err(|problems| malformed(&problems))?;
    condition
        .fields()
        .map(|path| match path.strip_prefix("cf.").unwrap_or(path).contains('.') {
            true => Err(Error::malformed("A condition of a field asks of the record itself.")),
            false => field_of(actor, entity, path).map(|field| field.name()),
        })
        .collect()
}

/// Whether a field of this name may have these conditions.
///
/// # Errors
/// Malformed, at `visible_when` or `required_when`: a condition that does not fit the entity, asks of other records, or
/// makes a field's being there depend on itself.
pub fn check(
    catalog: &Catalog,
    actor: &Actor,
    entity: &Entity,
    name: &str,
    [visible, required]: [&Value; 2],
) -> Result<()> {
    let actor = unbound(catalog, actor);
    let name = format!("cf.{name}");
    for (part, condition) in [("visible_when", visible), ("required_when", required)] {
        let fits = || {
            let found = asked(&actor, entity, condition)?;
            let condition = Condition::parse(condition).map_err(|problems| malformed(&problems))?;
            Plan::new(catalog, &actor, entity)?.condition(&condition)?;
            Ok(found)
        };
        let found: Vec<String> = fits().map_err(|e: Error| e.under(part))?;
        // What the pages ask while somebody types is not computed before it is saved.
        let own = |on: &String| on.strip_prefix("cf.").and_then(|f| actor.overlay.field(&entity.name, f));
        if found.iter().filter_map(own).any(CustomField::is_computed) {
            return Err(Error::malformed_at(part, "A condition of a field cannot ask for a computed one."));
        }
        if part == "required_when" {
            continue;
        }
        // Whatever the condition rests on, and what that rests on.
        let mut rests_on = found;
        let mut n = 0;
        while let Some(on) = rests_on.get(n) {
            if *on == name {
                return Err(Error::malformed_at(part, "Whether this field is there would depend on itself."));
            }
            let field = on.strip_prefix("cf.").and_then(|f| actor.overlay.field(&entity.name, f));
            if let Some(further) = field.and_then(|f| f.visible_when.as_ref()) {
                let new: Vec<String> =
                    asked(&actor, entity, further)?.into_iter().filter(|f| !rests_on.contains(f)).collect();
                rests_on.extend(new);
            }
            n += 1;
        }
    }
    Ok(())
}

/// The labels of the fields whose conditions ask about this one.
pub fn asking(catalog: &Catalog, actor: &Actor, entity: &Entity, name: &str) -> Result<Vec<String>> {
    let actor = unbound(catalog, actor);
    let name = format!("cf.{name}");
    let mut labels = Vec::new();
    for field in conditional(&actor, entity) {
        for condition in [&field.visible_when, &field.required_when].into_iter().flatten() {
            if format!("cf.{}", field.name) != name && asked(&actor, entity, condition)?.contains(&name) {
                labels.push(field.label.clone());
                break;
            }
        }
    }
    Ok(labels)
}

/// Whether the person may see everything that the condition asks about.
pub(crate) fn may_see(actor: &Actor, entity: &Entity, condition: &Value) -> bool {
    asked(actor, entity, condition).is_ok()
}

/// A row that was written.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) id: Uuid,
    /// The names that were sent for one that was there before: it is not held up by what nobody touched.
    pub(crate) touched: Option<&'a [String]>,
    /// Where in the body its faults belong.
    pub(crate) path: Option<&'a str>,
}

/// Takes away what fields hold that are not there for their record, then asks for what is required and not filled in.
///
/// # Errors
/// Malformed, at each field that is required.
pub(crate) async fn keep(tx: &Tx, entity: &Entity, written: &[Row<'_>]) -> Result<()> {
    let fields = conditional(&tx.actor, entity);
    if fields.is_empty() || written.is_empty() {
        return Ok(());
    }
    let actor = unbound(&tx.catalog, &tx.actor);
    let mut plan = Plan::new(&tx.catalog, &actor, entity)?;
    plan.params.push(Param::List(written.iter().map(|row| row.id.to_string()).collect()));
    let by_id: HashMap<Uuid, Row<'_>> = written.iter().map(|row| (row.id, *row)).collect();
    let mut columns = vec!["r.id".to_owned()];
    for field in &fields {
        let mut says = |condition: &Option<Value>, otherwise: bool| -> Result<String> {
            let Some(condition) = condition else { return Ok(otherwise.to_string()) };
            let condition = Condition::parse(condition).map_err(|problems| malformed(&problems))?;
            let sql = plan.condition(&condition)?;
            Ok(if sql.is_empty() { "true".into() } else { format!("coalesce(({sql}), false)") })
        };
        columns.push(says(&field.visible_when, true)?);
        columns.push(says(&field.required_when, field.required)?);
        columns.push(format!("coalesce(r.custom -> '{}', 'null') in ('null', '[]')", field.name));
    }
    let text = format!(
        "select {} {} where r.organization_id = $1 and r.id = any ($2::text[]::uuid[])",
        columns.join(", "),
        plan.from()
    );
    let bound = Bound::new(&actor, std::mem::take(&mut plan.params));
    let drop = format!(
        "update {} set custom = custom - $3::text[] where organization_id = $1 and id = $2{}",
        entity.table(),
        entity.only("")
    );
    // What is taken away may be what another field's being there rests on.
    for _ in 0..=fields.len() {
        let rows = tx.query(&text, &bound.values()).await?;
        let mut calm = true;
        let mut faults = Vec::new();
        for row in &rows {
            let Some(Row { id, touched, path }) = by_id.get(&row.get(0)) else { continue };
            let at = |field: &str| path.map_or_else(String::new, |path| format!("{path}.")) + "cf." + field;
            let mut gone = Vec::new();
            for (n, field) in fields.iter().enumerate() {
                let [visible, required, blank] = [1, 2, 3].map(|at| row.get::<_, bool>(n * 3 + at));
                if !visible && !blank {
                    gone.push(field.name.clone());
                } else if visible && required && blank && concerns(&actor, entity, field, *touched)? {
                    faults.push(Fault { field: Some(at(&field.name)), message: REQUIRED.into() });
                }
            }
            if let Some(first) = gone.first() {
                calm = false;
                if tx.change(&drop, &[&tx.actor.organization, id, &gone]).await? == 0 {
                    // Made by somebody who may not change it afterwards.
                    return Err(Error::malformed_at(at(first), "This is not asked for here."));
                }
            }
        }
        if calm {
            return if faults.is_empty() { Ok(()) } else { Err(Error::Malformed(faults)) };
        }
    }
    Err(Error::broken("the conditions of fields go round in a circle"))
}

fn concerns(actor: &Actor, entity: &Entity, field: &CustomField, touched: Option<&[String]>) -> Result<bool> {
    let Some(touched) = touched else { return Ok(true) };
    if touched.contains(&format!("cf.{}", field.name)) {
        return Ok(true);
    }
    for condition in [&field.visible_when, &field.required_when].into_iter().flatten() {
        if asked(actor, entity, condition)?.iter().any(|on| touched.contains(on)) {
            return Ok(true);
        }
    }
    Ok(false)
}
