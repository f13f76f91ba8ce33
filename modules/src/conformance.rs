//! What every table of every module must keep. A new module is under these tests without naming itself anywhere.

use kernel::Sql;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{Person, scene, scene_alone, server};

const NONE: [String; 0] = [];

#[tokio::test]
async fn the_gate_finds_nothing() {
    let s = scene(crate::ALL).await;
    assert_eq!(kernel::gate(s.admin()).await.unwrap(), NONE);
}

/// T02: what must never be let in, each with the first letters of the rule that tells of it.
const SABOTAGE: &[(&str, &str)] = &[
    ("C01", "alter table sales.orders drop constraint orders_pkey cascade"),
    (
        "C02",
        "create table sales.x (organization_id text not null, id uuid, primary key (organization_id, id))",
    ),
    ("C03", "create table sales.x (organization_id uuid not null, id uuid primary key)"),
    ("C04", "create unique index x on sales.orders (number)"),
    (
        "C05",
        "alter table parties.parties add unique (id); alter table sales.orders add foreign key (customer_id) references parties.parties (id)",
    ),
    (
        "C06",
        "create table sales.x (id uuid primary key, o uuid, p uuid, foreign key (o, p) references parties.parties)",
    ),
    (
        "C07",
        "alter table sales.orders add foreign key (organization_id, customer_id) references parties.parties on delete set null",
    ),
    (
        "C08",
        "alter table sales.orders add constraint x foreign key (organization_id, customer_id) references parties.parties deferrable",
    ),
    ("C09", "alter table sales.orders disable row level security"),
    ("C10", "alter table sales.orders force row level security"),
    (
        "C11",
        "create policy x on sales.orders as restrictive for update to app_user using (organization_id = app.organization())",
    ),
    (
        "C12",
        "create policy x on sales.orders for select to app_user using (organization_id = app.organization())",
    ),
    (
        "C13",
        "alter policy reads on sales.orders using (organization_id = app.organization() and exists (select from parties.parties))",
    ),
    ("C15", "grant app_owner to app_user"),
    ("C18", "alter table sales.orders add n bigint generated always as identity"),
    ("C20", "create view sales.x as select * from sales.orders"),
    ("C21", "create materialized view sales.x as select * from sales.orders"),
    ("C22", "create rule x as on delete to sales.orders do instead nothing"),
    ("C23", "alter table products.tax_rates set unlogged"),
    ("C24", "create function sales.x() returns bigint language sql as 'select count(*) from sales.orders'"),
    (
        "R01",
        "create table sales.x (organization_id uuid not null, id uuid, primary key (organization_id, id)); alter table sales.x enable row level security",
    ),
    ("R02", "drop policy reads on sales.orders"),
    ("R03", "alter policy reads on sales.orders using (true)"),
    ("R03", "create policy x on sales.orders for select using (true)"),
    ("R04", "grant truncate on sales.orders to app_user"),
    ("R05", "grant select on app.audit_rest to app_user"),
    ("R06", "grant select on iam.users to app_user"),
    ("R06", "grant select (password_hash) on iam.users to app_user"),
    (
        "R07",
        "create function sales.x() returns bigint language plpgsql security definer as 'begin return 1; end'",
    ),
    ("R08", "alter table sales.orders disable trigger log"),
    ("R09", "alter table sales.orders add at timestamp"),
    ("R10", "drop index sales.orders_customer_id_fk"),
    ("R11", "grant create on schema sales to app_user"),
];

#[tokio::test]
async fn the_gate_tells_of_every_sabotage() {
    let s = scene_alone(crate::ALL).await;
    let mut silent = Vec::new();
    for (rule, sabotage) in SABOTAGE {
        s.admin()
            .batch_execute(&format!("begin; {sabotage}"))
            .await
            .unwrap_or_else(|e| panic!("{sabotage}: {e:?}"));
        let told = kernel::gate(s.admin()).await.unwrap();
        s.admin().batch_execute("rollback").await.unwrap();
        if !told.iter().any(|line| line.starts_with(rule)) {
            silent.push(format!("{rule} {sabotage}: {told:?}"));
        }
    }
    assert_eq!(silent, NONE);
    assert_eq!(kernel::gate(s.admin()).await.unwrap(), NONE);
}

