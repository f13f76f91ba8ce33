//! Views that others see, and links that show them to whoever has them.

use crate::day::PNG;
use crate::scene::{Answer, House, Person, house, house_with};
use serde_json::{Value, json};
use uuid::Uuid;

async fn saved(by: &Person, more: Value) -> Uuid {
    let mut body = json!({ "entity": "parties.parties", "name": "Ours", "visibility": "shared" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = by.post("/views", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    testkit::id(&made.json())
}

async fn listed(by: &Person) -> Vec<Value> {
    by.get("/views?entity=parties.parties").await.json()["data"].as_array().unwrap().clone()
}

async fn workspace(owner: &Person, name: &str) -> Uuid {
    let made = owner.post("/workspaces", json!({ "name": name, "kind": "division" })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    testkit::id(&made.json())
}

#[tokio::test]
async fn a_view_is_seen_by_those_it_is_for() {
    let house = house().await;
    let owner = house.owner().await;
    let (ann, bob) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["salesperson"]).await);
    let (north, south) = (workspace(&owner, "North").await, workspace(&owner, "South").await);
    let at = format!("/members/{}", bob.id);
    assert_eq!(owner.patch(&at, json!({ "workspace_ids": [south] })).await.status, 200);

    let private = saved(&ann, json!({ "name": "Private", "visibility": "private" })).await;
    let team = saved(&ann, json!({ "name": "North", "visibility": "team", "team_id": north })).await;
    let shared = saved(&ann, json!({ "name": "Shared" })).await;
    let names = |all: Vec<Value>| {
        all.iter().map(|v| v["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(listed(&ann).await), "North Private Shared");
    assert_eq!(names(listed(&owner).await), "North Shared");
    assert_eq!(names(listed(&bob).await), "Shared");
    for id in [private, team] {
        let at = format!("/views/{id}");
        assert_eq!(bob.patch(&at, json!({ "name": "mine" })).await.status, 404);
        assert_eq!(bob.delete(&at).await.status, 404);
        assert_eq!(
            bob.get(&format!("/views?ids={id},{shared}")).await.json()["data"].as_array().unwrap().len(),
            1
        );
    }
    // The owner of the company may do everything, and reads nobody's own views all the same: the database has none for him.
    assert_eq!(owner.patch(&format!("/views/{private}"), json!({ "name": "x" })).await.status, 404);
    let actor = house.auth().actor_of(owner.organization, owner.id, Uuid::now_v7()).await.unwrap();
    let sql = "select name from social.saved_views order by name";
    let seen = house.scene.store.batch(&actor, &[(sql, &[])]).await.unwrap();
    assert_eq!(seen[0].iter().map(|r| r.get(0)).collect::<Vec<String>>(), ["North", "Shared"]);

    // Nobody shares with people he is not among, nor with a team of nobody.
    let team = json!({ "entity": "parties.parties", "name": "x", "visibility": "team" });
    assert_eq!(bob.post("/views", team.clone()).await.status, 422);
    let mut theirs = team;
    theirs["team_id"] = json!(north);
    assert_eq!(bob.post("/views", theirs).await.status, 422);
}

#[tokio::test]
async fn a_locked_view_is_changed_by_its_owner_and_administrators() {
    let house = house().await;
    let owner = house.owner().await;
    let (ann, bob) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["salesperson"]).await);
    let id = saved(&ann, json!({ "state": { "sort": "name" } })).await;
    let at = format!("/views/{id}");
    let sorted = |by: &str| json!({ "state": { "sort": by } });

    let changed = bob.patch(&at, sorted("-name")).await;
    assert_eq!((changed.status, &changed.json()["state"]["sort"]), (200, &json!("-name")));
    for taken in [json!({ "visibility": "private" }), json!({ "locked": true }), json!({ "position": 1 })] {
        assert_eq!(bob.patch(&at, taken.clone()).await.status, 403, "{taken}");
    }
    assert_eq!(bob.delete(&at).await.status, 403);

    assert_eq!(ann.patch(&at, json!({ "locked": true })).await.status, 200);
    assert_eq!(bob.patch(&at, sorted("country")).await.status, 403);
    let his = listed(&bob).await;
    assert_eq!(
        (&his[0]["can_edit"], &his[0]["can_manage"], &his[0]["mine"]),
        (&json!(false), &json!(false), &json!(false))
    );
    // Behind the server, too.
    let actor = house.auth().actor_of(bob.organization, bob.id, Uuid::now_v7()).await.unwrap();
    let sql = "update social.saved_views set name = 'his' where id = $1 returning 1";
    assert!(house.scene.store.batch(&actor, &[(sql, &[&id])]).await.unwrap()[0].is_empty());
    assert_eq!(owner.patch(&at, sorted("number")).await.status, 200);
    assert_eq!(owner.delete(&at).await.status, 204);
}

#[tokio::test]
async fn administrators_say_which_view_opens_first_for_a_role() {
    let house = house().await;
    let owner = house.owner().await;
    let (ann, eve) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["accountant"]).await);
    assert_eq!(
        ann.post(
            "/views",
            json!({ "entity": "parties.parties", "name": "x", "visibility": "shared", "default_for": ["*"] })
        )
        .await
        .status,
        403
    );
    let own = saved(&ann, json!({})).await;
    assert_eq!(ann.patch(&format!("/views/{own}"), json!({ "default_for": ["*"] })).await.status, 403);
    saved(&owner, json!({ "name": "Sellers", "default_for": ["salesperson"] })).await;
    saved(&owner, json!({ "name": "All", "default_for": ["*"], "position": 5 })).await;
    let opens = |all: Vec<Value>| {
        all.iter().find(|v| v["is_default"] == true).map(|v| v["name"].as_str().unwrap().to_owned())
    };
    assert_eq!(opens(listed(&ann).await).as_deref(), Some("Sellers"));
    assert_eq!(opens(listed(&eve).await).as_deref(), Some("All"));
}

/// A seller who may share, with a link to what he sees of the customers in one country.
async fn link(house: &House, more: Value) -> (Person, Person, Uuid, String) {
    let owner = house.owner().await;
    let ann = house.colleague(&owner, &["manager"]).await;
    for (name, country, limit) in [("Rope & Co", "KZ", "100"), ("Boats", "KZ", "250"), ("Hidden", "DE", "7")]
    {
        let party = json!({ "name": name, "country": country, "is_customer": true, "credit_limit": limit, "tax_id": format!("T-{name}") });
        let made = owner.post("/parties/parties", party).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let state = json!({
        "columns": ["name", "credit_limit", "created_by"], "sort": "-name",
        "filter": { "operator": "AND", "rules": [{ "field": "country", "operator": "equals", "value": "KZ" }] },
    });
    let view = saved(&ann, json!({ "visibility": "private", "state": state })).await;
    let mut body = json!({ "view_id": view });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = ann.post("/shares", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert!(made.json()["url"].as_str().unwrap().ends_with(&format!("/s/{token}")));
    (owner, ann, view, token)
}

async fn open(by: &Person, token: &str, password: Option<&str>) -> Answer {
    by.post(&format!("/public/{token}"), json!({ "password": password })).await
}

async fn rows(by: &Person, token: &str, key: &str, query: &str) -> Answer {
    by.send("GET", &format!("/public/{token}/rows{query}"), None, &[("x-share-key", key)]).await
}

async fn aggregate(by: &Person, token: &str, key: &str, body: Value) -> Answer {
    by.send("POST", &format!("/public/{token}/aggregate"), Some(body), &[("x-share-key", key)]).await
}

fn key(opened: &Answer) -> String {
    assert_eq!(opened.status, 200, "{}", opened.text());
    opened.json()["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_shows_its_view_and_nothing_else() {
    let house = house().await;
    let (owner, ann, view, token) = link(&house, json!({})).await;
    let guest = house.stranger();
    let opened = open(&guest, &token, None).await;
    let key = key(&opened);
    assert_eq!(opened.header("cache-control"), "private, no-store");
    assert!(opened.header("x-robots-tag").contains("noindex"));
    let fields: Vec<String> = opened.json()["entity"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(fields, ["name", "credit_limit", "created_by"]);

    let page = rows(&guest, &token, &key, "").await;
    let told = page.json();
    let names: Vec<&str> =
        told["data"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!((names, &told["count"]["value"]), (vec!["Rope & Co", "Boats"], &json!(2)));
    // The key is random and may spell anything.
    let whole = opened.text().replace(key.as_str(), "");
    for secret in ["T-", "Hidden", "DE", "tax_id", "\"id\"", "version", &owner.organization.to_string()] {
        assert!(!page.text().contains(secret), "{secret}: {}", page.text());
        assert!(!whole.contains(secret), "{secret}: {whole}");
    }
    assert_eq!(rows(&guest, &token, &key, "?limit=1&offset=1").await.json()["data"][0]["name"], "Boats");

    // Nothing that is asked for makes it show more.
    for asked in [
        "filter=%7B%7D",
        "country=DE",
        "fields=tax_id",
        "sort=tax_id",
        "q=Hidden",
        "expand=owner",
        "deleted=true",
    ] {
        assert_eq!(rows(&guest, &token, &key, &format!("?{asked}")).await.status, 400, "{asked}");
    }
    for asked in [
        json!({ "group_by": ["tax_id"] }),
        json!({ "group_by": ["created_by.email"] }),
        json!({ "sums": ["country"] }),
        json!({ "filter": { "operator": "AND", "rules": [] } }),
        json!({ "metrics": [{ "function": "max", "field": "tax_id" }] }),
    ] {
        assert_eq!(aggregate(&guest, &token, &key, asked.clone()).await.status, 400, "{asked}");
    }
    let sums = aggregate(&guest, &token, &key, json!({ "sums": ["credit_limit"] })).await.json();
    assert_eq!(
        (
            &sums["data"][0]["count"],
            sums["data"][0]["sums"]["credit_limit"].as_str().map(|s| s.split('.').next().unwrap())
        ),
        (&json!(2), Some("350"))
    );
    let grouped = aggregate(&guest, &token, &key, json!({ "group_by": ["name"] })).await.json();
    assert_eq!(grouped["data"].as_array().unwrap().len(), 2);

    // What the view becomes, the link shows; what is no link of ours is nothing.
    let change = json!({ "state": { "columns": ["name"] } });
    assert_eq!(ann.patch(&format!("/views/{view}"), change).await.status, 200);
    let page = rows(&guest, &token, &key, "").await;
    assert_eq!(page.json()["data"].as_array().unwrap().len(), 3);
    assert!(!page.text().contains("credit_limit"));
    let other = format!("{}A", &token[..token.len() - 1]);
    let nothing = open(&guest, &format!("fds_{}", "x".repeat(token.len() - 4)), None).await;
    for wrong in ["x", "fds_", &other.replace("fds_", "fdo_"), &other.to_lowercase()] {
        let answer = open(&guest, wrong, None).await;
        assert_eq!((answer.status, answer.same()), (404, nothing.same()), "{wrong}");
        assert_eq!(rows(&guest, wrong, &key, "").await.status, 404);
    }
    // The link is no key to the rest of the house.
    assert_eq!(guest.with_token(&token).get("/parties/parties").await.status, 401);
    // Not a second time, not to others; another company has no such link.
    let listed = ann.get(&format!("/shares?view_id={view}")).await;
    assert!(!listed.text().contains(&token) && listed.text().contains("has_password"), "{}", listed.text());
    let stranger = house.owner().await;
    let id = testkit::id(&listed.json()["data"][0]);
    assert_eq!(stranger.get(&format!("/shares?view_id={view}")).await.json()["data"], json!([]));
    assert_eq!(stranger.delete(&format!("/shares/{id}")).await.status, 404);
    assert_eq!(stranger.post("/shares", json!({ "view_id": view })).await.status, 404);
    let bob = house.colleague(&owner, &["manager"]).await;
    assert_eq!(bob.delete(&format!("/shares/{id}")).await.status, 404);
    assert_eq!(
        owner.get(&format!("/shares?view_id={view}")).await.json()["data"].as_array().unwrap().len(),
        1
    );
    assert_eq!(owner.delete(&format!("/shares/{id}")).await.status, 204);
    assert_eq!(rows(&guest, &token, &key, "").await.status, 404);
    assert_eq!(open(&guest, &token, None).await.same(), nothing.same());
}

#[tokio::test]
async fn a_password_is_asked_for_and_not_guessed() {
    let house = house_with(|c| c.attempts = 4).await;
    let (_, _, _, token) = link(&house, json!({ "password": "seven little boats" })).await;
    let guest = house.stranger();
    assert_eq!(open(&guest, &token, None).await.status, 401);
    assert_eq!(open(&guest, &token, Some("wrong")).await.status, 401);
    let opened = open(&guest, &token, Some("seven little boats")).await;
    let key = key(&opened);
    assert_eq!(rows(&guest, &token, &key, "").await.status, 200);
    let later = format!("9{key}");
    for wrong in ["", "x", "99999999999.x", later.as_str()] {
        assert_eq!(rows(&guest, &token, wrong, "").await.status, 401, "{wrong}");
        assert_eq!(aggregate(&guest, &token, wrong, json!({})).await.status, 401, "{wrong}");
    }
    // From wherever they come, tries at one link are counted together.
    for _ in 0..4 {
        assert_eq!(open(&house.stranger(), &token, Some("wrong")).await.status, 401);
    }
    let refused = open(&house.stranger(), &token, Some("seven little boats")).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty());
    // And from one place at whatever link.
    let knocking = house.stranger();
    let mut last = 0;
    for _ in 0..6 {
        last = open(&knocking, "fds_AAAA", None).await.status;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_link_ends_with_its_day_and_with_its_makers_rights() {
    let house = house().await;
    let (owner, ann, view, token) = link(&house, json!({ "expires_at": "2999-01-01T00:00:00Z" })).await;
    let guest = house.stranger();
    let key = key(&open(&guest, &token, None).await);
    let seen = async || {
        let (opened, page) =
            (open(&guest, &token, None).await.status, rows(&guest, &token, &key, "").await.status);
        assert_eq!(opened, page);
        page
    };
    assert_eq!(seen().await, 200);
    assert_eq!(
        ann.post("/shares", json!({ "view_id": view, "expires_at": "2020-01-01T00:00:00Z" })).await.status,
        422
    );
    assert_eq!(ann.post("/shares", json!({ "view_id": view, "password": "short" })).await.status, 422);

    let role = |id: Uuid, roles: Value| {
        let owner = owner.clone();
        async move {
            assert_eq!(owner.patch(&format!("/members/{id}"), json!({ "roles": roles })).await.status, 200)
        }
    };
    role(ann.id, json!(["guest"])).await;
    assert_eq!(seen().await, 404, "the right is gone");
    role(ann.id, json!(["manager"])).await;
    assert_eq!(seen().await, 200);

    // A field that is hidden from who shares is hidden from whoever looks.
    let roles = owner.get("/roles").await.json();
    let manager = roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "manager").unwrap();
    let at = format!("/roles/{}", testkit::id(manager));
    let hide = |access: &str| json!({ "fields": { "parties.parties": { "credit_limit": access } } });
    assert_eq!(owner.patch(&at, hide("none")).await.status, 200);
    let page = rows(&guest, &token, &key, "").await;
    assert!(page.status == 200 && !page.text().contains("credit_limit"), "{}", page.text());
    assert!(!open(&guest, &token, None).await.text().contains("credit_limit"));
    assert_eq!(aggregate(&guest, &token, &key, json!({ "sums": ["credit_limit"] })).await.status, 400);
    // And one that the filter asks for takes all away, instead of the filter.
    let hide = json!({ "fields": { "parties.parties": { "credit_limit": "write", "country": "none" } } });
    assert_eq!(owner.patch(&at, hide).await.status, 200);
    assert_eq!(rows(&guest, &token, &key, "").await.status, 404);
    assert_eq!(
        owner.patch(&at, json!({ "fields": { "parties.parties": { "country": "write" } } })).await.status,
        200
    );
    assert_eq!(seen().await, 200);
    // Without export there is no sharing.
    let export = |scope: &str| json!({ "grants": { "parties.parties": { "export": scope } } });
    assert_eq!(owner.patch(&at, export("none")).await.status, 200);
    assert_eq!(seen().await, 404);
    assert_eq!(ann.post("/shares", json!({ "view_id": view })).await.status, 403);
    assert_eq!(owner.patch(&at, export("all")).await.status, 200);

    // A view that others may change is no longer what was shared.
    let view_at = format!("/views/{view}");
    assert_eq!(ann.patch(&view_at, json!({ "visibility": "shared" })).await.status, 200);
    assert_eq!(seen().await, 404);
    assert_eq!(ann.post("/shares", json!({ "view_id": view })).await.status, 422);
    assert_eq!(ann.patch(&view_at, json!({ "locked": true })).await.status, 200);
    assert_eq!(seen().await, 200);
    let bob = house.colleague(&owner, &["manager"]).await;
    assert_eq!(bob.post("/shares", json!({ "view_id": view })).await.status, 422, "not his");

    house.behind("update social.shares set expires_at = now() - interval '1 second'").await;
    assert_eq!(seen().await, 404);
    house.behind("update social.shares set expires_at = null").await;
    assert_eq!(seen().await, 200);
    assert_eq!(owner.delete(&format!("/members/{}", ann.id)).await.status, 204);
    assert_eq!(seen().await, 404, "no member any more");
}

#[tokio::test]
async fn a_link_names_only_what_its_maker_may_read() {
    let house = house().await;
    let owner = house.owner().await;
    house.furnished(&owner, "Named-").await;
    let ann = house.colleague(&owner, &["manager"]).await;
    let state =
        json!({ "columns": ["number", "customer_id", "total", "assigned_to"], "group": ["customer_id"] });
    let view = json!({ "entity": "sales.orders", "name": "Orders", "state": state });
    let view = testkit::id(&ann.post("/views", view).await.json());
    let made = ann.post("/shares", json!({ "view_id": view })).await.json();
    let token = made["token"].as_str().unwrap();
    let guest = house.stranger();
    let key = key(&open(&guest, token, None).await);
    let row = rows(&guest, token, &key, "").await.json()["data"][0].clone();
    assert!(row["customer_id"].as_str().unwrap().starts_with("Named-"), "{row}");
    assert!(row["currency"].is_string(), "{row}");
    let by_customer = json!({ "group_by": ["customer_id"], "sums": ["total"] });
    let grouped = aggregate(&guest, token, &key, by_customer.clone()).await.json();
    assert_eq!(grouped["data"][0]["customer_id"], row["customer_id"]);
    assert!(grouped["data"][0]["sums"]["total"].is_string() && grouped["data"][0]["currency"].is_string());

    let roles = owner.get("/roles").await.json();
    let manager = roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "manager").unwrap();
    let change = json!({ "grants": { "parties.parties": { "read": "none" } } });
    assert_eq!(owner.patch(&format!("/roles/{}", testkit::id(manager)), change).await.status, 200);
    let page = rows(&guest, token, &key, "").await;
    assert_eq!((page.status, &page.json()["data"][0]["customer_id"]), (200, &Value::Null));
    assert!(
        !page.text().contains("Named-")
            || !row["customer_id"].as_str().is_none_or(|name| page.text().contains(name))
    );
    assert_eq!(aggregate(&guest, token, &key, by_customer).await.status, 400);
}

async fn shared(by: &Person, body: Value) -> String {
    let view = testkit::id(&by.post("/views", body).await.json());
    let made = by.post("/shares", json!({ "view_id": view })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_shared_board_shows_its_columns_and_answers_for_no_other() {
    let house = house().await;
    let (_, ann, _, table) = link(&house, json!({})).await;
    let state = json!({ "columns": ["name", "credit_limit"], "options": { "lanes": "cf.stage" },
        "filter": { "operator": "AND", "rules": [{ "field": "country", "operator": "equals", "value": "KZ" }] } });
    // A field of the company's own with choices; only administrators make one.
    let owner = house.owner().await;
    let stage = json!({ "entity": "parties.parties", "name": "stage", "label": "Stage", "type": "select", "options": ["new", "won"] });
    assert_eq!(owner.post("/fields", stage).await.status, 201);
    for (name, country, stage) in
        [("A", "KZ", Some("new")), ("B", "KZ", Some("won")), ("C", "KZ", None), ("D", "DE", Some("new"))]
    {
        let body = json!({ "name": name, "country": country, "is_customer": true, "cf.stage": stage });
        assert_eq!(owner.post("/parties/parties", body).await.status, 201);
    }
    let token = shared(&owner, json!({ "entity": "parties.parties", "name": "Board", "kind": "board", "visibility": "private", "state": state })).await;
    let guest = house.stranger();
    let opened = open(&guest, &token, None).await;
    let key = key(&opened);
    let board = opened.json()["board"].clone();
    assert_eq!(
        (&board["field"], board["options"].as_array().unwrap().len()),
        (&json!("cf.stage"), 2),
        "{board}"
    );
    for (lane, names) in [("new", vec!["A"]), ("won", vec!["B"]), ("", vec!["C"])] {
        let page = rows(&guest, &token, &key, &format!("?lane={lane}")).await.json();
        let found: Vec<&str> =
            page["data"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{lane}: the filter of the view holds in each column");
    }
    for lane in ["lost", "new%27%20or%201=1", "%00", "cf.stage"] {
        assert_eq!(rows(&guest, &token, &key, &format!("?lane={lane}")).await.status, 400, "{lane}");
    }
    // What is no board has no columns; a board says no widgets.
    let own = crate::shares::key(&open(&guest, &table, None).await);
    assert_eq!(rows(&guest, &table, &own, "?lane=new").await.status, 400);
    let widgets = async |token: &str, key: &str| {
        guest.send("GET", &format!("/public/{token}/widgets"), None, &[("x-share-key", key)]).await.status
    };
    assert_eq!((widgets(&token, &key).await, widgets(&table, &own).await), (404, 404));
    assert_eq!(ann.get("/parties/parties").await.status, 200);
}

#[tokio::test]
async fn a_shared_dashboard_says_what_its_maker_may_see_and_takes_no_question() {
    let house = house().await;
    let owner = house.owner().await;
    let ann = house.colleague(&owner, &["manager"]).await;
    for (name, country, limit) in
        [("Rope", "KZ", "100"), ("Boats", "KZ", "250"), ("Nets", "US", "50"), ("Hidden", "DE", "7")]
    {
        let party = json!({ "name": name, "country": country, "is_customer": true, "credit_limit": limit, "tax_id": format!("T-{name}") });
        assert_eq!(owner.post("/parties/parties", party).await.status, 201);
    }
    let widgets = json!([
        { "id": "n", "kind": "number", "value": "count" },
        { "id": "s", "kind": "bar", "value": "sum:credit_limit", "group": "country", "title": "By country" },
        { "id": "d", "kind": "line", "value": "count", "group": "created_at:day" },
        { "id": "w", "kind": "top", "value": "count", "group": "created_by" },
        { "id": "l", "kind": "list", "columns": ["name"], "limit": 1, "sort": "-name" },
        { "id": "t", "kind": "note", "text": "Ours" },
        { "id": "x", "kind": "number", "entity": "iam.roles", "value": "count", "title": "Secret roles" },
        { "id": "y", "kind": "bar", "value": "count", "group": "nothing_there" },
        { "id": "z", "kind": "bar", "value": "evil(credit_limit):credit_limit", "group": "country" },
        { "id": "f", "kind": "number", "value": "count", "filter": { "operator": "AND", "rules": [{ "field": "country", "operator": "equals", "value": "US" }] } },
    ]);
    let state = json!({ "columns": ["name"], "options": { "widgets": widgets.to_string() },
        "filter": { "operator": "AND", "rules": [{ "field": "country", "operator": "not_equals", "value": "DE" }] } });
    let token = shared(&ann, json!({ "entity": "parties.parties", "name": "Numbers", "kind": "dashboard", "visibility": "private", "state": state })).await;
    let guest = house.stranger();
    let key = key(&open(&guest, &token, None).await);
    let asked = async |query: &str, key: &str| {
        guest.send("GET", &format!("/public/{token}/widgets{query}"), None, &[("x-share-key", key)]).await
    };
    let told = asked("", &key).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let told_all = told.json();
    let of = |id: &str| told_all["data"].as_array().unwrap().iter().find(|w| w["id"] == id).unwrap().clone();
    assert_eq!(of("n")["lines"][0]["value"], json!(3), "{told_all}");
    assert_eq!(of("f")["lines"][0]["value"], json!(1), "its own filter and that of the view");
    let mut sums: Vec<(String, String)> = of("s")["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| {
            (
                l["at"][0].as_str().unwrap().to_owned(),
                l["value"].as_str().unwrap().split('.').next().unwrap().to_owned(),
            )
        })
        .collect();
    sums.sort();
    assert_eq!(sums, [("KZ".into(), "350".into()), ("US".into(), "50".into())]);
    assert_eq!(of("d")["lines"][0]["value"], json!(3));
    assert_eq!(of("w")["lines"][0]["at"], json!(["owner"]), "a person by his name");
    assert_eq!((&of("l")["rows"], &of("t")["text"]), (&json!([{ "name": "Rope" }]), &json!("Ours")));
    for closed in ["x", "y", "z"] {
        assert_eq!((&of(closed)["closed"], &of(closed)["title"]), (&json!(true), &Value::Null), "{closed}");
    }
    for secret in ["Hidden", "T-Rope", &ann.email, &ann.id.to_string(), "Secret roles"] {
        assert!(!told.text().contains(secret), "{secret}: {}", told.text());
    }
    // There is nothing to be asked, and nobody without the key.
    assert_eq!(asked("", "1.x").await.status, 401);
    let same = asked("?filter=%7B%7D&group_by=tax_id&entity=iam.roles", &key).await;
    assert_eq!(same.text(), told.text());
    // A field that is hidden from who shared it is in no widget.
    let roles = owner.get("/roles").await.json();
    let manager = roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "manager").unwrap();
    let hide = json!({ "fields": { "parties.parties": { "credit_limit": "none" } } });
    assert_eq!(owner.patch(&format!("/roles/{}", testkit::id(manager)), hide).await.status, 200);
    let later = asked("", &key).await.json();
    let bar = later["data"].as_array().unwrap().iter().find(|w| w["id"] == "s").unwrap();
    assert_eq!((&bar["closed"], &bar["lines"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_shared_gallery_shows_its_pictures_and_no_other_file() {
    let house = house().await;
    let owner = house.owner().await;
    for (name, kind) in [("photo", "file"), ("contract", "file")] {
        let field = json!({ "entity": "parties.parties", "name": name, "label": name, "type": kind });
        assert_eq!(owner.post("/fields", field).await.status, 201);
    }
    let sent = async |name: &str, bytes: &[u8]| {
        let sent = owner.raw("POST", "/files", bytes.to_vec(), &[("x-file-name", name)]).await;
        assert_eq!(sent.status, 201, "{}", sent.text());
        testkit::id(&sent.json())
    };
    let (mut photos, mut contracts) = (Vec::new(), Vec::new());
    for (name, country) in [("Seen", "KZ"), ("Hidden", "DE")] {
        let (photo, contract) = (sent("photo.png", PNG).await, sent("secret.png", PNG).await);
        let letter = sent("letter.txt", b"secret").await;
        let body = json!({ "name": name, "country": country, "is_customer": true, "cf.contract": [contract], "cf.photo": [letter, photo] });
        let made = owner.post("/parties/parties", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        photos.push(photo);
        contracts.extend([contract, letter]);
    }
    let state = json!({ "columns": ["name", "cf.photo"], "options": { "cover": "cf.photo" },
        "filter": { "operator": "AND", "rules": [{ "field": "country", "operator": "equals", "value": "KZ" }] } });
    let view = |kind: &str| json!({ "entity": "parties.parties", "name": kind, "kind": kind, "visibility": "private", "state": state });
    let token = shared(&owner, view("gallery")).await;
    let guest = house.stranger();
    let key = key(&open(&guest, &token, None).await);
    let told = rows(&guest, &token, &key, "").await;
    assert_eq!(
        told.json()["data"],
        json!([{ "name": "Seen", "cf.photo": "letter.txt, photo.png", "_picture": photos[0] }])
    );
    let picture = async |token: &str, id: Uuid, key: &str| {
        guest.get(&format!("/public/{token}/pictures/{id}?key={key}")).await
    };
    let shown = picture(&token, photos[0], &key).await;
    assert_eq!((shown.status, shown.header("content-type")), (200, "image/png"), "{}", shown.text());
    // Not that of a record that the filter leaves out, not another file of the same record, not without the key.
    let loose = sent("loose.png", PNG).await;
    for id in [photos[1], contracts[0], contracts[1], contracts[2], loose, Uuid::now_v7()] {
        assert_eq!(picture(&token, id, &key).await.status, 404, "{id}");
    }
    assert_eq!(picture(&token, photos[0], "1.x").await.status, 401);
    // What is no gallery shows no pictures, and names none.
    let table = shared(&owner, view("table")).await;
    let own = crate::shares::key(&open(&guest, &table, None).await);
    assert_eq!(picture(&table, photos[0], &own).await.status, 404);
    assert!(!rows(&guest, &table, &own, "").await.text().contains(&photos[0].to_string()));
    // Another company's link opens none of these.
    let other = house.owner().await;
    let theirs = shared(&other, json!({ "entity": "parties.parties", "name": "x", "kind": "gallery", "visibility": "private", "state": {} })).await;
    let own = crate::shares::key(&open(&guest, &theirs, None).await);
    assert_eq!(picture(&theirs, photos[0], &own).await.status, 404);
}

#[tokio::test]
async fn a_shared_calendar_and_a_timeline_tell_of_the_days_that_are_asked_for() {
    let house = house().await;
    let owner = house.owner().await;
    for (name, kind) in [("visit", "date"), ("until", "date"), ("again", "recurrence")] {
        let field = json!({ "entity": "parties.parties", "name": name, "label": name, "type": kind });
        assert_eq!(owner.post("/fields", field).await.status, 201);
    }
    for (name, country, from, until, again) in [
        ("Long", "KZ", "2026-03-28", Some("2026-04-02"), None),
        ("Weekly", "KZ", "2026-03-02", None, Some("FREQ=WEEKLY")),
        ("Later", "KZ", "2026-06-01", None, None),
        ("Hidden", "DE", "2026-04-10", None, None),
    ] {
        let body = json!({ "name": name, "country": country, "is_customer": true, "cf.visit": from, "cf.until": until, "cf.again": again });
        let made = owner.post("/parties/parties", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let view = |kind: &str, options: Value| {
        json!({ "entity": "parties.parties", "name": kind, "kind": kind, "visibility": "private",
            "state": { "columns": ["name"], "sort": "name", "options": options,
                "filter": { "operator": "AND", "rules": [{ "field": "country", "operator": "equals", "value": "KZ" }] } } })
    };
    let guest = house.stranger();
    let april = "?from=2026-04-01&to=2026-05-01";
    let names = |page: &Answer| {
        let names = page.json()["data"].as_array().unwrap().clone();
        names.iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };

    let calendar = shared(
        &owner,
        view("calendar", json!({ "date": "cf.visit", "end": "cf.until", "colour": "lifecycle" })),
    )
    .await;
    let opened = open(&guest, &calendar, None).await;
    let time = opened.json()["time"].clone();
    assert_eq!(
        (&time["start"]["name"], &time["end"]["name"], &time["colour"]["name"]),
        (&json!("cf.visit"), &json!("cf.until"), &json!("lifecycle"))
    );
    let key = key(&opened);
    let page = rows(&guest, &calendar, &key, april).await;
    assert_eq!(names(&page), "Weekly Long");
    let weekly = &page.json()["data"][0];
    let mondays: Vec<&str> =
        weekly["_occurrences"].as_array().unwrap().iter().map(|o| o["start"].as_str().unwrap()).collect();
    assert_eq!(mondays, ["2026-04-06", "2026-04-13", "2026-04-20", "2026-04-27"]);
    assert!(weekly["id"].is_null() && !page.text().contains("Hidden"), "{}", page.text());
    let empty = rows(&guest, &calendar, &key, "?from=2026-01-01&to=2026-02-01").await.json();
    assert_eq!((&empty["data"], &empty["near"]), (&json!([]), &json!([null, "2026-03-02"])));
    for wrong in ["?from=x&to=2026-05-01", "?from=2026-04-01&to=2029-01-01", "?occurs=%7B%7D"] {
        assert_eq!(rows(&guest, &calendar, &key, wrong).await.status, 400, "{wrong}");
    }

    // A bar for each in a timeline: what comes back is there from its beginning.
    let timeline = shared(&owner, view("timeline", json!({ "start": "cf.visit", "end": "cf.until" }))).await;
    let key = crate::shares::key(&open(&guest, &timeline, None).await);
    let page = rows(&guest, &timeline, &key, april).await;
    assert_eq!(names(&page), "Long");
    assert_eq!(
        page.json()["data"][0]["_occurrences"],
        json!([{ "start": "2026-03-28", "end": "2026-04-02" }])
    );

    // A table has no days to ask for.
    let table = shared(&owner, view("table", json!({}))).await;
    let key = crate::shares::key(&open(&guest, &table, None).await);
    assert_eq!(rows(&guest, &table, &key, april).await.status, 400);
}
