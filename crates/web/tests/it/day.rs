//! A sales team's day over HTTP: deal, payment with its receipt, rejected, submitted again, verified, receipt, commission,
//! payout.

use crate::scene::{Person, house};
use serde_json::{Value, json};

pub(crate) const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0xf8, 0xff,
    0xff, 0xff, 0x7f, 0, 9, 0xfb, 3, 0xfd, 5, 0x43, 0x45, 0xca, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae,
    0x42, 0x60, 0x82,
];

async fn done(who: &Person, at: &str, body: Value) -> Value {
    let answer = who.post(at, body).await;
    assert!(answer.status < 300, "{at}: {}", answer.text());
    answer.json()
}

async fn refused(who: &Person, at: &str, body: Value, why: &str) {
    let answer = who.post(at, body).await;
    assert!(answer.status == 422 && answer.text().contains(why), "{at}: {} {}", answer.status, answer.text());
}

async fn one(who: &Person, at: &str) -> Value {
    who.get(at).await.json()["data"][0].clone()
}

fn at(entity: &str, record: &Value) -> String {
    format!("/{entity}/{}", record["id"].as_str().unwrap())
}

/// By hand, DEFINITIONS 15: 2,240 with 12 % tax in it are 2,000 without; 5 % of the first 1,000 are 50, 7 % of the other
/// 1,000 are 70, together 120. Of it 1,120 go back, which is half: 60. What is paid out is 60.
#[tokio::test]
async fn from_the_deal_to_the_payout() {
    let house = house().await;
    let owner = house.owner().await;
    let (sally, vera) =
        (house.colleague(&owner, &["salesperson"]).await, house.colleague(&owner, &["verifier"]).await);
    let (mona, anna) =
        (house.colleague(&owner, &["manager"]).await, house.colleague(&owner, &["accountant"]).await);
    for (key, value) in
        [("crm.pipeline", json!("direct")), ("finance.payments_need_verification", json!(true))]
    {
        let set = owner
            .send(
                "PUT",
                &format!("/settings/{key}"),
                Some(json!({ "scope": "organization", "value": value })),
                &[],
            )
            .await;
        assert!(set.status < 300, "{}", set.text());
    }
    let steps = json!([{ "from_amount": "0", "rate": "5" }, { "from_amount": "1000", "rate": "7" }]);
    let policy = json!({ "code": "STEPS", "name": "Steps", "method": "marginal", "tiers": steps });
    let policy = done(&mona, "/commissions/commission_policies", policy).await;
    done(&mona, &format!("{}/activate", at("commissions/commission_policies", &policy)), json!({})).await;

    let client = done(&sally, "/parties/parties", json!({ "name": "Nimbus", "is_customer": true })).await;
    let lines = json!([{ "name": "Plan", "price": "2000", "tax_rate": "12" }]);
    let deal = done(&sally, "/crm/deals", json!({ "customer_id": client["id"], "lines": lines })).await;
    assert_eq!(
        (&deal["number"], &deal["stage"], &deal["payment_status"]),
        (&json!("DLID0001"), &json!("WON"), &json!("none"))
    );
    assert_eq!(
        house.colleague(&owner, &["salesperson"]).await.get(&at("crm/deals", &deal)).await.status,
        404
    );

    let paid =
        json!({ "amount": "2240", "method": "CHECK", "cheque_number": "004417", "transaction_id": "T-1" });
    let paid = done(&sally, &format!("{}/pay", at("crm/deals", &deal)), paid).await;
    let payment = at("finance/payments", &paid["_made"]);
    refused(&sally, &format!("{payment}/submit"), json!({}), "Attach the receipt first.").await;
    let record = format!("/files?entity=finance.payments&record={}", paid["_made"]["id"].as_str().unwrap());
    let sent = sally.raw("POST", &record, PNG.to_vec(), &[("x-file-name", "receipt.png")]).await;
    assert_eq!(sent.status, 201, "{}", sent.text());
    done(&sally, &format!("{payment}/submit"), json!({})).await;
    // Not by herself, not by whoever has all rights but entered it, not in bulk, not by writing the state.
    assert_eq!(sally.post(&format!("{payment}/verify"), json!({})).await.status, 403);
    let ids = json!([paid["_made"]["id"]]);
    assert_eq!(
        sally.post("/finance/payments/_bulk", json!({ "ids": ids, "action": "verify" })).await.status,
        403
    );
    house
        .auth()
        .add_member_with_roles(owner.organization, sally.id, &["owner".into()], uuid::Uuid::now_v7())
        .await
        .unwrap();
    let no = "Whoever entered, changed or submitted a payment does not verify it.";
    refused(&sally, &format!("{payment}/verify"), json!({}), no).await;
    let bulk = done(&sally, "/finance/payments/_bulk", json!({ "ids": ids, "action": "verify" })).await;
    assert_eq!((&bulk["done"], &bulk["failed"][0]["message"]), (&json!(0), &json!(no)));
    house
        .auth()
        .add_member_with_roles(owner.organization, sally.id, &["salesperson".into()], uuid::Uuid::now_v7())
        .await
        .unwrap();
    let etag = owner.get(&payment).await.header("etag").to_owned();
    let forged = json!({ "status": "completed", "verified_by": owner.id });
    assert_eq!(owner.send("PATCH", &payment, Some(forged), &[("if-match", &etag)]).await.status, 400);

    done(&vera, &format!("{payment}/reject"), json!({ "reason": "unreadable" })).await;
    assert_eq!(sally.get(&at("crm/deals", &deal)).await.json()["verification_status"], "rejected");
    assert!(sally.get("/notifications").await.text().contains("was rejected"));
    done(&sally, &format!("{payment}/submit"), json!({})).await;
    let verified = done(&vera, &format!("{payment}/verify"), json!({})).await;
    assert_eq!(
        (&verified["verification_status"], &verified["verified_by"]),
        (&json!("verified"), &json!(vera.id))
    );

    let deal = sally.get(&at("crm/deals", &deal)).await.json();
    assert_eq!((&deal["payment_status"], &deal["verification_status"]), (&json!("paid"), &json!("verified")));
    let receipt = one(&sally, "/finance/invoices?kind=RECEIPT").await;
    assert_eq!((&receipt["number"], &receipt["gross"]), (&json!("RC-00001"), &json!("2240.00")));
    let paper = sally.get(&format!("{}/_print", at("finance/invoices", &receipt))).await;
    assert!(paper.bytes.starts_with(b"%PDF"), "{} {}", paper.status, paper.text());
    let commission = one(&sally, "/commissions/commissions").await;
    assert_eq!(commission["commission_amount"], "120.00");
    let trace = sally.get(&at("commissions/commissions", &commission)).await.json()["trace"].clone();
    let steps: Vec<&Value> =
        trace["steps"].as_array().unwrap().iter().filter(|s| s["step"] == "tier").collect();
    assert_eq!((&steps[0]["result"], &steps[1]["result"], steps.len()), (&json!("50"), &json!("70"), 2));
    assert_eq!(one(&sally, "/gamification/daily_streaks").await["streak_count"], 1);

    let back = json!({ "amount": "1120", "reversal": "chargeback", "reason": "the bank took it back" });
    let back = done(&anna, &format!("{payment}/reverse"), back).await;
    done(&vera, &format!("{}/verify", at("finance/payments", &back["_made"])), json!({})).await;
    assert_eq!(sally.get(&at("crm/deals", &deal)).await.json()["payment_status"], "partial");
    let commission = at("commissions/commissions", &commission);
    assert_eq!(sally.post(&format!("{commission}/approve"), json!({})).await.status, 403);
    done(&mona, &format!("{commission}/approve"), json!({})).await;
    let run = done(&anna, "/commissions/_call/settle", json!({})).await;
    let settlement = at("commissions/commission_payments", &run["made"][0]);
    let out = done(&anna, &format!("{settlement}/pay"), json!({})).await;
    assert_eq!((&out["status"], &out["final_amount"]), (&json!("paid"), &json!("60.00")));
    assert_eq!(sally.get(&commission).await.json()["status"], "paid");
    // Everything that happened stands in the history of the payment, with who did it.
    let told = owner
        .get(&format!("/audit?entity=finance.payments&record={}", paid["_made"]["id"].as_str().unwrap()))
        .await
        .text();
    assert!(told.contains("rejected") && told.contains(&vera.id.to_string()), "{told}");
    for module in ["crm", "finance", "commissions", "gamification"] {
        let sql = format!("select wrong from {module}.verify() where organization_id = $1");
        assert_eq!(house.scene.strings(&sql, &[&owner.organization]).await, [""; 0], "{module}");
    }
}
