//! N: who somebody is. What needs no HTTP is tried in crates/auth.

use crate::scene::{Answer, House, PASSWORD, Person, house, house_with, ip};
use serde_json::{Value, json};
use std::collections::HashSet;
use uuid::Uuid;

const OTHER: &str = "eight little boats";

/// The cookie that an answer sets, as it is sent back.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

fn cookie_token(answer: &Answer) -> String {
    cookie(answer).split_once('=').unwrap().1.to_owned()
}

async fn mail(house: &House, to: &str) -> String {
    let sql = "select body from app.mails where recipient = $1 order by created_at desc, id desc limit 1";
    house.scene.strings(sql, &[&to]).await.pop().unwrap_or_default()
}

async fn link_code(house: &House, to: &str) -> String {
    mail(house, to)
        .await
        .split("code=")
        .nth(1)
        .unwrap()
        .split(['&', '\n', ' '])
        .next()
        .unwrap()
        .trim()
        .to_owned()
}

/// Each from an address of his own.
async fn asked(person: &Person, path: &str, body: Value) -> Answer {
    Person { ip: ip(), ..person.clone() }.post(path, body).await
}

#[tokio::test]
async fn n01_known_and_unknown_addresses_get_one_answer() {
    let house = house().await;
    let known = house.account("known").await;
    let somebody = house.stranger();
    for (path, extra) in [
        ("/auth/login", json!({ "password": "wrong wrong wrong" })),
        ("/auth/forgot", json!({})),
        ("/auth/resend", json!({})),
        ("/auth/register", json!({ "password": OTHER, "first_name": "A", "last_name": "B" })),
        ("/auth/reset", json!({ "code": "x", "password": OTHER })),
        ("/auth/verify", json!({ "code": "x" })),
    ] {
        let of = |email: &str| {
            let mut body = extra.clone();
            body["email"] = json!(email);
            body
        };
        let hers = asked(&somebody, path, of(&known.email)).await;
        let nobodys = asked(&somebody, path, of(&format!("{}@acme.test", Uuid::new_v4().simple()))).await;
        assert_eq!(hers.same(), nobodys.same(), "{path}");
    }
    let refused =
        asked(&somebody, "/auth/forgot", json!({ "email": known.email, "reset_url": "https://evil.test" }))
            .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn n02_guessing_is_slow_whatever_is_sent_with_it() {
    let house = house().await;
    let victim = house.account("victim").await;
    let eve = house.stranger();
    let twins = [victim.email.to_uppercase(), format!(" {}", victim.email), victim.email.clone()];
    let mut statuses = Vec::new();
    for n in 0..30 {
        // One account, from everywhere.
        let from = Person { ip: ip(), ..eve.clone() };
        let forwarded = format!("9.9.9.{n}");
        let body = json!({ "email": twins[n % 3], "password": "wrong wrong wrong" });
        let headers =
            [("x-forwarded-for", forwarded.as_str()), ("X-Real-Ip", &forwarded), ("forwarded", &forwarded)];
        let answer = from.send("POST", "/auth/login", Some(body), &headers).await;
        if answer.status == 429 {
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
        }
        statuses.push(answer.status);
    }
    assert_eq!((statuses.iter().filter(|s| **s == 401).count(), &statuses[9..]), (9, &[429; 21][..]));
    // Many accounts, from one address, whatever it says of itself.
    let mut tried = 0;
    for n in 0..30 {
        let body = json!({ "email": format!("r{n}@acme.test"), "password": "wrong wrong wrong" });
        let forwarded = format!("8.8.8.{n}");
        tried += usize::from(
            eve.send("POST", "/auth/login", Some(body), &[("x-forwarded-for", &forwarded)]).await.status
                == 401,
        );
    }
    assert_eq!(tried, 9);
    let extra = json!({ "email": victim.email, "password": "x", "identifier": "other@acme.test" });
    assert_eq!(asked(&eve, "/auth/login", extra).await.status, 400);
}

#[tokio::test]
async fn n03_links_lead_to_the_configured_address() {
    let house = house().await;
    let person = house.account("ann").await;
    let evil = [
        ("origin", "https://evil.test"),
        ("host", "evil.test"),
        ("x-forwarded-host", "evil.test"),
        ("referer", "https://evil.test/"),
    ];
    let headers: Vec<_> = evil.iter().copied().chain([("sec-fetch-site", "same-origin")]).collect();
    let answer = person.send("POST", "/auth/forgot", Some(json!({ "email": person.email })), &headers).await;
    assert_eq!(answer.status, 202);
    let mail = mail(&house, &person.email).await;
    assert!(mail.contains("https://fondaco.test/") && !mail.contains("evil"), "{mail}");
}

#[tokio::test]
async fn n04_a_link_is_used_once_by_one() {
    let house = house().await;
    let person = house.account("ann").await;
    asked(&person, "/auth/forgot", json!({ "email": person.email })).await;
    let code = link_code(&house, &person.email).await;
    assert!(code.len() >= 22, "{code}");
    let kept = house
        .scene
        .strings(
            "select encode(code_hash, 'escape') from iam.email_verifications where email = $1",
            &[&person.email],
        )
        .await;
    assert!(!kept.is_empty() && kept.iter().all(|row| !row.contains(&code)));
    let body = json!({ "email": person.email, "code": code, "password": OTHER });
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (person, body) = (person.clone(), body.clone());
        all.spawn(async move { asked(&person, "/auth/reset", body).await.status });
    }
    let mut statuses = all.join_all().await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[400; 19][..]));
}