/// T15: a partition has no rules of its own, so nobody reaches it but through its whole.
#[tokio::test]
async fn partitions_are_reached_through_their_whole_only() {
    let s = scene(crate::ALL).await;
    let client = s.runtime().await;
    let partitions = s
        .strings("select oid::regclass::text from pg_class where relispartition and relkind = 'r'", &[])
        .await;
    assert!(partitions.len() > 2, "{partitions:?}");
    for partition in partitions {
        for sql in [
            format!("select * from {partition}"),
            format!("delete from {partition}"),
            format!("update {partition} set id = id"),
            format!("insert into {partition} default values"),
            format!("truncate {partition}"),
        ] {
            let refused = client.batch_execute(&sql).await.unwrap_err();
            assert_eq!(refused.code().map(|c| c.code()), Some("42501"), "{sql}");
        }
    }
}

#[tokio::test]
async fn every_table_and_every_rule_is_explained() {
    let s = scene(crate::ALL).await;
    let silent = "
        select name || ': no comment' from app.entities where obj_description(name::regclass) is null
        union all
        select conrelid::regclass || '.' || conname || ': no sentence' from pg_constraint join app.entities e on e.name::regclass = conrelid
        where contype = 'c' and cardinality(conkey) > 1 and obj_description(pg_constraint.oid, 'pg_constraint') is null";
    assert_eq!(s.strings(silent, &[]).await, NONE);
}

/// What the schema says to people, with `{}` for what differs.
fn sentences(schema: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for before in [
        "comment on constraint ",
        "comment on index ",
        "comment on table ",
        "comment on column ",
        "raise exception ",
    ] {
        for after in schema.split(before).skip(1) {
            let Some((_, quoted)) = after.split_once('\'') else { continue };
            let end = quoted.replace("\'\'", "\u{0}\u{0}").find('\'').unwrap_or(quoted.len());
            let said = quoted[..end].replace("\'\'", "'");
            found.insert(if before.starts_with("raise") { said.replace('%', "{}") } else { said });
        }
    }
    found
}

