//! Letters that the program writes by itself: with their paper, in the language of whoever gets them, and by the rules.

use crate::scene::{House, Person, house_alone};
use serde_json::{Value, json};
use std::sync::Arc;

/// Workers as the server has them.
fn workers(house: &House) -> flow::Workers {
    let people = Arc::new(auth::Auth::new(house.scene.store.clone(), auth::Config::default()));
    let auth = people.clone();
    let actor_of: flow::ActorOf = Arc::new(move |organization, user, request| {
        let people = people.clone();
        Box::pin(async move { people.actor_of(organization, user, request).await })
    });
    let worker = web::jobs_api::register(flow::Worker::new(house.scene.store.clone(), actor_of));
    web::print::register(worker, auth, house.state.files.clone()).start()
}

/// A new day, and all that it brings is done.
async fn day(house: &House, workers: &flow::Workers, who: &Person) {
    kernel::system!(house.scene.store, tx => {
        tx.execute("select app.daily($1)", &[&who.organization]).await?;
        Ok(())
    })
    .unwrap();
    settled(house, workers).await;
}

async fn settled(house: &House, workers: &flow::Workers) {
    for _ in 0..500 {
        workers.wake();
        if house
            .scene
            .strings("select kind from app.jobs where status in ('queued', 'running')", &[])
            .await
            .is_empty()
        {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let failed = house
        .scene
        .strings("select concat(kind, ': ', error) from app.jobs where status <> 'done'", &[])
        .await;
    assert_eq!(failed, [""; 0]);
}

/// Subject, the paper's name, and how its bytes begin.
async fn mails(house: &House, to: &str) -> Vec<String> {
    let sql = "select concat_ws(' | ', split_part(subject, ' · ', 1), attachments -> 0 ->> 'name', left(attachments -> 0 ->> 'base64', 5)) from app.mails where recipient = $1 order by created_at, id";
    house.scene.strings(sql, &[&to]).await
}

#[tokio::test]
async fn letters_of_the_day_have_their_paper_and_wait_where_a_rule_says_so() {
    let house = house_alone().await;
    let workers = workers(&house);
    let owner = house.owner().await;
    let boss = house.colleague(&owner, &["admin"]).await;
    let today = jiff::Zoned::now().date();
    let party = json!({ "name": "Канат", "email": "buyer@rope.test", "language": "ru", "is_customer": true });
    let party = owner.post("/parties/parties", party).await.json()["id"].clone();
    let recurring = async |title: &str| {
        let body = json!({ "party_id": party, "title": title, "starts_on": today.to_string(), "send_at_once": true, "lines": [{ "name": "Rent", "price": "100" }] });
        let made = owner.post("/receivables/recurring_invoices", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
    };
    recurring("Rent").await;
    day(&house, &workers, &owner).await;
    assert_eq!(mails(&house, "buyer@rope.test").await, ["INV-00001 | Регулярный INV-00001.pdf | JVBER"]);
    day(&house, &workers, &owner).await;
    assert_eq!(mails(&house, "buyer@rope.test").await.len(), 1, "once");

    // Where invoices wait for approval, those of the program do too; the letter goes when it is given.
    let rule = json!({ "name": "All", "entity": "finance.invoices", "action": "post", "levels": [{ "people": [boss.id] }] });
    assert_eq!(owner.post("/approval-rules", rule).await.status, 201);
    recurring("More").await;
    day(&house, &workers, &owner).await;
    let drafts = owner.get("/finance/invoices?status=draft").await.json();
    assert_eq!(
        (drafts["data"].as_array().map(Vec::len), mails(&house, "buyer@rope.test").await.len()),
        (Some(1), 1)
    );
    let asked =
        house.scene.strings("select id::text from app.approval_requests where status = 'pending'", &[]).await;
    let decision = json!({ "decision": "approve" });
    let decided = boss.post(&format!("/approvals/{}/decide", asked[0]), decision).await;
    assert_eq!(decided.status, 200, "{}", decided.text());
    settled(&house, &workers).await;
    assert_eq!(mails(&house, "buyer@rope.test").await[1..], ["INV-00002 | Регулярный INV-00002.pdf | JVBER"]);

    // A dunning letter as well.
    let level =
        json!({ "position": 1, "name": "Напоминание", "days_overdue": 1, "text_en": "Please pay {amount}." });
    owner.post("/receivables/dunning_levels", level).await;
    let late = today.checked_add(jiff::Span::new().days(60)).unwrap().to_string();
    let letters = owner.post("/receivables/_call/dun", json!({ "as_of": late })).await.json();
    let letter: &Value = &letters["letters"][0];
    let sent = owner
        .post(&format!("/receivables/dunning_letters/{}/send", letter.as_str().unwrap()), json!({}))
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    settled(&house, &workers).await;
    let mail = mails(&house, "buyer@rope.test").await.pop().unwrap();
    assert!(mail.starts_with("Напоминание | ") && mail.ends_with(".pdf | JVBER"), "{mail}");
}
