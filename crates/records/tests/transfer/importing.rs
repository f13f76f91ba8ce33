//! Rows that come in, rows that do not, and rows that go again.

use super::{all, all_right, bring, counts, file, id_of, null, scene, try_bring, undo};
use records::import::{self, Mode};
use serde_json::{Value, json};

const CATEGORIES: &str =
    "code,name,description\nA,Beverages,Soft drinks\nB,Condiments,\nC,\"Grains, cereals\",Breads\n";

#[tokio::test]
async fn the_mapping_is_guessed_from_the_names() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let catalog = owner.store.catalog().clone();
    let guess = |entity: &'static str, text: &'static str| {
        let (owner, catalog) = (&owner, &catalog);
        async move {
            let file = file(text);
            let import = import::begin(
                &owner.store,
                &owner.actor,
                catalog.entity(entity).unwrap(),
                None,
                file.path(),
                "x.csv",
            )
            .await
            .unwrap();
            import["mapping"].clone()
        }
    };
    let got = guess(
        "products.products",
        "product_id,Product Name,categoryId,unit price,supplier,Whatever\n1,Chai,2,18,Exotic,x\n",
    )
    .await;
    assert_eq!(
        got,
        json!({ "product_id": "sku", "Product Name": "name", "categoryId": "category_id", "unit price": "price", "supplier": "supplier_id", "Whatever": null })
    );
    let got = guess(
        "parties.parties",
        "Код;Наименование;Телефон;E-mail;БИН\n1;ТОО Ромашка;+7 701 000 00 00;a@b.kz;\n",
    )
    .await;
    assert_eq!(
        got,
        json!({ "Код": "code", "Наименование": "name", "Телефон": "phone", "E-mail": "email", "БИН": "bin" })
    );
    let got = guess("sales.order_lines", "order_number,product_sku,qty,price\n1,2,3,4\n").await;
    assert_eq!(
        got,
        json!({ "order_number": "order.number", "product_sku": "product.sku", "qty": "quantity", "price": "price" })
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_row_by_row_and_the_rest_comes_in() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    all_right(&bring(&owner, "products.categories", file(CATEGORIES).path(), null(), None).await, 3);
    let products = "sku,name,category,price,kind\n\
        1,Chai,Beverages,18,product\n\
        2,,A,19,product\n\
        3,Syrup,Nonsense,10,product\n\
        4,Salt,B,ten,product\n\
        5,Sugar,B,-1,product\n\
        1,Chai again,A,1,product\n\
        7,Oats,\"Grains, cereals\",1.50,thing\n\
        8,Rye,c,1,Product\n\
        9,Wheat,C,1,,more\n\
        10,Rice,,\"1 234,56\",\n";
    let path = file(products);
    let expected = [
        (3, Some("name"), "This is required."),
        (4, Some("category_id"), "There is no category Nonsense."),
        (5, Some("price"), "This is not a number."),
        (6, Some("price"), "A price cannot be negative."),
        (7, Some("sku"), "There is a product with this article number already."),
        (8, Some("kind"), "Choose one of: product, material, service, manufactured, bundle, digital."),
        (9, Some("category_id"), "There is no category c."),
        (10, None, "This row has more cells than there are columns."),
    ];
    for mode in [Mode::Check, Mode::Run] {
        let import = try_bring(&owner, "products.products", path.path(), null(), None, mode).await.unwrap();
        assert_eq!(counts(&import), [2, 0, 0, 8], "{}", import["errors"]);
        let told: Vec<(u64, Option<&str>, &str)> = import["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e["row"].as_u64().unwrap(), e["field"].as_str(), e["message"].as_str().unwrap()))
            .collect();
        assert_eq!(told, expected);
        assert_eq!(
            all(&owner, "products.products", &[]).await.len(),
            if mode == Mode::Check { 0 } else { 2 }
        );
        let table =
            import::errors_csv(&owner.store, &owner.actor, id_of(&import), path.path()).await.unwrap();
        assert!(table.starts_with("sku,name,category,price,kind,Error\r\n"), "{table}");
        assert!(
            table.contains("\r\n3,Syrup,Nonsense,10,product,category_id: There is no category Nonsense.\r\n"),
            "{table}"
        );
        assert_eq!(table.lines().count(), 9, "a line for each wrong row, once");
    }
    let rice = &all(&owner, "products.products", &[("sku", "10")]).await[0];
    assert_eq!(
        (&rice["price"], &rice["kind"], &rice["category_id"]),
        (&json!("1234.56"), &json!("product"), &Value::Null)
    );
}

#[tokio::test]
async fn a_second_time_changes_only_what_differs() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    all_right(&bring(&owner, "products.categories", file(CATEGORIES).path(), null(), Some("code")).await, 3);
    let again = bring(&owner, "products.categories", file(CATEGORIES).path(), null(), Some("code")).await;
    assert_eq!(counts(&again), [0, 0, 3, 0], "{}", again["errors"]);
    let changed = format!("{}D,Dairy,\n", CATEGORIES.replace("Soft drinks", "Hard drinks"));
    for mode in [Mode::Check, Mode::Run] {
        let import =
            try_bring(&owner, "products.categories", file(&changed).path(), null(), Some("code"), mode)
                .await
                .unwrap();
        assert_eq!(counts(&import), [1, 1, 2, 0], "{}", import["errors"]);
    }
    let beverages = &all(&owner, "products.categories", &[("code", "A")]).await[0];
    assert_eq!((&beverages["description"], &beverages["version"]), (&json!("Hard drinks"), &json!(2)));
    // A row twice: the first makes, the second changes.
    let twice = "code,name\nZ,One\nZ,Two\nZ,Two\n";
    for mode in [Mode::Check, Mode::Run] {
        let import = try_bring(&owner, "products.categories", file(twice).path(), null(), Some("code"), mode)
            .await
            .unwrap();
        let expected = if mode == Mode::Run { [1, 1, 1, 0] } else { [1, 2, 0, 0] };
        assert_eq!(counts(&import), expected, "{}", import["errors"]);
    }
    // Numbers are compared as numbers, 3 digits rounded as the table rounds them.
    let parties = "code,name,rating,credit_limit\nP1,One,4.50,1000\nP2,Two,7.255,0.5\n";
    all_right(&bring(&owner, "parties.parties", file(parties).path(), null(), Some("code")).await, 2);
    let again = bring(
        &owner,
        "parties.parties",
        file(parties.replace("4.50", "4.5").replace("1000", "\"1 000,00\"")).path(),
        null(),
        Some("code"),
    )
    .await;
    assert_eq!(counts(&again), [0, 0, 2, 0], "{}", again["errors"]);
}