/// Whoever adds a table, a field, a state, an action, a role, a setting or a sentence says it in every language.
#[tokio::test]
async fn everything_is_said_in_every_language() {
    let s = scene(crate::ALL).await;
    let ann = s.person("Acme", "owner").await;
    let catalog = s.store.catalog();
    let ours = |entity: &&kernel::Entity| catalog.module(entity.module()).is_some();
    let is_foreign = |text: &str| {
        text != "ID"
            && text.contains(|c: char| c.is_ascii_alphabetic())
            && !text.contains(|c: char| ('\u{400}'..'\u{530}').contains(&c))
    };
    fn words(place: &str, said: &Value, found: &mut Vec<(String, String)>) {
        for (key, value) in said.as_object().into_iter().flatten() {
            match value.as_str() {
                Some(text) if ["label", "plural", "title", "help", "description"].contains(&key.as_str()) => {
                    found.push((format!("{place}.{key}"), text.to_owned()));
                }
                _ => words(&format!("{place}.{key}"), value, found),
            }
        }
        for (n, value) in said.as_array().into_iter().flatten().enumerate() {
            words(&format!("{place}.{}", value["name"].as_str().unwrap_or(&n.to_string())), value, found);
        }
    }
    let mut lost = BTreeSet::new();
    for language in &kernel::LANGUAGES[1..] {
        let mut said = Vec::new();
        let index = records::meta::index(catalog, &ann.actor, language);
        words("modules", &index["modules"], &mut said);
        for home in index["reports"].as_array().into_iter().flatten() {
            words("reports", home, &mut said);
            let named = home["words"].as_object().into_iter().flatten();
            said.extend(named.map(|(key, word)| {
                (format!("{} word {key}", home["module"]), word.as_str().unwrap_or_default().to_owned())
            }));
        }
        for entity in catalog.all().filter(ours) {
            let detail = records::meta::detail(catalog, crate::ALL, &ann.actor, entity, language);
            words(&entity.name, &detail, &mut said);
        }
        let foreign = said.into_iter().filter(|(_, text)| is_foreign(text));
        lost.extend(foreign.map(|(place, text)| format!("{language}: {place}: {text}")));

        let texts: Vec<&Value> = catalog.modules.iter().filter_map(|m| m.texts.get(*language)).collect();
        let is_said = |path: &[&str]| {
            texts.iter().any(|t| path.iter().try_fold(*t, |v, key| v.get(*key)).is_some_and(Value::is_string))
        };
        for role in catalog
            .roles
            .keys()
            .filter(|r| !["owner", "admin"].contains(&r.as_str()) && !is_said(&["roles", r]))
        {
            lost.insert(format!("{language}: role {role}"));
        }
        for module in &catalog.modules {
            for (list, key) in [("settings", "key"), ("onboarding", "step")] {
                for told in module.meta[list].as_array().into_iter().flatten() {
                    for word in ["label", "help"].into_iter().filter(|w| told[*w].is_string()) {
                        let name = told[key].as_str().unwrap_or_default();
                        if !is_said(&[list, name, word]) {
                            lost.insert(format!("{language}: {list} {name} {word}"));
                        }
                    }
                    for option in told["options"].as_array().into_iter().flatten() {
                        let (name, option) =
                            (told[key].as_str().unwrap_or_default(), option.as_str().unwrap_or_default());
                        if !(told["words"][option].is_string() && is_said(&[list, name, "words", option])) {
                            lost.insert(format!("{language}: {list} {name} {option}"));
                        }
                    }
                }
            }
        }
        for module in crate::ALL {
            let silent = sentences(module.schema).into_iter().filter(|said| !is_said(&["sentences", said]));
            lost.extend(silent.map(|said| format!("{language}: {}: {said}", module.name)));
        }
    }
    assert_eq!(lost, BTreeSet::new());
}

#[tokio::test]
async fn metadata_names_only_what_is_there() {
    let s = scene(crate::ALL).await;
    let catalog = s.store.catalog();
    let mut lost = Vec::new();
    for module in &catalog.modules {
        for (role, grants) in module.meta["roles"].as_object().into_iter().flatten() {
            for (entity, actions) in grants.as_object().into_iter().flatten() {
                // A module may speak of another's entity by its whole name.
                let name =
                    if entity.contains('.') { entity.clone() } else { format!("{}.{entity}", module.name) };
                let Ok(entity) = catalog.entity(&name) else {
                    lost.push(format!("{}: role {role} names {entity}", module.name));
                    continue;
                };
                let known: BTreeSet<&str> =
                    ["read", "create", "update", "delete", "restore", "export", "import"]
                        .into_iter()
                        .chain(entity.transitions.iter().map(|t| t.action.as_str()))
                        .chain(kernel::actions(crate::ALL, &entity.name).map(|a| a.action))
                        .collect();
                for (action, scope) in actions.as_object().into_iter().flatten() {
                    if !known.contains(action.as_str())
                        || scope.as_str().and_then(kernel::Scope::parse).is_none()
                    {
                        lost.push(format!("{}: role {role}: {action} = {scope}", entity.name));
                    }
                }
            }
        }
        for list in ["start", "onboarding", "settings"] {
            for said in module.meta[list].as_array().into_iter().flatten() {
                if let Some(entity) = said["entity"].as_str()
                    && catalog.entity(entity).is_err()
                {
                    lost.push(format!("{}: {list} names {entity}", module.name));
                }
            }
        }
        for (name, report) in module.meta["reports"].as_object().into_iter().flatten() {
            let place = format!("{}: report {name}", module.name);
            lost.extend(
                lost_of_report(&catalog.modules, module, name, report, catalog)
                    .into_iter()
                    .map(|what| format!("{place}: {what}")),
            );
        }
        for entity in module.meta["entities"].as_object().into_iter().flatten().map(|(e, _)| e) {
            if catalog.entity(&format!("{}.{entity}", module.name)).is_err() {
                lost.push(format!("{}: there is no {entity}", module.name));
            }
        }
    }
    for entity in catalog.entities.values() {
        let has = |name: &str| entity.column(name).or_else(|| entity.relation(name)).is_some();
        let flat = |v: &Value| -> Vec<String> {
            let items = v.as_array().cloned().unwrap_or_default();
            let items = items.iter().flat_map(|v| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]));
            items.filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        for key in ["list", "form"] {
            lost.extend(
                flat(&entity.meta[key])
                    .into_iter()
                    .filter(|n| !has(n))
                    .map(|n| format!("{}.{key}: {n}", entity.name)),
            );
        }
        if let Some(title) = entity.meta["title"].as_str().filter(|t| !has(t)) {
            lost.push(format!("{}.title: {title}", entity.name));
        }
    }
    assert_eq!(lost, NONE);
}