#[tokio::test]
async fn n05_n06_who_loses_his_place_is_out_everywhere() {
    let house = house().await;
    let owner = house.owner().await;
    let here = house.colleague(&owner, &["manager"]).await;
    let there = house.signed_in(here.clone()).await;
    let key = here.post("/auth/tokens", json!({ "name": "key", "scopes": ["*:*"] })).await.json();
    let key = here.with_token(key["token"].as_str().unwrap());
    let change = json!({ "current_password": PASSWORD, "new_password": OTHER });
    assert_eq!(here.post("/auth/password", change).await.status, 204);
    assert_eq!((here.get("/me").await.status, there.get("/me").await.status), (200, 401));
    // A member who is suspended, and one who is let go.
    let at = format!("/members/{}", here.id);
    assert_eq!(owner.patch(&at, json!({ "status": "suspended" })).await.status, 200);
    assert_eq!(key.get("/parties/parties").await.status, 401);
    assert!(matches!(here.get("/parties/parties").await.status, 401 | 403));
    assert_eq!(owner.patch(&at, json!({ "status": "active" })).await.status, 200);
    assert_eq!(owner.delete(&at).await.status, 204);
    assert_eq!(key.get("/parties/parties").await.status, 401);
    assert!(matches!(here.get("/parties/parties").await.status, 401 | 403));
}