#[tokio::test]
async fn an_import_is_taken_back_and_leaves_nothing() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let first = bring(&owner, "products.categories", file(CATEGORIES).path(), null(), Some("code")).await;
    let changes = "code,name,description\nA,Drinks,Soft drinks\nB,Sauces,Sweet\nE,Extra,\n";
    let second = bring(&owner, "products.categories", file(changes).path(), null(), Some("code")).await;
    assert_eq!(counts(&second), [1, 2, 0, 0]);
    // Somebody goes on working with one of them.
    let drinks = all(&owner, "products.categories", &[("code", "A")]).await[0].clone();
    owner.update("products.categories", &drinks, json!({ "name": "All drinks" })).await.ok();
    assert_eq!(undo(&owner, &second).await.unwrap(), json!({ "deleted": 1, "restored": 1, "kept": 1 }));
    let left: Vec<Value> = all(&owner, "products.categories", &[("sort", "code")])
        .await
        .iter()
        .map(|c| json!([c["code"], c["name"], c["description"]]))
        .collect();
    assert_eq!(
        left,
        [
            json!(["A", "All drinks", "Soft drinks"]),
            json!(["B", "Condiments", null]),
            json!(["C", "Grains, cereals", "Breads"])
        ]
    );
    // What is in use stays, whoever uses it.
    let used =
        owner.create("products.products", json!({ "name": "Tea", "category_id": drinks["id"] })).await.ok();
    let refused = undo(&owner, &first).await.unwrap_err().to_string();
    assert_eq!(refused, "The categories that this import made are in use by 1 products.");
    owner.update("products.products", &used, json!({ "category_id": null })).await.ok();
    assert_eq!(undo(&owner, &first).await.unwrap()["deleted"], 3);
    assert!(all(&owner, "products.categories", &[]).await.is_empty());
    assert!(undo(&owner, &first).await.is_err());
}