/// What a report names and is not there: its call, entities, options, other reports and their parameters.
fn lost_of_report(
    modules: &[std::sync::Arc<kernel::ModuleInfo>],
    module: &kernel::ModuleInfo,
    name: &str,
    report: &Value,
    catalog: &kernel::Catalog,
) -> Vec<String> {
    let mut lost = Vec::new();
    let list = |part: &str| report[part].as_array().cloned().unwrap_or_default();
    let mut entity = |name: Option<&str>| {
        if let Some(name) = name.filter(|n| !n.starts_with('$') && catalog.entity(n).is_err()) {
            lost.push(name.to_owned());
        }
    };
    entity(Some(&format!("{}.{}", module.name, report["needs"].as_str().unwrap_or_default())));
    for said in list("params").iter().chain(&list("drill")) {
        entity(said["entity"].as_str());
    }
    if kernel::call(crate::ALL, &module.name, name).is_none() {
        lost.push("the call".into());
    }
    for column in list("columns") {
        let known = ["text", "money", "percent", "number", "integer", "date", "word", "entity"];
        if !known.contains(&column["type"].as_str().unwrap_or_default()) || !column["name"].is_string() {
            lost.push(column.to_string());
        }
    }
    for option in list("params").iter().flat_map(|p| p["options"].as_array().cloned().unwrap_or_default()) {
        if module.meta["words"].get(option.as_str().unwrap_or_default()).is_none() {
            lost.push(format!("the word {option}"));
        }
    }
    for drill in list("drill") {
        let Some((of, other)) =
            drill["report"].as_str().filter(|r| !r.starts_with('$')).and_then(|r| r.split_once('.'))
        else {
            continue;
        };
        let Some(other) = modules.iter().find(|m| m.name == of).and_then(|m| m.meta["reports"].get(other))
        else {
            lost.push(drill["report"].to_string());
            continue;
        };
        let takes = |name: &str| other["params"].as_array().into_iter().flatten().any(|p| p["name"] == name);
        lost.extend(
            drill["params"]
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| !takes(name))
                .map(|(name, _)| name.clone()),
        );
    }
    lost
}

#[tokio::test]
async fn every_rule_and_action_is_about_something_that_there_is() {
    let s = scene(crate::ALL).await;
    let catalog = s.store.catalog();
    let mut lost = Vec::new();
    for rule in crate::ALL.iter().flat_map(|m| m.rules) {
        let known = catalog.entities.get(rule.entity).is_some_and(|e| {
            ["create", "update", "delete"].contains(&rule.action)
                || e.transitions.iter().any(|t| t.action == rule.action)
                || kernel::actions(crate::ALL, rule.entity).any(|a| a.action == rule.action)
        });
        if !known {
            lost.push(format!("{} {}", rule.entity, rule.action));
        }
    }
    let actions = crate::ALL.iter().flat_map(|m| m.actions);
    lost.extend(actions.filter(|a| !catalog.entities.contains_key(a.entity)).map(|a| a.entity.to_owned()));
    assert_eq!(lost, NONE);
}

