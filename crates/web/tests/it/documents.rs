//! Documents written together: nothing of anybody is lost, nothing gets in that may not be there, and only who may change
//! the record writes.

use crate::scene::{House, Person, house};
use base64::{Engine, engine::general_purpose::STANDARD};
use kernel::within;
use serde_json::{Value, json};
use testkit::id as id_of;
use tokio::task::JoinSet;
use uuid::Uuid;
use yrs::{
    Doc, GetString, ReadTxn, StateVector, Text, Transact, Update, Xml, XmlElementPrelim, XmlFragment, XmlOut,
    XmlTextPrelim,
    updates::{decoder::Decode, encoder::Encode},
};

/// A customer with a brief, by an owner; a colleague who may change only his own; one who reads; one of another company.
struct Desk {
    house: House,
    owner: Person,
    sally: Person,
    reader: Person,
    stranger: Person,
    party: Uuid,
}

async fn desk(text: &str) -> Desk {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    for who in [&owner, &stranger] {
        let field =
            json!({ "entity": "parties.parties", "name": "brief", "label": "Brief", "type": "richtext" });
        assert_eq!(who.post("/fields", field).await.status, 201);
    }
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let reader = house.colleague(&owner, &["employee"]).await;
    let party =
        id_of(&owner.post("/parties/parties", json!({ "name": "Wile", "cf.brief": text })).await.json());
    Desk { house, owner, sally, reader, stranger, party }
}

impl Desk {
    fn at(&self) -> String {
        format!("/docs/parties.parties/{}/cf.brief", self.party)
    }

    async fn words(&self) -> Value {
        self.owner.get(&format!("/parties/parties/{}", self.party)).await.json()["cf.brief"].clone()
    }

    async fn changes(&self) -> usize {
        let told = self.owner.get(&format!("/parties/parties/{}/_history", self.party)).await.json();
        told["data"].as_array().unwrap().len()
    }

    /// As if the words had been put into the record long ago.
    async fn rested(&self) {
        let of = self.owner.organization;
        let sql = format!(
            "update social.documents set written_at = written_at - interval '1 hour' where organization_id = '{of}'"
        );
        self.house.behind(&sql).await;
    }
}

/// An editor that somebody has open.
struct Editor<'a> {
    doc: Doc,
    desk: &'a Desk,
    who: &'a Person,
    known: StateVector,
}