#[tokio::test]
async fn records_of_one_file_may_name_each_other() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let tree = "code,name,parent\nC,Leaf,B\nA,Root,\nB,Branch,A\n";
    for mode in [Mode::Check, Mode::Run] {
        let import =
            try_bring(&owner, "products.categories", file(tree).path(), null(), None, mode).await.unwrap();
        assert_eq!(counts(&import), [3, 0, 0, 0], "{}", import["errors"]);
    }
    let leaf =
        &all(&owner, "products.categories", &[("code", "C"), ("fields", "parent.parent.code")]).await[0];
    assert_eq!(leaf["parent"]["parent"]["code"], "A");
    // Over the border of a batch, too.
    let many: String = (0..2_500)
        .map(|n| {
            format!("N{n},Name {n},{}\n", if n < 1_500 { String::new() } else { format!("N{}", n - 1_500) })
        })
        .collect();
    for mode in [Mode::Check, Mode::Run] {
        let import = try_bring(
            &owner,
            "products.categories",
            file(format!("code,name,parent\n{many}")).path(),
            null(),
            Some("code"),
            mode,
        )
        .await
        .unwrap();
        assert_eq!(counts(&import), [2_500, 0, 0, 0], "{}", import["errors"]);
    }
}

#[tokio::test]
async fn a_dry_run_knows_what_came_in_earlier_batches() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let many: String = (0..1_500).map(|n| format!("N{},Name {n}\n", n % 1_400)).collect();
    let path = file(format!("code,name\n{many}"));
    for mode in [Mode::Check, Mode::Run] {
        let import = try_bring(&owner, "products.categories", path.path(), null(), None, mode).await.unwrap();
        assert_eq!(counts(&import), [1_400, 0, 0, 100], "{}", import["errors"]);
    }
}

#[tokio::test]
async fn documents_of_the_past_come_in_with_their_lines() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    all_right(
        &bring(
            &owner,
            "parties.parties",
            file("code,name,is_customer\nALFKI,Alfreds,1\n").path(),
            null(),
            None,
        )
        .await,
        1,
    );
    all_right(
        &bring(&owner, "products.products", file("sku,name,price\n11,Queso,21\n").path(), null(), None).await,
        1,
    );
    let orders = json!([
        { "number": "10248", "customer": "ALFKI", "status": "delivered", "ordered_on": "1996-07-04",
          "lines": [{ "product": "11", "quantity": 2, "price": 14 }, { "product": { "sku": "11" }, "quantity": "1" }] },
        { "number": "10249", "customer": "NOBODY", "lines": [] },
        { "number": "10250", "customer": "ALFKI", "lines": [{ "product": "12", "quantity": 1 }] },
        { "number": "10251", "customer": "ALFKI", "lines": [{ "product": "11", "quantity": "none" }] }
    ]);
    let mapping = json!({ "number": "number", "customer": "customer.code", "status": "status", "ordered_on": "ordered_on",
        "items.product": "lines.product_id", "items.quantity": "lines.quantity", "items.price": "lines.price" });
    let path = file(orders.to_string().replace("\"lines\"", "\"items\""));
    let import = bring(&owner, "sales.orders", path.path(), mapping, Some("number")).await;
    let told: Vec<Value> = import["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| json!([e["row"], e["field"], e["message"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!([1, "lines.1.product_id", "This is the id of a record."]),
            json!([2, "customer_id", "There is no customer NOBODY."]),
            json!([3, "lines.0.product_id", "There is no product 12."]),
            json!([4, "lines.0.quantity", "This is not a number."]),
        ]
    );
    let good = orders.to_string().replace("{\"sku\":\"11\"}", "\"11\"");
    let import = bring(&owner, "sales.orders", file(good).path(), null(), None).await;
    assert_eq!(counts(&import), [1, 0, 0, 3], "{} {}", import["errors"], import["mapping"]);
    let order = &all(&owner, "sales.orders", &[("expand", "lines")]).await[0];
    assert_eq!(
        (&order["status"], &order["number"], order["lines"].as_array().unwrap().len()),
        (&json!("delivered"), &json!("10248"), 2)
    );
    let positions: Vec<&Value> = order["lines"].as_array().unwrap().iter().map(|l| &l["position"]).collect();
    assert_eq!(positions, [&json!(1), &json!(2)]);
    // What a person makes still starts at the start.
    let body = json!({ "customer_id": order["customer_id"], "status": "delivered" });
    owner.create("sales.orders", body).await.refused("Use an action");
}

