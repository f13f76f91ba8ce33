//! The catalogue, as the people who work with it see it.

use serde_json::json;
use testkit::scene;

#[tokio::test]
async fn a_tax_is_as_high_as_the_day_says() {
    let s = scene(crate::ALL).await;
    let anna = s.person("Acme", "accountant").await;
    let rates = json!([{ "rate": "12", "valid_to": "2025-12-31" }, { "rate": "16", "valid_from": "2026-01-01" }]);
    let vat = anna
        .create("products.taxes", json!({ "code": "VAT", "name": "НДС", "tax_rates": rates }))
        .await
        .ok();
    for (on, rate) in [("2025-12-31", "12"), ("2026-01-01", "16"), ("1999-01-01", "12")] {
        let said =
            anna.call("products", "tax_rate", json!({ "tax": vat["id"], "on": on })).await.ok();
        assert_eq!(said["rate"], rate, "on {on}");
    }
    let again = json!({ "code": "VAT2", "name": "x", "tax_rates": [{ "rate": "5", "valid_to": "2026-06-30" }, { "rate": "6", "valid_from": "2026-06-30" }] });
    anna.create("products.taxes", again).await.refused("already has a rate for some of these days");
    let backwards = json!({ "code": "VAT3", "name": "x", "tax_rates": [{ "rate": "5", "valid_from": "2026-02-01", "valid_to": "2026-01-01" }] });
    anna.create("products.taxes", backwards).await.refused("cannot end before it starts");
    let gone = json!({ "code": "OLD", "name": "x", "tax_rates": [{ "rate": "5", "valid_to": "2020-01-01" }] });
    let gone = anna.create("products.taxes", gone).await.ok();
    let said = anna
        .call("products", "tax_rate", json!({ "tax": gone["id"], "on": "2026-01-01" }))
        .await
        .ok();
    assert_eq!(said["rate"], json!(null));
}

#[tokio::test]
async fn a_barcode_must_fit_its_check_digit() {
    let s = scene(crate::ALL).await;
    let mona = s.person("Acme", "manager").await;
    for (barcode, good) in [
        ("4006381333931", true),
        ("96385074", true),
        ("036000291452", true),
        ("00012345600012", true),
        ("4006381333932", false),
        ("12345", false),
    ] {
        let made =
            mona.create("products.products", json!({ "name": barcode, "barcode": barcode })).await;
        if good {
            assert_eq!(made.ok()["barcode"], barcode)
        } else {
            made.refused("This is not a barcode")
        }
    }
    mona.create("products.products", json!({ "name": "again", "barcode": "96385074" }))
        .await
        .refused("There is a product with this barcode already.");
}

#[tokio::test]
async fn categories_do_not_stand_in_themselves() {
    let s = scene(crate::ALL).await;
    let mona = s.person("Acme", "manager").await;
    let top = mona.create("products.categories", json!({ "name": "Food" })).await.ok();
    let mid = mona
        .create("products.categories", json!({ "name": "Drinks", "parent_id": top["id"] }))
        .await
        .ok();
    let low = mona
        .create("products.categories", json!({ "name": "Tea", "parent_id": mid["id"] }))
        .await
        .ok();
    for inside in [&top, &mid, &low] {
        mona.update("products.categories", &top, json!({ "parent_id": inside["id"] }))
            .await
            .refused("cannot stand inside itself");
    }
    mona.update("products.categories", &low, json!({ "parent_id": top["id"] })).await.ok();
}

#[tokio::test]
async fn services_and_bundles_have_no_stock() {
    let s = scene(crate::ALL).await;
    let mona = s.person("Acme", "manager").await;
    for (kind, stocked) in [
        ("product", true),
        ("material", true),
        ("manufactured", true),
        ("service", false),
        ("digital", false),
        ("bundle", false),
    ] {
        let made = mona
            .create(
                "products.products",
                json!({ "name": kind, "kind": kind, "price": "15", "cost": "10" }),
            )
            .await
            .ok();
        assert_eq!(
            (&made["is_stocked"], &made["markup_percent"]),
            (&json!(stocked), &json!("50")),
            "{kind}"
        );
    }
    mona.create("products.products", json!({ "name": "x", "min_stock": "10", "max_stock": "5" }))
        .await
        .refused("cannot be less than the least");
}

#[tokio::test]
async fn a_salesperson_reads_the_catalogue_and_no_more() {
    let s = scene(crate::ALL).await;
    let made = s
        .person("Acme", "manager")
        .await
        .create("products.products", json!({ "name": "Anvil" }))
        .await
        .ok();
    assert_eq!(made["sku"], "SKU-00001");
    let sally = s.person("Acme", "salesperson").await;
    sally.read("products.products", &made).await.ok();
    assert!(
        sally.update("products.products", &made, json!({ "price": "1" })).await.result().is_err()
    );
    s.person("Globex", "manager").await.read("products.products", &made).await.not_found();
}
