//! T: nothing of one company is seen, counted, inferred or touched by another.

use crate::scene::{House, Operation, Person, Things, house, house_alone, path};
use futures_util::StreamExt;
use kernel::{Entity, Kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What every platform route with an id in it is about, in the company of `owner`, marked wherever there is room.
async fn platform(house: &House, owner: &Person, things: &Things) -> BTreeMap<&'static str, Uuid> {
    let marker = &things.marker;
    let colleague = house.colleague(owner, &["salesperson"]).await;
    let made = |answer: crate::scene::Answer| {
        assert!(answer.status < 300, "{}", answer.text());
        testkit::id(&answer.json())
    };
    let role = json!({ "name": "helper", "label": format!("{marker} helper"), "description": marker });
    let view = json!({ "entity": "parties.parties", "name": marker, "visibility": "shared", "state": { "filter": marker } });
    let own = json!({ "entity": "parties.parties", "name": marker });
    let own = made(owner.post("/views", own).await);
    let field = json!({ "entity": "parties.parties", "name": "size", "label": marker, "help": marker });
    let table = json!({ "name": "planted", "title": marker });
    let token = json!({ "name": marker, "scopes": ["*:*"] });
    let name = format!("{marker}.csv");
    let csv = format!("name\n{marker}\n").into_bytes();
    let file = made(owner.raw("POST", "/files", csv, &[("x-file-name", &name)]).await);
    let import = owner.post("/parties/parties/_import", json!({ "file": file })).await.json();
    let import = testkit::id(&import["import"]);
    let job = owner.post(&format!("/imports/{import}/check"), json!({})).await.json();
    let party = things.one("parties.parties").unwrap();
    let attached = format!("/files?entity=parties.parties&record={party}");
    made(owner.raw("POST", &attached, marker.clone().into_bytes(), &[("x-file-name", &name)]).await);
    let notice = flow::notifications::Notice {
        kind: "mention",
        title: marker,
        body: Some(marker),
        record: Some(("parties.parties", party)),
        ..flow::notifications::Notice::default()
    };
    let actor = house.auth().actor_of(owner.organization, colleague.id, Uuid::now_v7()).await.unwrap();
    let notified = kernel::within!(house.scene.store, &actor, tx => flow::notifications::notify(&tx, owner.id, &notice).await);
    let sessions = owner.get("/auth/sessions").await.json();
    let comment = json!({ "entity": "parties.parties", "record": party, "body": marker });
    let window = Uuid::now_v7();
    let here = json!({ "entity": "parties.parties", "record": party, "window": window });
    assert_eq!(owner.post("/presence", here).await.status, 200);
    let level = json!({ "name": marker, "people": [colleague.id] });
    let rule = json!({ "name": marker, "entity": "parties.contracts", "action": "send", "levels": [level] });
    let rule = made(owner.post("/approval-rules", rule).await);
    let action = json!({ "type": "comment", "text": marker });
    let trigger =
        json!({ "name": marker, "entity": "parties.parties", "event": "created", "actions": [action] });
    let trigger = made(owner.post("/triggers", trigger).await);
    let run = Uuid::now_v7();
    let logged = format!(
        "insert into builder.trigger_executions (organization_id, id, trigger_id, entity, record_id, event, conditions_met, status, outcome, error_message, execution_ms)
         values ('{}', '{run}', '{trigger}', 'parties.parties', '{party}', '{{}}', true, 'FAILED', 'matched', '{marker}', 1)",
        owner.organization
    );
    assert_eq!(house.behind(&logged).await, 1);
    let contract = json!({ "title": marker, "party_id": party });
    let contract = made(owner.post("/parties/contracts", contract).await);
    let waits = owner.post(&format!("/parties/contracts/{contract}/send"), json!({})).await;
    assert_eq!(waits.status, 202, "{}", waits.text());
    let away = json!({ "delegate": colleague.id, "ends_on": "2099-01-01", "reason": marker });
    let group = json!({ "kind": "group", "name": marker, "members": [colleague.id] });
    let conversation = made(owner.post("/conversations", group).await);
    let message =
        owner.post(&format!("/conversations/{conversation}/messages"), json!({ "body": marker })).await;
    BTreeMap::from([
        ("approvals", testkit::id(&waits.json()["_made"]["approval"])),
        ("approval-rules", rule),
        ("triggers", trigger),
        ("trigger-executions", run),
        ("delegations", made(owner.post("/delegations", away).await)),
        ("presence", window),
        ("docs", party),
        ("conversations", conversation),
        ("messages", made(message)),
        ("comments", made(owner.post("/comments", comment).await)),
        ("organizations", owner.organization),
        ("members", colleague.id),
        ("people", colleague.id),
        ("auth/sessions", testkit::id(&sessions["data"][0])),
        ("auth/tokens", made(owner.post("/auth/tokens", token).await)),
        ("roles", made(owner.post("/roles", role).await)),
        ("views", made(owner.post("/views", view).await)),
        ("shares", made(owner.post("/shares", json!({ "view_id": own })).await)),
        ("fields", made(owner.post("/fields", field).await)),
        ("tables", made(owner.post("/tables", table).await)),
        ("files", file),
        // Behind no link of ours; what is behind one is tried in shares.rs.
        ("public", file),
        ("imports", import),
        // Of no company: an error of the program, which only who runs it sees.
        ("system", Uuid::now_v7()),
        ("jobs", testkit::id(&job["job"])),
        ("workspaces", testkit::id(&owner.get("/workspaces").await.json()["data"][0])),
        ("notifications", notified.unwrap().unwrap()),
    ])
}

