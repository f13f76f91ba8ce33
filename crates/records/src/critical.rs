//! The critical path: of records that wait for each other, the chain that takes the most days.

use crate::{
    plan::{Bound, Plan},
    query::Query,
};
use kernel::{Actor, Entity, Error, Kind, Result, Store};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Records looked at together.
const MOST: usize = 100_000;

struct Task {
    id: Uuid,
    days: i64,
    /// What has to end before it begins.
    after: Option<Uuid>,
}

/// `{path, days}`: the records of the chain in their order, and how many days they take, the first and the last day of each
/// among them. Both are null where records wait for each other, or for one that is not among them. `start`, `end` and
/// `after` of `pairs` name the fields; the rest says which records, as for a list.
///
/// # Errors
/// Names the parameter that is not understood, or asks for fewer records.
pub async fn critical(
    store: &Store,
    actor: &Actor,
    entity: &Entity,
    pairs: &[(String, String)],
) -> Result<Value> {
    let mut plan = Plan::new(&actor.catalog, actor, entity)?;
    let (fields, rest): (Vec<_>, Vec<_>) =
        pairs.iter().cloned().partition(|(name, _)| ["start", "end", "after"].contains(&name.as_str()));
    let named = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, field)| field.as_str());
    let required = |key: &str| named(key).ok_or_else(|| Error::malformed_at(key, "Say which field it is."));
    let mut day = |key: &str, path: &str| -> Result<String> {
        let (alias, field) = plan.field(path)?;
        match field.kind() {
            Kind::Date => Ok(field.sql(&alias)),
            // On the clock of the company, which is the transaction's.
            Kind::Datetime => Ok(format!("({})::date", field.sql(&alias))),
            _ => Err(Error::malformed_at(key, format!("{path} is no day."))),
        }
    };
    let start = day("start", required("start")?)?;
    let end = named("end").map(|path| day("end", path)).transpose()?;
    let days = end.map_or_else(|| "1".to_owned(), |end| format!("greatest({end} - {start}, 0) + 1"));
    let after = required("after")?;
    let waits = match plan.field(after)? {
        (alias, field) if field.target() == Some(entity.name.as_str()) => field.sql(&alias),
        _ => return Err(Error::malformed_at("after", format!("{after} leads to no record of this kind."))),
    };
    let conditions = Query::parse(&rest)?.conditions(&mut plan)?;
    let text = format!(
        "select r.id, {days}, {waits} {} where {} and {start} is not null order by {start}, r.id limit {}",
        plan.from(),
        conditions.join(" and "),
        MOST + 1
    );
    let bound = Bound::new(actor, plan.params);
    let rows = store.batch(actor, &[(&text, &bound.values())]).await?.pop().unwrap_or_default();
    if rows.len() > MOST {
        return Err(Error::malformed_at("filter", format!("At most {MOST} records at once.")));
    }
    let tasks = rows.iter().map(|r| Task { id: r.get(0), days: r.get::<_, i32>(1).into(), after: r.get(2) });
    let (path, days) = longest(&tasks.collect::<Vec<_>>()).unzip();
    Ok(json!({ "path": path, "days": days }))
}

/// None where they wait for each other, or for one that is not here. Only what is linked makes a path.
fn longest(tasks: &[Task]) -> Option<(Vec<Uuid>, i64)> {
    let known: HashMap<Uuid, &Task> = tasks.iter().map(|t| (t.id, t)).collect();
    // Of each how many days it takes with all before it.
    let mut through: HashMap<Uuid, i64> = HashMap::with_capacity(tasks.len());
    for task in tasks {
        let (mut way, mut seen, mut before) = (vec![task], HashSet::from([task.id]), 0);
        while let Some(after) = way.last().and_then(|t| t.after) {
            if let Some(days) = through.get(&after) {
                before = *days;
                break;
            }
            if !seen.insert(after) {
                return None;
            }
            way.push(known.get(&after)?);
        }
        for step in way.into_iter().rev() {
            before = *through.entry(step.id).or_insert(before + step.days);
        }
    }
    let linked = tasks.iter().filter(|t| t.after.is_some());
    let end = linked.reduce(|best, t| if through[&t.id] > through[&best.id] { t } else { best });
    let mut path: Vec<Uuid> =
        std::iter::successors(end, |t| known.get(&t.after?).copied()).map(|t| t.id).collect();
    path.reverse();
    Some((path, end.map_or(0, |t| through[&t.id])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: u128, days: i64, after: Option<u128>) -> Task {
        Task { id: Uuid::from_u128(id), days, after: after.map(Uuid::from_u128) }
    }

    #[test]
    fn the_path_is_the_chain_that_takes_the_most_days() {
        let all = [
            task(4, 3, Some(3)),
            task(1, 2, None),
            task(2, 2, Some(1)),
            task(3, 6, Some(1)),
            task(9, 31, None),
        ];
        assert_eq!(longest(&all), Some(([1, 3, 4].map(Uuid::from_u128).into(), 11)));
    }

    #[test]
    fn it_is_not_known_where_something_waits_for_what_is_not_here_or_for_itself() {
        assert_eq!(longest(&[task(1, 2, Some(7))]), None);
        assert_eq!(longest(&[task(1, 2, Some(2)), task(2, 2, Some(3)), task(3, 1, Some(1))]), None);
        assert_eq!(longest(&[task(1, 2, Some(1))]), None);
    }

    #[test]
    fn it_is_empty_where_nothing_waits_and_as_long_as_it_has_to_be() {
        assert_eq!(longest(&[task(1, 9, None)]), Some((Vec::new(), 0)));
        let long: Vec<Task> = (0..50_000).map(|n| task(n, 1, (n < 49_999).then_some(n + 1))).collect();
        assert_eq!(longest(&long).unwrap().1, 50_000);
    }
}