#[tokio::test]
async fn postgresql_understands_every_statement() {
    let s = scene(crate::ALL).await;
    let mut wrong = Vec::new();
    for sql in Sql::all() {
        if let Err(e) = s.understands(sql.text).await {
            wrong.push(format!("{}:{}: {e}", sql.file, sql.line));
        }
    }
    assert_eq!(wrong, NONE);
}

#[tokio::test]
async fn modules_stay_in_their_own_schema() {
    let mut wrong = Vec::new();
    for module in crate::ALL {
        for line in module.schema.lines().map(str::trim) {
            let made = ["create table ", "create function ", "create view ", "create index "]
                .iter()
                .find_map(|p| line.strip_prefix(p));
            if let Some((schema, _)) =
                made.and_then(|rest| rest.split([' ', '(']).next()).and_then(|name| name.split_once('.'))
                && schema != module.name
            {
                wrong.push(format!("{}: {line}", module.name));
            }
        }
    }
    assert_eq!(wrong, NONE);
}

/// Every entity, every way to ask, by somebody with all rights: nothing of another company, and its ids are as good as
/// made up (SAFETY T04, T05, T06).
#[tokio::test]
async fn nothing_of_one_company_is_seen_from_another() {
    let s = scene(crate::ALL).await;
    let (ann, bob) = (s.person("A", "owner").await, s.person("B", "owner").await);
    let catalog = s.store.catalog().clone();
    for entity in catalog.entities.values().filter(|e| catalog.module(e.module()).is_some()) {
        let sql = format!("select organization_id::text from {}", entity.name);
        let client = s.runtime().await;
        assert_eq!(
            client.query(&sql, &[]).await.unwrap().len(),
            0,
            "{}: rows without a context",
            entity.name
        );
        let forged = format!(
            "set app.context = '{} {} {} {}'",
            bob.actor.organization,
            ann.actor.user,
            ann.actor.request,
            "-".repeat(400)
        );
        client.batch_execute(&forged).await.unwrap();
        assert_eq!(client.query(&sql, &[]).await.unwrap().len(), 0, "{}: rows without a right", entity.name);
        let all = ann.list(&entity.name, &[("count", "exact")]).await.ok();
        assert_eq!(all["count"]["value"], json!(0), "{}", entity.name);
        let stranger = json!({ "id": bob.actor.user });
        bob.read(&entity.name, &json!({ "id": uuid::Uuid::now_v7() })).await.not_found();
        ann.read(&entity.name, &stranger).await.not_found();
    }
}