/// What stands for `{id}` in a path.
fn id_for(
    house: &House,
    path: &str,
    owner: &Person,
    things: &Things,
    platform: &BTreeMap<&str, Uuid>,
) -> Option<Uuid> {
    match house.entity_of(path) {
        Some(entity) if entity.name == kernel::MEMBERS => Some(owner.id),
        Some(entity) => things.one(&entity.name),
        None => {
            let known = |name: &&&str| path.starts_with(&format!("/{name}/"));
            platform.keys().find(known).map(|name| platform[name])
        }
    }
}

#[tokio::test]
async fn t05_a_foreign_id_is_like_one_that_nobody_has() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let things = house.furnished(&bob, "ZZB-").await;
    let platform = platform(&house, &bob, &things).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for operation in house.operations(&ann).await.iter().filter(|o| o.path.contains("{id}")) {
        let (method, path) = (&operation.method, &operation.path);
        let Some(id) = id_for(&house, path, &bob, &things, &platform) else {
            wrong.push(format!("{method} {path}: nothing of the other company to try it on"));
            continue;
        };
        let body = house.body_for(operation);
        let mut seen = Vec::new();
        for id in [id, Uuid::now_v7()] {
            let at = path.replace("{id}", &id.to_string());
            seen.push(ann.send(method, &at, body.clone(), &[("if-match", "\"1\"")]).await);
        }
        tried += 1;
        if seen[0].same() != seen[1].same() || seen[0].status != 404 {
            wrong.push(format!("{method} {path}: {} {} {}", seen[0].status, seen[1].status, seen[0].text()));
        }
    }
    // Ids in parameters and bodies.
    let (theirs, file) = (things.one("parties.parties").unwrap(), platform["files"]);
    let asked = |id: Uuid, file: Uuid| {
        vec![
            ("GET", format!("/files?entity=parties.parties&record={id}"), None),
            ("GET", format!("/audit?record={id}"), None),
            ("GET", format!("/parties/parties?id={id}&count=exact"), None),
            ("GET", format!("/parties/parties?created_by={}", if id == theirs { bob.id } else { id }), None),
            (
                "GET",
                format!(
                    "/notifications?before={}",
                    if id == theirs { platform["notifications"] } else { id }
                ),
                None,
            ),
            ("POST", "/parties/parties/_bulk".into(), Some(json!({ "action": "delete", "ids": [id] }))),
            ("POST", "/parties/parties/_import".into(), Some(json!({ "file": file }))),
            ("POST", "/parties/_call/find_duplicates".into(), Some(json!({ "party": id }))),
            (
                "POST",
                "/files?entity=parties.parties&record=ID".replace("ID", &id.to_string()),
                Some(json!({})),
            ),
        ]
    };
    for ((method, at, body), (_, other, nothing)) in
        asked(theirs, file).into_iter().zip(asked(Uuid::now_v7(), Uuid::now_v7()))
    {
        let seen = [ann.send(method, &at, body, &[]).await, ann.send(method, &other, nothing, &[]).await];
        let plain = |n: usize| seen[n].text().replace(&theirs.to_string(), "ID");
        let random = other.split('=').next_back().unwrap_or_default().to_owned();
        if seen[0].status != seen[1].status || seen[0].text().len() != seen[1].text().len() {
            wrong.push(format!("{method} {at} ({random}): {} / {}", plain(0), plain(1)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 80, "only {tried} operations have an id?");
    // And nothing happened to them.
    for (entity, ids) in &things.ids {
        let at = format!("/{}/{}", entity.replace('.', "/"), ids[0]);
        assert_eq!(
            bob.get(&at).await.json()["version"],
            json!(bob.get(&at).await.json()["version"]),
            "{entity}"
        );
        assert_eq!(bob.get(&at).await.json()["deleted_at"], Value::Null, "{entity}");
    }
}

/// Writes the marker over every text of the company that has room for it; answers how many columns took it.
async fn plant(house: &House, organization: Uuid, marker: &str) -> u64 {
    let mut planted = 0;
    for entity in house.scene.store.catalog().entities.values() {
        // What rights are made of must stay, or there is nobody to ask.
        let role = entity.name == "iam.roles";
        let kept = |name: &str| role && matches!(name, "name" | "template");
        for column in entity.columns.iter().filter(|c| !c.generated && !kept(&c.name)) {
            let value = match column.sql_type.as_str() {
                "text" => format!("'{marker}'"),
                "text[]" => format!("'{{{marker}}}'"),
                "jsonb" => format!("'{{\"x\": \"{marker}\"}}'"),
                _ => continue,
            };
            planted += house
                .behind(&format!(
                    "update {} set \"{}\" = {value} where organization_id = '{organization}'",
                    entity.name, column.name
                ))
                .await;
        }
    }
    planted
}

#[tokio::test]
async fn t06_what_is_planted_in_one_company_is_never_seen_in_another() {
    let house = house_alone().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let marker = "ZZB-3f9d1";
    let own = house.furnished(&ann, "AAA-").await;
    let things = house.furnished(&bob, marker).await;
    let platform = platform(&house, &bob, &things).await;
    assert!(plant(&house, bob.organization, marker).await > 100);
    let sql = "update tenancy.organizations set name = $2 where id = $1";
    house.scene.admin().execute(sql, &[&bob.organization, &marker]).await.unwrap();
    house.auth().forget_organization(bob.organization);

    let mut asked: Vec<(&str, String, Option<Value>)> = Vec::new();
    let mut get = |path: String| asked.push(("GET", path, None));
    for Operation { path, .. } in
        house.operations(&ann).await.into_iter().filter(|o| o.method == "GET" && o.path != "/events")
    {
        let ids = [
            own.one(house.entity_of(&path).map_or("", |e| &e.name)),
            id_for(&house, &path, &bob, &things, &platform),
        ];
        for id in ids
            .into_iter()
            .flatten()
            .take(if path.contains("{id}") { 2 } else { 1 })
            .chain((!path.contains('{')).then(Uuid::nil))
        {
            get(path.replace("{id}", &id.to_string()).replace("{name}", "parties.parties"));
        }
    }
    get(format!("/search?q={marker}"));
    get("/search?q=ZZB".into());
    get("/audit?limit=100".into());
    let mut bodies = Vec::new();
    for entity in house.entities().into_iter().chain(house.scene.store.catalog().entity(kernel::MEMBERS)) {
        let root = path(entity);
        for query in ["q=ZZB", "count=exact&limit=500", "count=estimate&deleted=true", "limit=1"] {
            get(format!("{root}?{query}"));
        }
        for format in ["csv", "json"] {
            get(format!("{root}/_export?format={format}"));
        }
        for column in entity.columns.iter().filter(|c| c.kind != Kind::Hidden) {
            let name = &column.name;
            get(format!("{root}?sort=-{name}&limit=5"));
            if matches!(column.kind, Kind::Text | Kind::Textarea) {
                get(format!("{root}?{name}={marker}&count=exact"));
                let filter = json!({ "field": name, "op": "contains", "value": "ZZ" }).to_string();
                get(format!("{root}?filter={}", encoded(&filter)));
            }
            if let Some(target) = &column.target {
                get(format!("{root}?expand={}&limit=5", column.relation_name()));
                assert!(house.scene.store.catalog().entity(target).is_ok());
            }
            let metrics = json!([{ "function": "count" }, { "function": "max", "field": name }]);
            bodies.push((root.clone(), json!({ "group_by": [name] })));
            bodies.push((root.clone(), json!({ "metrics": metrics })));
        }
    }
    asked.extend(bodies.into_iter().map(|(root, body)| ("POST", format!("{root}/_aggregate"), Some(body))));
    for module in modules::ALL {
        for call in module.calls {
            asked.push((
                "POST",
                format!("/{}/_call/{}", module.name, call.name),
                Some(json!({ "name": marker })),
            ));
        }
    }
    assert!(asked.len() > 1_000, "{}", asked.len());
    let (mut seen, mut good) = (Vec::new(), 0);
    let answers = asked.into_iter().map(|(method, path, body)| {
        let ann = ann.clone();
        async move { (ann.send(method, &path, body, &[]).await, method, path) }
    });
    let mut answers = futures_util::stream::iter(answers).buffer_unordered(6);
    while let Some((answer, method, path)) = answers.next().await {
        good += usize::from(answer.status == 200);
        let all = format!("{:?} {}", answer.headers, answer.text());
        if all.contains(marker)
            || all.contains(&bob.id.to_string())
            || all.contains(&bob.organization.to_string())
        {
            seen.push(format!("{method} {path}: {}", answer.text()));
        }
    }
    assert!(seen.is_empty(), "{}", seen.join("\n"));
    assert!(good > 800, "only {good} questions were answered");
    // The marker is there for those whom it concerns.
    assert!(bob.get("/parties/parties?q=ZZB").await.text().contains(marker));
    // A place in one company's list is none in another's.
    bob.get("/parties/parties").await;
    house
        .sample(
            &bob,
            house.scene.store.catalog().entity("parties.parties").unwrap(),
            &mut Things { marker: marker.into(), ids: BTreeMap::new() },
        )
        .await;
    let cursor = bob.get("/parties/parties?limit=1").await.json()["next"].as_str().unwrap().to_owned();
    let page = ann.get(&format!("/parties/parties?limit=1&cursor={cursor}")).await;
    assert!(!page.text().contains(marker));
}

pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[tokio::test]
async fn t11_what_one_company_refers_to_is_its_own() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let mut own = house.furnished(&ann, "A").await;
    let things = house.furnished(&bob, "B").await;
    let mut tried = 0;
    let mut wrong = Vec::new();
    for entity in house.entities().into_iter().filter(|e| e.part_of.is_none() && !e.is_kept()) {
        let id = house.sample(&ann, entity, &mut own).await;
        let refers = |e: &Entity| -> Vec<(String, String)> {
            let linked = e.columns.iter().filter(|c| c.writable() && e.fk.as_ref() != Some(&c.name));
            linked.filter_map(|c| Some((c.name.clone(), c.target.clone()?))).collect()
        };
        let mut links: Vec<(Option<&str>, String, String)> =
            refers(entity).into_iter().map(|(column, target)| (None, column, target)).collect();
        for part in &entity.parts {
            let inner = house.scene.store.catalog().entity(&part.entity).unwrap();
            links.extend(refers(inner).into_iter().map(|(c, target)| (Some(part.name.as_str()), c, target)));
        }
        for (part, column, target) in links {
            let body = |id: Uuid| match part {
                Some(part) => json!({ part: [{ column.as_str(): id, "name": "x" }] }),
                None => json!({ column.as_str(): id }),
            };
            let theirs = if target == kernel::MEMBERS { Some(bob.id) } else { things.one(&target) };
            let Some(theirs) = theirs else { continue };
            tried += 1;
            for (method, at) in [("PATCH", format!("{}/{id}", path(entity))), ("POST", path(entity))] {
                let version = ann.get(&format!("{}/{id}", path(entity))).await.header("etag").to_owned();
                let headers = [("if-match", version.as_str())];
                let headers = if method == "PATCH" { &headers[..] } else { &[] };
                let seen = [
                    ann.send(method, &at, Some(body(theirs)), headers).await,
                    ann.send(method, &at, Some(body(Uuid::now_v7())), headers).await,
                ];
                if seen[0].status < 400 || seen[0].same() != seen[1].same() {
                    wrong.push(format!(
                        "{method} {at} {}: {} / {}",
                        body(theirs),
                        seen[0].text(),
                        seen[1].text()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 20, "only {tried} relations?");
    // T14: what was named in vain binds nobody; they may throw it away, and nothing goes with it elsewhere.
    let seen = async || ann.get("/sales/orders?limit=500&expand=lines&deleted=true").await.text();
    let before = seen().await;
    let order = things.one("sales.orders").unwrap();
    assert_eq!(bob.delete(&format!("/sales/orders/{order}")).await.status, 204);
    assert_eq!(seen().await, before);
}

#[tokio::test]
async fn t12_two_companies_may_use_the_same_names() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let (mut own, mut things) = (house.furnished(&ann, "A").await, house.furnished(&bob, "B").await);
    let mut tried = 0;
    for entity in house.entities().into_iter().filter(|e| e.part_of.is_none() && !e.is_kept()) {
        let theirs = house.sample(&bob, entity, &mut things).await;
        let mine = house.sample(&ann, entity, &mut own).await;
        let theirs = bob.get(&format!("{}/{theirs}", path(entity))).await.json();
        for key in entity.keys() {
            let Some(column) = entity.column(key).filter(|c| c.writable() && c.target.is_none()) else {
                continue;
            };
            let value = if theirs[key].is_null() { json!("SAME-1") } else { theirs[key].clone() };
            if theirs[key].is_null() {
                let at = format!("{}/{}", path(entity), testkit::id(&theirs));
                let headers = [("if-match", "\"1\"")];
                if bob.send("PATCH", &at, Some(json!({ key: value })), &headers).await.status != 200 {
                    continue;
                }
            }
            let at = format!("{}/{mine}", path(entity));
            let version = ann.get(&at).await.header("etag").to_owned();
            let answer = ann.send("PATCH", &at, Some(json!({ key: value })), &[("if-match", &version)]).await;
            assert_eq!(answer.status, 200, "{} {}: {}", entity.name, column.name, answer.text());
            tried += 1;
        }
    }
    assert!(tried > 3, "only {tried} unique names?");
    let role = json!({ "name": "helper" });
    assert_eq!(bob.post("/roles", role.clone()).await.status, 201);
    assert_eq!(ann.post("/roles", role).await.status, 201);
}

#[tokio::test]
async fn t13_a_company_is_entered_and_never_named() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let theirs = bob.organization.to_string();
    for header in ["x-organization", "x-organization-id"] {
        for path in ["/parties/parties", "/me", "/members"] {
            assert_eq!(
                ann.send("GET", path, None, &[(header, &theirs)]).await.status,
                400,
                "{header} {path}"
            );
        }
    }
    let body = json!({ "name": "x", "organization_id": theirs });
    let named = |answer: crate::scene::Answer| {
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("organization_id"), "{}", answer.text());
    };
    named(ann.post("/parties/parties", body.clone()).await);
    named(ann.get(&format!("/parties/parties?organization_id={theirs}")).await);
    named(
        ann.get(&format!(
            "/parties/parties?filter={}",
            encoded(&json!({ "field": "organization_id", "op": "eq", "value": theirs }).to_string())
        ))
        .await,
    );
    named(ann.get("/parties/parties?sort=organization_id").await);
    named(ann.post("/parties/parties/_aggregate", json!({ "group_by": ["organization_id"] })).await);
    for path in ["/views", "/fields", "/roles", "/auth/tokens"] {
        let mut body = body.clone();
        body["entity"] = json!("parties.parties");
        body["scopes"] = json!(["*:*"]);
        let answer = ann.post(path, body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    }
    assert_eq!(ann.post(&format!("/organizations/{theirs}/activate"), json!({})).await.status, 404);
    assert_eq!(ann.get("/me").await.json()["organization"]["id"], json!(ann.organization));
}

#[tokio::test]
async fn t20_no_cache_gives_one_what_another_asked_for() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let plain = |o: &Operation| o.method == "GET" && !o.path.contains('{') && o.path != "/events";
    for Operation { path, .. } in house.operations(&ann).await.into_iter().filter(plain) {
        let (hers, his) = (ann.get(&path).await, bob.get(&path).await);
        assert!(
            hers.header("cache-control").starts_with("private, no-"),
            "{path}: {}",
            hers.header("cache-control")
        );
        for name in ["Cookie", "Authorization"] {
            assert!(hers.header("vary").contains(name), "{path}: {}", hers.header("vary"));
        }
        if !hers.header("etag").is_empty() {
            assert_ne!(hers.header("etag"), his.header("etag"), "{path}");
            let again = bob.send("GET", &path, None, &[("if-none-match", hers.header("etag"))]).await;
            assert_eq!(again.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn t22_a_company_that_one_has_left_is_closed_at_once() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let eve = house.colleague(&ann, &["manager"]).await;
    house.join(bob.organization, &eve, &["manager"]).await;
    let made = ann.post("/parties/parties", json!({ "name": "Nordwind" })).await.json();
    let at = format!("/parties/parties/{}", testkit::id(&made));
    assert_eq!(eve.get(&at).await.status, 200);
    let other = eve.post(&format!("/organizations/{}/activate", bob.organization), json!({})).await.json();
    let there = eve.with_token(other["token"].as_str().unwrap());
    assert_eq!(there.get(&at).await.status, 404);
    assert_eq!(bob.delete(&format!("/members/{}", eve.id)).await.status, 204);
    assert!(matches!(there.get("/parties/parties").await.status, 401 | 403));
    assert_eq!(
        there.post(&format!("/organizations/{}/activate", bob.organization), json!({})).await.status / 100,
        4
    );
    let home = house.signed_in(eve.clone()).await;
    assert_eq!(home.get(&at).await.status, 200);
}

/// T10 and T19: many at once on few connections, a tenth of them hanging up, and somebody listening. On a slow machine
/// some are told to come again.
#[tokio::test]
async fn t10_a_crowd_on_few_connections_sees_each_only_its_own() {
    let house = house().await;
    let owners = [house.owner().await, house.owner().await, house.owner().await];
    for (n, owner) in owners.iter().enumerate() {
        for _ in 0..3 {
            assert_eq!(
                owner.post("/parties/parties", json!({ "name": format!("own-{n}") })).await.status,
                201
            );
        }
    }
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let listener = {
        let (ann, heard) = (owners[0].clone(), heard.clone());
        tokio::spawn(async move {
            ann.listen("/events", move |text| heard.lock().unwrap().push(text)).await;
        })
    };
    let mut crowd = tokio::task::JoinSet::new();
    for n in 0..32_usize {
        let owners = owners.clone();
        crowd.spawn(async move {
            for round in 0..25 {
                let which = (n * 7 + round * 5) % 3;
                let owner = &owners[which];
                let asking = owner.get("/parties/parties?limit=500&count=exact");
                if (n + round) % 10 == 0 {
                    let _ = tokio::time::timeout(std::time::Duration::from_millis(2), asking).await;
                    continue;
                }
                if (n + round) % 10 == 1 {
                    let wrong = json!({ "name": "own", "kind": "nothing" });
                    assert!(matches!(owner.post("/parties/parties", wrong).await.status, 400 | 503));
                    continue;
                }
                if (n + round) % 10 == 2 {
                    let answer =
                        owner.post("/parties/parties", json!({ "name": format!("own-{which}") })).await;
                    assert!(matches!(answer.status, 201 | 503), "{}", answer.text());
                    continue;
                }
                let answer = asking.await.json();
                for row in answer["data"].as_array().into_iter().flatten() {
                    assert_eq!(row["name"], json!(format!("own-{which}")));
                }
            }
        });
    }
    while let Some(done) = crowd.join_next().await {
        done.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    listener.abort();
    let heard = heard.lock().unwrap().concat();
    let events: Vec<&str> =
        heard.lines().filter_map(|l| l.strip_prefix("data: ")).filter(|d| d.contains("id")).collect();
    assert!(!events.is_empty(), "she heard of her own");
    for event in events {
        let event: Value = serde_json::from_str(event).unwrap();
        let at = format!("/parties/parties/{}", event["id"].as_str().unwrap());
        assert_eq!(owners[0].get(&at).await.status, 200, "an event of somebody else's record");
    }
}

/// T18: work that is asked for in one company and names an import or a file of another finds nothing, and nothing
/// happens there.
#[tokio::test]
async fn t18_work_of_one_company_does_not_find_what_another_has() {
    let house = house_alone().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let file =
        bob.raw("POST", "/files", b"name\nNordwind\n".to_vec(), &[("x-file-name", "a.csv")]).await.json();
    let import = bob.post("/parties/parties/_import", json!({ "file": file["id"] })).await.json();
    let import = testkit::id(&import["import"]);
    let state = async || {
        let import = bob.get(&format!("/imports/{import}")).await.json();
        (import, bob.get("/parties/parties?count=exact").await.json()["count"]["value"].clone())
    };
    let before = state().await;
    let (auth, store) = (house.auth(), &house.scene.store);
    let actor = auth.actor_of(ann.organization, ann.id, Uuid::now_v7()).await.unwrap();
    let nothing =
        |told: kernel::Result<Value>| assert!(matches!(told, Err(kernel::Error::NotFound)), "{told:?}");
    let path = house.state.files.path(store, &actor, testkit::id(&file)).await;
    nothing(path.map(|_| Value::Null));
    let mut rows = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut rows, b"name\nSudwind\n").unwrap();
    nothing(records::import::get(store, &actor, import).await);
    nothing(records::import::check(store, &actor, import, rows.path(), &|_, _| {}).await);
    nothing(records::import::run(store, &actor, import, rows.path(), &|_, _| {}).await);
    nothing(records::import::undo(store, &actor, import).await);
    nothing(records::import::note_job(store, &actor, import, Uuid::now_v7()).await.map(|()| Value::Null));
    assert_eq!(state().await, before);
    // The import's own work is the other's alone, too.
    let job = bob.post(&format!("/imports/{import}/check"), json!({})).await.json();
    let job = testkit::id(&job["job"]);
    nothing(flow::jobs::get(store, &actor, job).await.map(|_| Value::Null));
    nothing(flow::jobs::retry(store, &actor, job).await.map(|()| Value::Null));
    nothing(flow::jobs::cancel(store, &actor, job).await.map(|_| Value::Null));
}

/// T19: a thousand changes in one company are not heard in another.
#[tokio::test]
async fn t19_nothing_is_heard_of_another_company() {
    let house = house().await;
    let (ann, bob) = (house.owner().await, house.owner().await);
    let insert = "insert into parties.parties (organization_id, number, name, created_by) select $1, 'B-' || n, 'B', $2 from generate_series(1, 1000) n returning id";
    let rows = house.scene.admin().query(insert, &[&bob.organization, &bob.id]).await.unwrap();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
    let heard = [(); 2].map(|()| std::sync::Arc::new(std::sync::Mutex::new(String::new())));
    let mut listeners = tokio::task::JoinSet::new();
    for (who, heard) in [&ann, &bob].into_iter().zip(&heard) {
        let (who, heard) = (who.clone(), heard.clone());
        listeners
            .spawn(async move { who.listen("/events", |text| heard.lock().unwrap().push_str(&text)).await });
    }
    let count = |n: usize, word: &str| heard[n].lock().unwrap().matches(word).count();
    // Somebody listens once the first of his own is heard.
    for (n, who) in [&ann, &bob].into_iter().enumerate() {
        while count(n, "event: change") == 0 {
            assert_eq!(who.post("/parties/parties", json!({ "name": "own" })).await.status, 201);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    // As many at once as are done while one waits.
    for ids in ids.chunks(200) {
        let changed = bob
            .post("/parties/parties/_bulk", json!({ "ids": ids, "changes": { "legal_name": "B & Sons" } }))
            .await;
        assert_eq!(changed.json()["done"], 200, "{}", changed.text());
    }
    let last = bob.post("/parties/parties", json!({ "name": "last" })).await.json()["id"].to_string();
    let hers = ann.post("/parties/parties", json!({ "name": "last" })).await.json()["id"].to_string();
    while count(0, &hers) == 0 || count(1, &last) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(count(1, "event: change") > 1000, "those whom it concerns hear of it");
    let told = heard[0].lock().unwrap().clone();
    let told = told.lines().filter_map(|l| l.strip_prefix("data: "));
    let told: Vec<Value> = told.filter_map(|data| serde_json::from_str(data).ok()).collect();
    for event in told {
        let at = format!("/parties/parties/{}", event["id"].as_str().unwrap_or_default());
        assert_eq!(ann.get(&at).await.status, 200, "{event}");
    }
    listeners.abort_all();
}