#[tokio::test]
async fn n07_n08_every_entrance_has_a_new_key_that_pages_cannot_read() {
    let house = house().await;
    let owner = house.owner().await;
    let planted = [("cookie", "__Host-fondaco_session=planted"), ("sec-fetch-site", "same-origin")];
    let body = json!({ "email": owner.email, "password": PASSWORD });
    let guest = Person { token: String::new(), ..owner.clone() };
    let login = guest.send("POST", "/auth/login", Some(body), &planted).await;
    let set = login.header("set-cookie");
    assert!(set.starts_with("__Host-fondaco_session=") && set.len() < 4096, "{set}");
    for said in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(set.contains(said), "{set}");
    }
    assert!(!set.contains("Domain") && !set.contains("planted"));
    let mut seen = HashSet::from([owner.token.clone(), cookie_token(&login)]);
    let by = cookie(&login);
    let headers = [("cookie", by.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(guest.send("GET", "/me", None, &planted).await.status, 401);
    assert_eq!(guest.send("GET", "/me", None, &headers).await.status, 200);
    let new = json!({ "name": "Second", "country": "DE", "currency": "EUR", "time_zone": "Europe/Berlin" });
    let made = guest.send("POST", "/organizations", Some(new), &headers).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(seen.insert(cookie_token(&made)));
    let by = cookie(&made);
    let headers = [("cookie", by.as_str()), ("sec-fetch-site", "same-origin")];
    let back = guest
        .send("POST", &format!("/organizations/{}/activate", owner.organization), Some(json!({})), &headers)
        .await;
    assert!(seen.insert(cookie_token(&back)), "{}", back.text());
    assert_eq!(
        guest.send("GET", "/me", None, &headers).await.status,
        401,
        "the key of the place that was left"
    );
    let by = cookie(&back);
    let out =
        guest.send("POST", "/auth/logout", None, &[("cookie", &by), ("sec-fetch-site", "same-origin")]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(guest.send("GET", "/me", None, &[("cookie", &by)]).await.status, 401);
}

#[tokio::test]
async fn n09_other_sites_write_nothing() {
    let house = house().await;
    let owner = house.owner().await;
    let guest = Person { token: String::new(), ..owner.clone() };
    let login = guest.post("/auth/login", json!({ "email": owner.email, "password": PASSWORD })).await;
    let by = cookie(&login);
    for operation in house.operations(&owner).await.into_iter().filter(|o| o.method != "GET") {
        let at = operation.path.replace("{id}", &Uuid::nil().to_string());
        let body = house.body_for(&operation);
        for foreign in [
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
            [("origin", "https://evil.test")],
            [("origin", "null")],
        ] {
            let headers: Vec<_> =
                foreign.into_iter().chain([("cookie", by.as_str()), ("host", "fondaco.test")]).collect();
            let answer = guest.send(&operation.method, &at, body.clone(), &headers).await;
            assert_eq!(answer.status, 403, "{} {at} {foreign:?}: {}", operation.method, answer.text());
        }
    }
    let own = [("origin", "https://fondaco.test"), ("host", "fondaco.test"), ("cookie", by.as_str())];
    assert_eq!(guest.send("POST", "/parties/parties", Some(json!({ "name": "x" })), &own).await.status, 201);
    // A form cannot send JSON.
    let form = [("content-type", "text/plain"), ("sec-fetch-site", "same-origin"), ("cookie", by.as_str())];
    assert_eq!(guest.send("POST", "/parties/parties", Some(json!({ "name": "x" })), &form).await.status, 415);
    assert_eq!(
        guest
            .send("POST", "/parties/parties", None, &[("x-http-method-override", "DELETE"), ("cookie", &by)])
            .await
            .status,
        400
    );
    // Reading changes nothing, but that something was handed out is remembered.
    let count = "select count(*)::text from app.audit where organization_id = $1 and action in ('insert', 'update', 'delete')";
    let before = house.scene.strings(count, &[&owner.organization]).await;
    for operation in
        house.operations(&owner).await.into_iter().filter(|o| o.method == "GET" && o.path != "/events")
    {
        owner.get(&operation.path.replace("{id}", &Uuid::nil().to_string())).await;
    }
    assert_eq!(house.scene.strings(count, &[&owner.organization]).await, before);
}

#[tokio::test]
async fn n14_passwords_are_long_whole_and_not_the_usual_ones() {
    let house = house().await;
    let email = format!("{}@acme.test", Uuid::new_v4().simple());
    let tried = async |password: &str| {
        let body = json!({ "email": email, "password": password, "first_name": "A", "last_name": "B" });
        asked(&house.stranger(), "/auth/register", body).await.status
    };
    for good in ["sixty-four ".repeat(6), "ä🦀 ключ".repeat(12)] {
        assert_eq!(tried(&good).await, 202, "{good}");
    }
    for bad in ["password123", "short", &email, "1234567890"] {
        assert_eq!(tried(bad).await, 422, "{bad}");
    }
    // What another algorithm cuts off counts here.
    let long = format!("{}a", "0123456789abcdefghijklmnop".repeat(3).chars().take(72).collect::<String>());
    let person = house.account("long").await;
    asked(&person, "/auth/forgot", json!({ "email": person.email })).await;
    let code = link_code(&house, &person.email).await;
    assert_eq!(
        asked(&person, "/auth/reset", json!({ "email": person.email, "code": code, "password": long }))
            .await
            .status,
        200
    );
    let login = async |password: &str| {
        asked(&person, "/auth/login", json!({ "email": person.email, "password": password })).await.status
    };
    assert_eq!(
        (login(&long).await, login(&format!("{}b", &long[..72])).await, login(&long[..72]).await),
        (200, 401, 401)
    );
}

#[tokio::test]
async fn n15_an_invitation_says_who_comes_and_as_what() {
    let house = house().await;
    let owner = house.owner().await;
    let email = format!("{}@acme.test", Uuid::new_v4().simple());
    assert_eq!(
        owner.post("/members/invite", json!({ "email": email, "roles": ["guest"] })).await.status,
        201
    );
    let code = link_code(&house, &email).await;
    let join = json!({ "code": code, "password": OTHER, "first_name": "Eve", "last_name": "E" });
    for (name, value) in [
        ("roles", json!(["owner"])),
        ("email", json!("other@acme.test")),
        ("organization_id", json!(Uuid::nil())),
    ] {
        let mut more = join.clone();
        more[name] = value;
        assert_eq!(asked(&house.stranger(), "/invitations/accept", more).await.status, 400, "{name}");
    }
    let joined = asked(&house.stranger(), "/invitations/accept", join.clone()).await;
    assert_eq!(joined.status, 200, "{}", joined.text());
    let eve = house.stranger().with_token(joined.json()["token"].as_str().unwrap());
    assert_eq!(eve.get("/me").await.json()["roles"], json!(["guest"]));
    assert_eq!(asked(&house.stranger(), "/invitations/accept", join).await.status, 400);
    assert_eq!(
        eve.post("/members/invite", json!({ "email": "x@acme.test", "roles": ["guest"] })).await.status,
        403
    );
}

#[tokio::test]
async fn n16_a_key_is_its_owners_and_works_where_he_says() {
    let house = house().await;
    let owner = house.owner().await;
    let bob = house.colleague(&owner, &["manager"]).await;
    let new = json!({ "name": "key", "scopes": ["parties.parties:read"], "allowed_ips": ["10.0.0.0/8", "2001:db8::7"] });
    let made = bob.post("/auth/tokens", new).await.json();
    let (id, token) = (testkit::id(&made), made["token"].as_str().unwrap());
    assert!(!owner.get("/auth/tokens").await.text().contains(&id.to_string()));
    assert!(!bob.get("/auth/tokens").await.text().contains(token));
    let seen = [
        owner.delete(&format!("/auth/tokens/{id}")).await,
        owner.delete(&format!("/auth/tokens/{}", Uuid::now_v7())).await,
    ];
    assert_eq!((seen[0].status, seen[0].same()), (404, seen[1].same()));
    let from = |ip: &str| Person { ip: ip.parse().unwrap(), ..bob.with_token(token) };
    for (ip, status) in [
        ("10.1.2.3", 200),
        ("2001:db8::7", 200),
        ("11.0.0.1", 403),
        ("2001:db8::8", 403),
        ("::ffff:10.0.0.1", 200),
    ] {
        assert_eq!(from(ip).get("/parties/parties").await.status, status, "{ip}");
    }
    assert_eq!(from("10.1.2.3").get("/sales/orders").await.status, 403);
    let wrong = bob
        .post("/auth/tokens", json!({ "name": "key", "scopes": ["*:*"], "allowed_ips": ["everywhere"] }))
        .await;
    assert_eq!(wrong.status, 422);
}

#[tokio::test]
async fn n17_nobody_is_there_from_the_start() {
    let house = house().await;
    for email in [
        "admin@localhost.test",
        "admin@fondaco.test",
        "owner@metasys.test",
        "admin@acme.com",
        "root@localhost.test",
    ] {
        for password in ["admin", "password123", "fondaco-demo", ""] {
            let answer =
                asked(&house.stranger(), "/auth/login", json!({ "email": email, "password": password }))
                    .await;
            assert!(matches!(answer.status, 401 | 429), "{email}: {}", answer.text());
        }
    }
}

/// N20: where somebody goes after signing in is nothing that the server is told.
#[tokio::test]
async fn n20_nobody_is_sent_elsewhere() {
    let house = house().await;
    let owner = house.owner().await;
    for path in [
        "//login?redirect=//evil.test",
        "//login?redirect=%5Cevil.test",
        "///evil.test/",
        "//%2f%2fevil.test",
        "//login?next=javascript:alert(1)",
    ] {
        let answer = owner.get(path).await;
        assert!(
            answer.status / 100 != 3 && answer.header("location").is_empty(),
            "{path}: {}",
            answer.status
        );
    }
    let body = json!({ "email": owner.email, "password": PASSWORD, "redirect": "//evil.test" });
    assert_eq!(asked(&owner, "/auth/login", body).await.status, 400);
}

/// L01: nobody takes more than a share, and who asks too often is told when to come back.
#[tokio::test]
async fn l01_who_asks_too_often_waits() {
    let house = house_with(|config| {
        config.requests = 20;
        config.requests_per_peer = 60;
    })
    .await;
    let owner = house.owner().await;
    let bob = house.colleague(&owner, &["manager"]).await;
    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(Person { ip: ip(), ..owner.clone() }.get("/me").await);
    }
    let late: Vec<&Answer> = answers.iter().filter(|a| a.status == 429).collect();
    assert!((1..=10).contains(&late.len()), "{}", late.len());
    for answer in late {
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(bob.get("/me").await.status, 200, "others go on");
    let guest = house.stranger();
    let mut refused = 0;
    for _ in 0..80 {
        refused += usize::from(guest.get("/me").await.status == 429);
    }
    assert!((1..=20).contains(&refused), "{refused}");
    assert_eq!(house.stranger().get("/me").await.status, 401, "other addresses go on");
}

/// N13: that only two are hashed at once, crates/auth holds; here, that whoever is inside goes on meanwhile.
#[tokio::test]
async fn n13_a_crowd_at_the_door_waits_and_the_house_goes_on() {
    let house = house().await;
    let owner = house.owner().await;
    let mut crowd = tokio::task::JoinSet::new();
    for n in 0..40 {
        let somebody = house.stranger();
        crowd.spawn(async move {
            let email = format!("n{n}.{}@acme.test", Uuid::new_v4().simple());
            somebody
                .post("/auth/login", json!({ "email": email, "password": "wrong wrong wrong" }))
                .await
                .status
        });
    }
    let mut statuses = Vec::new();
    while let Some(status) = crowd.join_next().await {
        statuses.push(status.unwrap());
        assert_eq!(owner.get("/parties/parties").await.status, 200);
    }
    // Who waits too long is told to come again.
    assert!(statuses.contains(&401) && statuses.iter().all(|s| matches!(s, 401 | 429)), "{statuses:?}");
}

/// N19: a session that was found to be over stays over, even where the clock says otherwise later.
#[tokio::test]
async fn n19_what_has_ended_does_not_begin_again() {
    let house = house().await;
    let owner = house.owner().await;
    for over in [
        "expires_at = now() - interval '1 second'",
        "expires_at = now() + interval '1 day', last_seen_at = now() - interval '40 days'",
    ] {
        let late = house.signed_in(owner.clone()).await;
        let newest =
            "id = (select id from iam.sessions where user_id = $1 order by created_at desc, id desc limit 1)";
        let set = async |what: &str| {
            let sql = format!("update iam.sessions set {what} where {newest}");
            assert_eq!(house.scene.admin().execute(&sql, &[&owner.id]).await.unwrap(), 1);
        };
        set(over).await;
        assert_eq!(late.get("/me").await.status, 401, "{over}");
        // The clock goes back.
        set("expires_at = now() + interval '1 day', last_seen_at = now()").await;
        assert_eq!(late.get("/me").await.status, 401, "{over}");
        assert_eq!(late.post("/parties/parties", json!({ "name": "x" })).await.status, 401, "{over}");
    }
    assert_eq!(owner.get("/me").await.status, 200, "another session of the same person goes on");
}