/// T17: workers that PostgreSQL starts for one query know whose query it is.
#[tokio::test]
async fn two_companies_stay_apart_when_queries_run_in_parallel() {
    let s = scene_alone(crate::ALL).await;
    let name = s
        .strings(
            "select name from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query')",
            &[],
        )
        .await;
    let database = s.strings("select current_database()::text", &[]).await;
    let forced = format!("alter database {} set {} = on", database[0], name[0]);
    s.admin().batch_execute(&forced).await.unwrap();
    let (user, system) = (server("app_user", &database[0]), server("app_system", &database[0]));
    let store = kernel::Store::open(&user, &system, 4, crate::ALL, kernel::Secrets::passing()).await.unwrap();
    let plan = s.runtime().await.query("explain select count(*) from parties.parties", &[]).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    assert!(plan.concat().contains("Gather"), "{plan:?}");
    let (ann, bob) = (s.person("A", "owner").await, s.person("B", "owner").await);
    let people =
        [("alpha", ann), ("beta", bob)].map(|(word, p)| (word, Person { store: store.clone(), ..p }));
    for n in 0..3 {
        for (word, who) in &people {
            let name = format!("{word} {n}");
            let party = who.create("parties.parties", json!({ "name": name, "tags": [word] })).await.ok();
            let line = json!({ "name": name, "price": "10" });
            who.create("sales.orders", json!({ "customer_id": party["id"], "note": name, "lines": [line] }))
                .await
                .ok();
        }
    }
    for (word, who) in &people {
        let other = if *word == "alpha" { "beta" } else { "alpha" };
        for entity in ["parties.parties", "sales.orders", "sales.order_lines"] {
            for query in [
                &[("count", "exact"), ("limit", "500")][..],
                &[("count", "exact"), ("sort", "-created_at")],
                &[("count", "exact"), ("filter", r#"{"field":"version","op":"gte","value":1}"#)],
            ] {
                let found = who.list(entity, query).await.ok();
                assert_eq!(
                    (&found["count"]["value"], found["data"].as_array().map(Vec::len)),
                    (&json!(3), Some(3)),
                    "{entity} {query:?}"
                );
                assert!(!found.to_string().contains(other), "{entity} {query:?}: {found}");
            }
            let sums = who
                .aggregate(
                    entity,
                    json!({ "group_by": ["created_by"], "metrics": [{ "function": "count", "as": "n" }] }),
                )
                .await
                .ok();
            assert_eq!(sums["data"].as_array().unwrap().len(), 1, "{sums}");
            assert_eq!(sums["data"][0]["n"], json!(3), "{sums}");
        }
        for entity in ["parties.parties", "sales.orders"] {
            let found = who
                .list(
                    entity,
                    &[
                        ("q", word),
                        ("expand", if entity == "sales.orders" { "lines" } else { "created_by_member" }),
                    ],
                )
                .await
                .ok();
            assert_eq!(found["data"].as_array().unwrap().len(), 3, "{entity}: {found}");
            let none = who.list(entity, &[("q", other)]).await.ok();
            assert_eq!(none["data"], json!([]), "{entity}");
        }
    }
}

#[tokio::test]
async fn a_request_cut_short_leaves_nothing_behind() {
    let s = scene(crate::ALL).await;
    let ann = s.person("Acme", "owner").await;
    for _ in 0..20 {
        let slow = async {
            kernel::within!(s.store, &ann.actor, tx => { tx.batch_execute("select pg_sleep(60)").await?; Ok(()) })
        };
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), slow).await.is_err());
    }
    let left = "select coalesce(nullif(current_setting('app.context', true), ''), 'nobody')";
    assert_eq!(s.store.outside(left).await.unwrap(), "nobody");
}

/// A row whose totals change stays where its indexes point, or every line of a document would write all of them anew.
#[tokio::test]
async fn what_totals_change_stands_in_no_index() {
    let s = scene(crate::ALL).await;
    let sql = r"with kept as (
            select a[1]::regclass as rel, unnest(a[3:]) as name from pg_trigger x
            cross join lateral (select string_to_array(rtrim(encode(x.tgargs, 'escape'), '\000'), '\000') as a) g where x.tgname = 'total' and not x.tgisinternal
        ), changing as (
            select rel, name from kept union
            select k.rel, g.attname::text from kept k join pg_attrdef d on d.adrelid = k.rel
            join pg_attribute g on g.attrelid = d.adrelid and g.attnum = d.adnum and g.attgenerated <> ''
            where pg_get_expr(d.adbin, d.adrelid) ~ ('\m' || k.name || '\M')
        )
        select distinct i.indexrelid::regclass || ': ' || c.name from changing c join pg_index i on i.indrelid = c.rel
        where pg_get_indexdef(i.indexrelid) ~ ('\m' || c.name || '\M')";
    assert_eq!(s.strings(sql, &[]).await, [""; 0]);
}