#[tokio::test]
async fn a_flat_row_may_hold_a_part() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let mapping = json!({ "name": "name", "city": "addresses.city", "kind": { "field": "addresses.kind", "constant": "shipping" } });
    let import =
        bring(&owner, "parties.parties", file("name,city\nOne,Rome\nTwo,\n").path(), mapping, None).await;
    all_right(&import, 2);
    let parties = all(&owner, "parties.parties", &[("sort", "name"), ("expand", "addresses")]).await;
    assert_eq!(
        (&parties[0]["addresses"][0]["city"], &parties[0]["addresses"][0]["kind"]),
        (&json!("Rome"), &json!("shipping"))
    );
    assert_eq!(parties[1]["addresses"], json!([]));
    assert_eq!(undo(&owner, &import).await.unwrap()["deleted"], 3);
}

#[tokio::test]
async fn nobody_brings_in_more_than_he_may() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let stranger = s.person("Other", "owner").await;
    all_right(&bring(&owner, "products.categories", file(CATEGORIES).path(), null(), None).await, 3);
    // Another company's codes lead nowhere; nor does its import.
    let import =
        bring(&stranger, "products.products", file("sku,name,category\n1,Chai,A\n").path(), null(), None)
            .await;
    assert_eq!(import["errors"][0]["message"], "There is no category A.");
    let get = import::get(&owner.store, &owner.actor, id_of(&import)).await;
    assert!(matches!(get, Err(kernel::Error::NotFound)));
    // Who may only read may not import; who may, has imports of his own without any right to the imports of others.
    let role = |grants: &[(&str, &str)]| kernel::Role {
        name: "clerk".into(),
        permissions: grants
            .iter()
            .map(|(e, a)| ((*e).to_owned(), (*a).to_owned(), kernel::Scope::Own))
            .collect(),
        fields: vec![("products.categories".into(), "description".into(), kernel::FieldAccess::Read)],
        ..kernel::Role::default()
    };
    let reader = s.person_with("Acme", &[role(&[("products.categories", "read")])]).await;
    let refused =
        try_bring(&reader, "products.categories", file(CATEGORIES).path(), null(), None, Mode::Run).await;
    assert!(matches!(refused, Err(kernel::Error::Forbidden(_))));
    let clerk = s
        .person_with(
            "Acme",
            &[role(&[
                ("products.categories", "read"),
                ("products.categories", "create"),
                ("products.categories", "update"),
            ])],
        )
        .await;
    // A field that he may not write is not guessed, and refused when named.
    let own = bring(
        &clerk,
        "products.categories",
        file(CATEGORIES.replace("A,", "X,").replace("B,", "Y,").replace("C,", "Z,")).path(),
        null(),
        None,
    )
    .await;
    all_right(&own, 3);
    assert_eq!(own["mapping"]["description"], Value::Null);
    let refused = try_bring(
        &clerk,
        "products.categories",
        file(CATEGORIES).path(),
        json!({ "description": "description" }),
        None,
        Mode::Run,
    )
    .await;
    assert!(matches!(refused, Err(kernel::Error::Forbidden(_))));
    // A colleague's record with this code he does not even see: it is taken, not changed.
    let import =
        bring(&clerk, "products.categories", file("code,name\nA,Mine\n").path(), null(), Some("code")).await;
    assert_eq!(import["errors"][0]["message"], "There is a category with this code already.");
}