impl<'a> Editor<'a> {
    async fn open(desk: &'a Desk, who: &'a Person) -> Editor<'a> {
        let mut editor = Editor { doc: Doc::new(), desk, who, known: StateVector::default() };
        editor.doc.get_or_insert_xml_fragment("default");
        assert_eq!(editor.sync(false).await, 200);
        editor
    }

    async fn sync(&mut self, gives: bool) -> u16 {
        let vector = STANDARD.encode(self.doc.transact().state_vector().encode_v1());
        let mut body = json!({ "vector": vector });
        if gives {
            let update = self.doc.transact().encode_state_as_update_v1(&self.known);
            body["update"] = json!(STANDARD.encode(update));
        }
        let answer = self.who.post(&self.desk.at(), body).await;
        if answer.status == 200 {
            let answer = answer.json();
            let of = |name: &str| STANDARD.decode(answer[name].as_str().unwrap()).unwrap();
            self.doc.transact_mut().apply_update(Update::decode_v1(&of("update")).unwrap()).unwrap();
            self.known = StateVector::decode_v1(&of("vector")).unwrap();
        }
        answer.status
    }

    /// Adds to the words of the first paragraph.
    fn types(&self, words: &str) {
        let root = self.doc.get_or_insert_xml_fragment("default");
        let mut txn = self.doc.transact_mut();
        let Some(XmlOut::Element(first)) = root.get(&txn, 0) else { panic!("no paragraph") };
        let Some(XmlOut::Text(text)) = first.get(&txn, 0) else { panic!("no words") };
        text.push(&mut txn, words);
    }

    fn shown(&self) -> String {
        let root = self.doc.get_or_insert_xml_fragment("default");
        root.get_string(&self.doc.transact())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_type_at_once_is_all_there() {
    let desk = desk("Once").await;
    let mut writers = JoinSet::new();
    let desk = std::sync::Arc::new(desk);
    for n in 0..6 {
        let desk = desk.clone();
        writers.spawn(async move {
            let mut editor = Editor::open(&desk, &desk.owner).await;
            for k in 0..8 {
                editor.types(&format!(" <{n}.{k}>"));
                assert_eq!(editor.sync(true).await, 200);
            }
        });
    }
    writers.join_all().await;
    let last = Editor::open(&desk, &desk.reader).await;
    for word in (0..6).flat_map(|n| (0..8).map(move |k| format!("<{n}.{k}>"))) {
        assert_eq!(last.shown().matches(&word).count(), 1, "{word} in {}", last.shown());
    }
    // One line when they began; the rest waits for the job, which is one.
    assert_eq!(desk.changes().await, 2, "made, and begun");
    let waiting = "select count(*) from app.jobs where organization_id = $1 and kind = 'records.document' and status = 'queued'";
    let row = desk.house.scene.admin().query_one(waiting, &[&desk.owner.organization]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 1);
    let document = "select id from social.documents where organization_id = $1";
    let document: Uuid =
        desk.house.scene.admin().query_one(document, &[&desk.owner.organization]).await.unwrap().get(0);
    let actor =
        desk.house.auth().actor_of(desk.owner.organization, desk.owner.id, Uuid::now_v7()).await.unwrap();
    within!(desk.house.scene.store, &actor, tx => records::docs::settle(&tx, document).await).unwrap();
    assert_eq!(desk.changes().await, 3);
    assert!(desk.words().await.as_str().unwrap().contains("<5.7>"));
}

#[tokio::test]
async fn who_may_only_read_sees_it_and_does_not_write() {
    let desk = desk("Once").await;
    let mut owner = Editor::open(&desk, &desk.owner).await;
    for who in [&desk.reader, &desk.sally] {
        let mut reads = Editor::open(&desk, who).await;
        let answer = who.post(&desk.at(), json!({ "vector": "AA==" })).await.json();
        assert_eq!(answer["access"], "read");
        reads.types(" forged");
        assert_eq!(reads.sync(true).await, 403);
        owner.types(" more");
        assert_eq!(owner.sync(true).await, 200);
        let again = Editor::open(&desk, who).await;
        assert!(again.shown().contains("more") && !again.shown().contains("forged"));
    }
    assert!(!desk.words().await.as_str().unwrap().contains("forged"));
    // Of another company, of no such field, of a field that is none of formatted text.
    for at in [desk.at(), desk.at().replace("cf.brief", "cf.other"), desk.at().replace("cf.brief", "name")] {
        let who = if at == desk.at() { &desk.stranger } else { &desk.owner };
        for answer in [who.post(&at, json!({ "vector": "AA==" })).await, who.get(&at).await] {
            assert_eq!(answer.status, 404, "{at}: {}", answer.text());
        }
    }
    // A field that is hidden from somebody.
    let roles = desk.owner.get("/roles").await.json();
    let role = roles["data"].as_array().unwrap().iter().find(|r| r["name"] == "employee").unwrap();
    let hidden = json!({ "fields": { "parties.parties": { "cf.brief": "none" } } });
    let at = format!("/roles/{}", role["id"].as_str().unwrap());
    assert_eq!(desk.owner.patch(&at, hidden).await.status, 200);
    assert_eq!(desk.reader.post(&desk.at(), json!({ "vector": "AA==" })).await.status, 404);
    assert_eq!(desk.reader.get(&desk.at()).await.status, 404);
    let here = |caret: &str| json!({ "entity": "parties.parties", "record": desk.party, "window": Uuid::now_v7(), "field": "cf.brief", "caret": caret });
    assert_eq!(desk.owner.post("/presence", here("{}")).await.status, 200);
    assert_eq!(desk.owner.post("/presence", here(&"x".repeat(601))).await.status, 400);
    let seen = desk
        .reader
        .post(
            "/presence",
            json!({ "entity": "parties.parties", "record": desk.party, "window": Uuid::now_v7() }),
        )
        .await
        .json();
    let owners = seen["data"].as_array().unwrap().iter().find(|h| h["id"] == json!(desk.owner.id)).unwrap();
    assert_eq!((&owners["field"], &owners["caret"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_change_by_the_form_and_what_is_being_typed_are_both_there() {
    let desk = desk("One\n\nTwo\n\nThree").await;
    let mut editor = Editor::open(&desk, &desk.owner).await;
    editor.types("!");
    assert_eq!(editor.sync(true).await, 200);
    assert_eq!(desk.words().await, "One!\n\nTwo\n\nThree", "who begins is heard at once");
    editor.types("!");
    assert_eq!(editor.sync(true).await, 200);
    assert_eq!(desk.words().await, "One!\n\nTwo\n\nThree", "then a while later");
    let at = format!("/parties/parties/{}", desk.party);
    let changed = desk.owner.patch(&at, json!({ "cf.brief": "One!\n\n2\n\nThree" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(editor.sync(false).await, 200);
    assert!(
        editor.shown().contains("One!!") && editor.shown().contains('2') && !editor.shown().contains("Two")
    );
    desk.rested().await;
    editor.types("?");
    assert_eq!(editor.sync(true).await, 200);
    assert_eq!(desk.words().await, "One!!?\n\n2\n\nThree");
    let file = desk.owner.get(&format!("{}?format=html", desk.at())).await;
    assert!(
        file.text().contains("<p>One!!?</p>") && file.header("content-disposition").contains("attachment")
    );
    assert_eq!(desk.owner.get(&format!("{}?format=exe", desk.at())).await.status, 400);
}

#[tokio::test]
async fn what_may_not_be_in_a_document_does_not_get_in() {
    let desk = desk("Once").await;
    let send = async |update: Vec<u8>| {
        let update = STANDARD.encode(update);
        desk.owner.post(&desk.at(), json!({ "vector": "AA==", "update": update })).await
    };
    type Attack = fn(&mut yrs::TransactionMut, &yrs::XmlFragmentRef);
    let attacks: [Attack; 4] = [
        |t, root| {
            root.push_back(t, XmlElementPrelim::empty("script"));
        },
        |t, root| {
            let table = root.push_back(t, XmlElementPrelim::empty("linkedTable"));
            table.insert_attribute(t, "href", "javascript:alert(1)");
        },
        |t, root| {
            let text =
                root.push_back(t, XmlElementPrelim::empty("paragraph")).push_back(t, XmlTextPrelim::new(""));
            let to =
                std::collections::HashMap::from([("href".to_owned(), yrs::Any::from("javascript:alert(1)"))]);
            text.insert_with_attributes(t, 0, "x", [("link".into(), yrs::Any::from(to))].into());
        },
        |t, root| {
            let text =
                root.push_back(t, XmlElementPrelim::empty("paragraph")).push_back(t, XmlTextPrelim::new(""));
            text.push(t, &"long ".repeat(50_000));
        },
    ];
    for (n, attack) in attacks.into_iter().enumerate() {
        let editor = Editor::open(&desk, &desk.owner).await;
        let root = editor.doc.get_or_insert_xml_fragment("default");
        attack(&mut editor.doc.transact_mut(), &root);
        let update = editor.doc.transact().encode_state_as_update_v1(&editor.known);
        let answer = send(update).await;
        assert!([400, 422].contains(&answer.status), "{n}: {} {}", answer.status, answer.text());
    }
    // What stands on something that was never sent; what is no update at all; more than fits.
    let editor = Editor::open(&desk, &desk.owner).await;
    editor.types(" first");
    let between = editor.doc.transact().state_vector();
    editor.types(" second");
    let update = editor.doc.transact().encode_state_as_update_v1(&between);
    assert_eq!(send(update).await.status, 400);
    for noise in [vec![], vec![0xff; 64], b"<script>".to_vec(), (0..=255).cycle().take(4_000).collect()] {
        assert_eq!(send(noise).await.status, 400);
    }
    assert_eq!(send(vec![0; 1_100_000]).await.status, 422);
    assert_eq!(desk.words().await, "Once");
    let script = json!({ "cf.brief": "<script>alert(1)</script> [x](javascript:alert(1))" });
    assert_eq!(desk.owner.patch(&format!("/parties/parties/{}", desk.party), script).await.status, 200);
    let html = desk.owner.get(&format!("{}?format=html", desk.at())).await;
    assert!(
        !html.text().contains("<script") && !html.text().contains("href=\"javascript"),
        "{}",
        html.text()
    );
}
