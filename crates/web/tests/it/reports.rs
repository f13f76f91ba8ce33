//! Reports over HTTP: who sees which, what they are asked, and as files.

use crate::scene::house;
use serde_json::{Value, json};

fn names(meta: &Value) -> Vec<String> {
    let homes = meta["reports"].as_array().unwrap().iter();
    homes
        .flat_map(|h| {
            let module = h["module"].as_str().unwrap();
            h["reports"]
                .as_array()
                .unwrap()
                .iter()
                .map(move |r| format!("{module}.{}", r["name"].as_str().unwrap()))
        })
        .collect()
}

#[tokio::test]
async fn reports_are_told_to_those_who_may_see_them_in_their_language() {
    let house = house().await;
    let owner = house.owner().await;
    let sally = house.colleague(&owner, &["salesperson"]).await;
    let all = names(&owner.get("/meta").await.json());
    assert!(
        all.contains(&"ledger.balance_sheet".into()) && all.contains(&"finance.invoice_aging".into()),
        "{all:?}"
    );
    let hers = names(&sally.get("/meta").await.json());
    assert!(!hers.iter().any(|r| r == "ledger.balance_sheet"), "{hers:?}");
    assert_eq!(sally.get("/reports/ledger/balance_sheet").await.status, 403, "nor by its address");
    let said = owner.send("GET", "/meta", None, &[("accept-language", "kk")]).await.json();
    let ledger =
        said["reports"].as_array().unwrap().iter().find(|h| h["module"] == "ledger").unwrap().clone();
    assert_eq!(
        (&ledger["words"]["net"], &ledger["reports"][2]["label"]),
        (&json!("Таза пайда"), &json!("Баланс"))
    );
}

#[tokio::test]
async fn a_report_is_what_its_address_says_and_a_file_of_the_same() {
    let house = house().await;
    let (owner, stranger) = (house.owner().await, house.owner().await);
    let party = owner.post("/parties/parties", json!({ "name": "=cmd()" })).await.json()["id"].clone();
    let line = json!({ "name": "x", "price": "100", "tax_rate": "20" });
    let invoice = json!({ "party_id": party, "issued_on": "2026-03-05", "lines": [line] });
    let invoice = owner.post("/finance/invoices", invoice).await.json();
    let at = format!("/finance/invoices/{}/post", invoice["id"].as_str().unwrap());
    assert_eq!(
        owner
            .send("POST", &at, Some(json!({})), &[("if-match", &format!("\"{}\"", invoice["version"]))])
            .await
            .status,
        200
    );

    let march = "from=2026-03-01&to=2026-03-31";
    let told = owner.get(&format!("/reports/ledger/profit_and_loss?{march}")).await.json();
    assert_eq!(
        (&told["rows"][0]["word"], &told["rows"][0]["role"]),
        (&json!("revenue"), &json!("group")),
        "{told}"
    );
    let account = told["rows"][1]["account_id"].as_str().unwrap();
    let lines =
        owner.get(&format!("/reports/ledger/general_ledger?account_id={account}&{march}")).await.json();
    assert_eq!(
        (&lines["rows"][1]["source"], &lines["rows"][1]["source_id"]),
        (&json!("finance.invoices"), &invoice["id"])
    );
    // Another's account is like one that nobody has.
    let theirs =
        stranger.get(&format!("/reports/ledger/general_ledger?account_id={account}&{march}")).await.json();
    assert_eq!((&theirs["rows"], &theirs["about"]), (&json!([]), &json!(null)));
    assert_eq!(
        stranger.get(&format!("/reports/ledger/profit_and_loss?{march}")).await.json()["rows"],
        json!([])
    );

    let csv = owner.get(&format!("/reports/ledger/profit_and_loss?{march}&format=csv&language=ru")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        csv.header("content-disposition").contains("attachment"),
        "{}",
        csv.header("content-disposition")
    );
    let text = csv.text();
    assert!(text.starts_with("\u{feff}Счёт,Сумма\r\nВыручка,100"), "{text}");
    let aging =
        owner.get("/reports/finance/invoice_aging?as_of=2026-05-31&buckets=30,60&format=csv").await.text();
    assert!(aging.contains("\r\n'=cmd(),"), "no formula: {aging}");
    assert!(aging.contains("1–30,31–60,> 60"), "{aging}");
    let xlsx = owner.get(&format!("/reports/ledger/trial_balance?{march}&format=xlsx")).await;
    assert_eq!((xlsx.status, &xlsx.bytes[..2]), (200, b"PK".as_slice()));

    for (wrong, status) in [
        ("/reports/ledger/profit_and_loss?form=2026-01-01", 400),
        ("/reports/ledger/profit_and_loss?from=yesterday", 422),
        ("/reports/ledger/general_ledger?account_id=x", 400),
        ("/reports/ledger/general_ledger?skip=many", 400),
        ("/reports/ledger/profit_and_loss?format=pdf", 400),
        ("/reports/ledger/import_rates", 404),
        ("/reports/ledger/nothing", 404),
        ("/reports/nothing/profit_and_loss", 404),
    ] {
        let said = owner.get(wrong).await;
        assert_eq!(said.status, status, "{wrong}: {}", said.text());
    }
}