#[tokio::test]
async fn a_mapping_is_kept_for_the_next_file() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let catalog = owner.store.catalog().clone();
    let entity = catalog.entity("parties.parties").unwrap();
    let path = file("Kunde,Land,Rabatt\nAlfreds,Germany,0.15\nBlondel,France,\n");
    let begin = || async {
        import::begin(&owner.store, &owner.actor, entity, None, path.path(), "kunden.csv").await.unwrap()
    };
    let import = begin().await;
    assert_eq!(
        (&import["rows"], &import["columns"][1]["sample"], &import["format"]),
        (&json!(2), &json!(["Germany", "France"]), &json!("csv"))
    );
    let set = |mapping: Value| {
        let owner = &owner;
        let id = id_of(&import);
        async move {
            import::update_mapping(
                &owner.store,
                &owner.actor,
                id,
                &json!({ "mapping": mapping, "save_as": "Kunden" }),
            )
            .await
        }
    };
    let wrong =
        set(json!({ "Kunde": "nonsense", "Land": { "field": "country", "twist": 1 }, "None": "name" }))
            .await
            .unwrap_err()
            .to_string();
    assert_eq!(
        wrong,
        "mapping.Kunde: There is no field nonsense. mapping.Land: There is no twist in a mapping. mapping.None: The file has no such column."
    );
    let right = json!({ "Kunde": "name", "Land": { "field": "country", "values": { "Germany": "DE", "France": "FR" } },
        "Rabatt": { "field": "rating", "scale": "10", "default": 3 }, "every": { "field": "is_customer", "constant": true } });
    set(right.clone()).await.unwrap();
    let import =
        import::run(&owner.store, &owner.actor, id_of(&import), path.path(), &|_, _| {}).await.unwrap();
    all_right(&import, 2);
    let made: Vec<Value> = all(&owner, "parties.parties", &[("sort", "name")])
        .await
        .iter()
        .map(|p| json!([p["name"], p["country"], p["rating"], p["is_customer"]]))
        .collect();
    assert_eq!(made, [json!(["Alfreds", "DE", "1.5", true]), json!(["Blondel", "FR", "3", true])]);
    assert_eq!(begin().await["mapping"], right);
}

#[tokio::test]
async fn an_import_that_was_cut_short_goes_on() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let catalog = owner.store.catalog().clone();
    let many: String = (0..3_300).map(|n| format!("N{n},Name {n}\n")).collect();
    let path = file(format!("code,name\n{many}"));
    let entity = catalog.entity("products.categories").unwrap();
    let import = import::begin(&owner.store, &owner.actor, entity, None, path.path(), "x.csv").await.unwrap();
    let id = id_of(&import);
    // Cut off after the second batch.
    let cut = cut_short(&owner, id, path.path()).await;
    assert!(cut >= 1_000, "{cut}");
    let half = import::get(&owner.store, &owner.actor, id).await.unwrap();
    assert_eq!(half["status"], "running");
    assert!(half["done"].as_u64().unwrap() < 3_300);
    let import = import::run(&owner.store, &owner.actor, id, path.path(), &|_, _| {}).await.unwrap();
    all_right(&import, 3_300);
    assert_eq!(undo(&owner, &import).await.unwrap()["deleted"], 3_300);
}

/// Runs until a batch is done, and drops the work in the middle of the next.
async fn cut_short(owner: &testkit::Person, id: uuid::Uuid, path: &std::path::Path) -> u64 {
    let (told, mut heard) = tokio::sync::watch::channel(0);
    let progress = move |done, _| {
        told.send_replace(done);
    };
    tokio::select! {
        _ = import::run(&owner.store, &owner.actor, id, path, &progress) => {}
        _ = heard.wait_for(|done| *done > 0) => {}
    }
    *heard.borrow_and_update()
}

#[tokio::test]
async fn documents_of_the_past_are_taken_back_until_people_move_on_with_them() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let customers = file("code,name\nALFKI,Alfreds\n");
    all_right(&bring(&owner, "parties.parties", customers.path(), null(), Some("code")).await, 1);
    let orders = file(
        "number,customer,ordered_on,status,currency\nA1,ALFKI,1996-07-04,confirmed,USD\nA2,ALFKI,1996-07-05,delivered,USD\n",
    );
    let mapping = json!({ "number": "number", "customer": "customer.code", "ordered_on": "ordered_on", "status": "status", "currency": "currency" });
    let import = bring(&owner, "sales.orders", orders.path(), mapping.clone(), Some("number")).await;
    all_right(&import, 2);
    assert_eq!(undo(&owner, &import).await.unwrap()["deleted"], 2);

    let import = bring(&owner, "sales.orders", orders.path(), mapping, Some("number")).await;
    let order = all(&owner, "sales.orders", &[("number", "A1")]).await[0].clone();
    owner.act("sales.orders", &order, "cancel").await.ok();
    let refused = undo(&owner, &import).await.unwrap_err().to_string();
    assert_eq!(refused, "1 of the orders that this import made have moved on since.");
    assert_eq!(all(&owner, "sales.orders", &[]).await.len(), 2);
}

#[tokio::test]
async fn conditions_of_fields_hold_for_files_too() {
    let s = scene().await;
    let mut owner = s.person("Acme", "owner").await;
    let asks = |field: &str, value: &str| json!({ "field": field, "operator": "equals", "value": value });
    let field = |name: &str, [visible_when, required_when]: [Option<Value>; 2]| kernel::CustomField {
        name: name.into(),
        label: name.into(),
        visible_when,
        required_when,
        ..Default::default()
    };
    let fields = vec![
        field("shelf", [Some(asks("kind", "material")), None]),
        field("license", [None, Some(asks("kind", "digital"))]),
    ];
    let mut overlay = kernel::Overlay::default();
    overlay.fields.insert("products.products".into(), fields);
    owner.actor.overlay = std::sync::Arc::new(overlay);
    let rows = "sku,name,kind,cf.shelf,cf.license\n1,Chai,product,A,\n2,Salt,material,B,\n3,Font,digital,,\n4,Book,digital,C,MIT\n";
    let import = bring(&owner, "products.products", file(rows).path(), null(), None).await;
    assert_eq!(counts(&import), [3, 0, 0, 1], "{import}");
    assert_eq!(import["errors"][0]["row"], 4);
    assert_eq!(import["errors"][0]["field"], "cf.license");
    let own = async |sku: &str| {
        let row = &all(&owner, "products.products", &[("sku", sku)]).await[0];
        ["cf.shelf", "cf.license"].map(|name| row[name].clone())
    };
    assert_eq!(own("1").await, [Value::Null, Value::Null]);
    assert_eq!(own("2").await, [json!("B"), Value::Null]);
    assert_eq!(own("4").await, [Value::Null, json!("MIT")]);
    let rows = "sku,kind\n2,product\n1,digital\n";
    let import = bring(&owner, "products.products", file(rows).path(), null(), Some("sku")).await;
    assert_eq!(counts(&import), [0, 1, 0, 1], "{import}");
    assert_eq!(own("2").await, [Value::Null, Value::Null], "it is no material any more");
}
