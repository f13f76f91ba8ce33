//! Budgets, their months and their reports, as the people who work with them see them.

use serde_json::{Value, json};

use testkit::{Person, Scene, scene};

const BUDGETS: &str = "budgets.budgets";
const TARGETS: &str = "budgets.financial_targets";
const YEAR: &str = "2026-01-01";

/// A company with accounts 6000 (a heading) over 6100 and 6200, and 4000 of sales.
struct Office {
    anna: Person,
    mona: Person,
    group: Value,
    travel: Value,
    rent: Value,
    bank: Value,
    sales: Value,
}

impl Office {
    async fn of(s: &Scene) -> Office {
        let anna = s.person("Acme", "accountant").await;
        let mona = s.person("Acme", "manager").await;
        let owner = s.person("Acme", "owner").await;
        let account = async |code: &str, kind: &str, parent: &Value, group: bool| {
            let body = json!({ "code": code, "name": format!("Account {code}"), "kind": kind, "parent_id": parent, "is_group": group });
            owner.create("ledger.ledger_accounts", body).await.ok()["id"].clone()
        };
        let group = account("X6000", "expense", &Value::Null, true).await;
        let travel = account("X6100", "expense", &group, false).await;
        let rent = account("X6200", "expense", &group, false).await;
        let bank = account("X1000", "asset", &Value::Null, false).await;
        let sales = account("X4000", "revenue", &Value::Null, false).await;
        Office { anna, mona, group, travel, rent, bank, sales }
    }

    async fn budget(&self, lines: Value) -> Value {
        let body = json!({ "name": "2026", "year_starts_on": YEAR, "lines": lines });
        self.anna.create(BUDGETS, body).await.ok()
    }

    async fn in_force(&self, budget: &Value) -> Value {
        self.mona.act(BUDGETS, budget, "approve").await.ok();
        self.mona.act(BUDGETS, budget, "activate").await.ok()
    }

    /// Debit of one account, credit of another, in the books on a day.
    async fn booked(&self, s: &Scene, day: &str, debit: &Value, credit: &Value, amount: &str) {
        let owner = s.person("Acme", "owner").await;
        let lines = json!([{ "account_id": debit, "debit": amount }, { "account_id": credit, "credit": amount }]);
        let entry = owner.create("ledger.journal_entries", json!({ "entry_on": day, "lines": lines })).await.ok();
        owner.act("ledger.journal_entries", &entry, "post").await.ok();
    }

    async fn used(&self, kind: &str, day: &str, account: &Value, amount: &str) {
        let body = json!({ "kind": kind, "used_on": day, "account_id": account, "amount": amount });
        self.anna.create("budgets.budget_uses", body).await.ok();
    }

    async fn variance(&self, body: Value) -> Vec<Value> {
        self.anna.call("budgets", "variance", body).await.ok()["rows"].as_array().unwrap().clone()
    }
}

fn months(line: &Value) -> Vec<i128> {
    (1..=12).map(|n| cents(&line[format!("month_{n}")])).collect()
}

fn cents(value: &Value) -> i128 {
    let text = value.as_str().unwrap();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.trim_end_matches('0').len() <= 2, "{text}");
    format!("{whole}{:0<2}", part.chars().take(2).collect::<String>()).parse().unwrap()
}

#[tokio::test]
async fn months_add_up_however_a_year_is_spread() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    for (amount, distribution, weights, first, last) in [
        ("100", "even", Value::Null, 834, 833),
        ("0.05", "even", Value::Null, 1, 0),
        ("0", "even", Value::Null, 0, 0),
        ("1200", "weights", json!("1 1 1 1 1 1 1 1 1 1 1 13"), 5000, 65000),
        ("10", "weights", json!("0 0 0 0 0 0 0 0 0 0 0 1"), 0, 1000),
        ("12", "weights", json!("0 0 0 0 0 0 0 0 0 0 0 0"), 100, 100),
        ("120", "last_year", Value::Null, 1000, 1000),
    ] {
        let line = json!({ "category_code": "TRAVEL", "amount": amount, "distribution": distribution, "weights": weights });
        let budget = o.budget(json!([line])).await;
        let m = months(&budget["lines"][0]);
        assert_eq!((m[0], m[11]), (first, last), "{amount} {distribution}");
        assert_eq!(m.iter().sum::<i128>(), cents(&budget["total"]));
    }
    let bad = json!({ "name": "x", "lines": [{ "category_code": "T", "amount": "1", "distribution": "weights", "weights": "1 2 3" }] });
    o.anna.create(BUDGETS, bad).await.refused("Weights are twelve numbers");
    let both = json!({ "name": "x", "lines": [{ "category_code": "T", "account_id": o.rent, "amount": "1" }] });
    o.anna.create(BUDGETS, both).await.refused("of an account or of a category");
    let fine = json!({ "name": "x", "lines": [{ "category_code": "T", "amount": "1.005" }] });
    o.anna.create(BUDGETS, fine).await.refused("more digits than the currency");
}

/// Whatever the amount and the weights: twelve months that are no less than nothing, each at most a cent off its exact part,
/// and their sum is the amount.
#[tokio::test]
async fn any_amount_is_spread_exactly() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for round in 0..12 {
        let mut asked = Vec::new();
        let lines: Vec<Value> = (0..20)
            .map(|n| {
                let digits = u32::try_from(1 + random(11)).unwrap();
                let cents = random(10_u64.pow(digits));
                let weights: Vec<u64> = (0..12).map(|_| random(2) * random(1000)).collect();
                asked.push((i128::from(cents), weights.clone()));
                let weights: Vec<String> = weights.iter().map(u64::to_string).collect();
                json!({ "category_code": format!("C{n}"), "amount": format!("{}.{:02}", cents / 100, cents % 100), "distribution": "weights", "weights": weights.join(" ") })
            })
            .collect();
        let budget = o.budget(json!(lines)).await;
        for (line, (amount, weights)) in budget["lines"].as_array().unwrap().iter().zip(&asked) {
            let m = months(line);
            let all: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            assert_eq!(m.iter().sum::<i128>(), *amount, "{round}: {line}");
            for (month, weight) in m.iter().zip(weights) {
                let weight = if all == 0 { (1, 12) } else { (i128::from(*weight), all) };
                let off = month * weight.1 - amount * weight.0;
                assert!(*month >= 0 && off.abs() < weight.1, "{round}: {month} of {amount}, {weight:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_budget_goes_its_way_and_revisions_take_its_place() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let empty = o.budget(json!([])).await;
    o.mona.act(BUDGETS, &empty, "approve").await.refused("at least one line");
    let budget = o.budget(json!([{ "account_id": o.travel, "amount": "1200" }])).await;
    o.anna.act(BUDGETS, &budget, "approve").await.refused("Somebody else approves");
    o.anna.act(BUDGETS, &budget, "revise").await.refused("Cannot revise");
    let active = o.in_force(&budget).await;
    o.anna.update(BUDGETS, &active, json!({ "lines": [{ "category_code": "X", "amount": "1" }] })).await.refused("no longer open");
    o.anna.update(BUDGETS, &active, json!({ "total": "1" })).await.refused("cannot be written");

    let made = o.anna.act_with(BUDGETS, &active, "revise", json!({ "effective_on": "2026-07-01", "reason": "more" })).await.ok();
    let revision = o.anna.read(BUDGETS, &made["_made"]).await.ok();
    assert_eq!((&revision["revision"], &revision["status"], &revision["previous_id"]), (&json!(2), &json!("draft"), &budget["id"]));
    o.anna.act(BUDGETS, &active, "revise").await.refused("There is a revision of this budget already");
    let line = json!({ "id": revision["lines"][0]["id"], "amount": "2400" });
    let revision = o.anna.update(BUDGETS, &revision, json!({ "lines": [line] })).await.ok();
    o.in_force(&revision).await;
    let old = o.anna.read(BUDGETS, &budget).await.ok();
    assert_eq!((&old["status"], &old["ended_on"]), (&json!("closed"), &json!("2026-06-30")));
    // Half the year by the one, half by the other; a part of a month by its days.
    let planned = async |from: &str, to: &str| o.variance(json!({ "budget": budget["id"], "from": from, "to": to })).await[0]["planned"].clone();
    assert_eq!(planned(YEAR, "2026-12-31").await, "1800");
    assert_eq!(planned("2026-06-16", "2026-07-15").await, "146.77", "100 * 15 / 30 + 200 * 15 / 31");
    assert_eq!(planned("2026-02-01", "2026-02-14").await, "50");
    assert_eq!(planned("2025-01-01", "2025-12-31").await, "0");
}

/// DEFINITIONS 1, by hand.
#[tokio::test]
async fn variance_is_what_the_definitions_say() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let budget = o
        .budget(json!([
            { "account_id": o.group, "amount": "12000" }, { "account_id": o.sales, "amount": "24000" },
            { "category_code": "TRAVEL", "amount": "1200" }, { "category_code": "NOTHING", "amount": "0" },
        ]))
        .await;
    o.in_force(&budget).await;
    o.booked(&s, "2026-01-10", &o.travel, &o.bank, "500").await;
    o.booked(&s, "2026-02-10", &o.rent, &o.bank, "1200").await;
    o.booked(&s, "2026-02-20", &o.bank, &o.travel, "100").await;
    o.booked(&s, "2026-03-05", &o.bank, &o.sales, "7000").await;
    o.booked(&s, "2026-09-01", &o.travel, &o.bank, "9999").await;
    o.used("order", "2026-03-01", &o.travel, "300").await;
    o.used("requisition", "2026-03-02", &o.rent, "900").await;
    let category = json!({ "kind": "actual", "used_on": "2026-01-05", "category_code": "TRAVEL", "amount": "250" });
    o.anna.create("budgets.budget_uses", category).await.ok();

    let lines = o.variance(json!({ "budget": budget["id"], "from": YEAR, "to": "2026-03-31", "as_of": "2026-03-31" })).await;
    let figures = |n: usize| {
        ["planned", "actual", "committed", "available", "variance", "variance_pct", "burn", "forecast", "status"]
            .map(|f| lines[n][f].as_str().unwrap_or("null").to_owned())
            .join(" ")
    };
    assert_eq!(figures(0), "3000 1600 1200 200 1400 46.67 53.33 2800 warn");
    assert_eq!(figures(1), "6000 7000 0 -1000 1000 16.67 116.67 7000 ok");
    assert_eq!(figures(2), "300 250 0 50 50 16.67 83.33 250 ok");
    assert_eq!(figures(3), "0 0 0 0 0 null null 0 ok");
    // Of the whole year on the last day of March, the nine months to come are still planned.
    let year = o.variance(json!({ "budget": budget["id"], "as_of": "2026-03-31" })).await;
    assert_eq!((&year[0]["forecast"], &year[0]["actual"]), (&json!("11800"), &json!("1600")));
    let over = o.variance(json!({ "budget": budget["id"], "as_of": "2026-12-31" })).await;
    assert_eq!((&over[0]["status"], &over[0]["available"]), (&json!("over"), &json!("-799")));
    // Month by month it comes to the same, and each figure says what it is made of.
    let months = o.variance(json!({ "budget": budget["id"], "from": YEAR, "to": "2026-03-31", "as_of": "2026-03-31", "by": "month" })).await;
    assert_eq!(months.len(), 16);
    for field in ["planned", "actual", "committed", "variance"] {
        let sum: i128 = months[1..4].iter().map(|m| cents(&m[field])).sum();
        assert_eq!((months[0]["level"].as_i64(), cents(&months[0][field])), (Some(0), sum), "{field}");
    }
    assert_eq!((&months[1]["account"], &months[3]["starts"], &months[3]["until"]), (&json!("2026-01"), &json!("2026-03-01"), &json!("2026-03-31")));
    let rules = json!([
        { "field": "account_id", "operator": "in", "value": months[0]["on_accounts"] }, { "field": "period_id", "operator": "is_not_empty" },
        { "field": "entry_on", "operator": "between", "value": [months[0]["starts"], months[0]["until"]] },
    ]);
    let filter = json!({ "operator": "AND", "rules": rules }).to_string();
    let entries = o.anna.list("ledger.journal_entry_lines", &[("filter", &filter)]).await.ok();
    let sum: i128 = entries["data"].as_array().unwrap().iter().map(|l| cents(&l["debit"]) - cents(&l["credit"])).sum();
    assert_eq!(sum, cents(&months[0]["actual"]));
    // Who may not see the budget gets no figures of it.
    let body = json!({ "budget": budget["id"] });
    s.person("Acme", "employee").await.call("budgets", "variance", body.clone()).await.not_found();
    s.person("Other", "owner").await.call("budgets", "variance", body).await.not_found();
}

#[tokio::test]
async fn a_budget_stops_warns_or_says_nothing_by_what_is_asked() {
    let s = scene(crate::ALL).await;
    let o = Office::of(&s).await;
    let ask = async |kind: &str, amount: &str| {
        let context = format!("{} {} {} ", o.anna.actor.organization, o.anna.actor.user, o.anna.actor.request);
        let (kind, amount) = (kind.to_owned(), amount.to_owned());
        let admin = s.admin();
        admin.execute("select set_config('app.context', $1, false)", &[&context]).await.unwrap();
        let sql = "select budgets.check($1, $2::text::uuid, null, '2026-05-05', $3::text::numeric)";
        let account = o.travel.as_str().unwrap();
        let answer = admin.query_one(sql, &[&kind, &account, &amount]).await;
        admin.execute("select set_config('app.context', '', false)", &[]).await.unwrap();
        answer.map(|r| r.get::<_, Vec<String>>(0)).map_err(|e| e.as_db_error().unwrap().message().to_owned())
    };
    let body = json!({ "name": "Travel", "year_starts_on": YEAR, "on_requisition": "ignore", "on_order": "warn", "on_actual": "stop",
        "lines": [{ "account_id": o.group, "amount": "1000" }] });
    let budget = o.anna.create(BUDGETS, body).await.ok();
    assert_eq!(ask("actual", "9999").await, Ok(vec![]), "it does not count yet");
    o.in_force(&budget).await;
    o.used("order", "2026-02-02", &o.travel, "400").await;
    assert_eq!(ask("actual", "600").await, Ok(vec![]));
    assert_eq!(ask("requisition", "9999").await, Ok(vec![]));
    assert_eq!(ask("order", "600.01").await, Ok(vec!["Travel".to_owned()]));
    let stopped = ask("actual", "600.01").await.unwrap_err();
    assert_eq!(stopped, "The budget Travel has 600 left for this, and 600.01 is asked for.");
    o.mona.act(BUDGETS, &budget, "close").await.ok();
    assert_eq!(ask("actual", "600.01").await, Ok(vec![]));
}

#[tokio::test]
async fn a_target_is_as_far_as_invoices_and_payments_say() {
    let s = scene(crate::ALL).await;
    let owner = s.person("Acme", "owner").await;
    let sam = s.person("Acme", "salesperson").await;
    let mona = s.person("Acme", "manager").await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let target = async |metric: &str, level: &str, person: Value| {
        let body = json!({ "name": metric, "metric": metric, "level": level, "person_id": person, "amount": "1000", "starts_on": today, "ends_on": today });
        mona.create(TARGETS, body).await.ok()
    };
    let revenue = target("revenue", "organization", Value::Null).await;
    let of_sam = target("revenue", "person", json!(sam.actor.user)).await;
    let of_mona = target("revenue", "person", json!(mona.actor.user)).await;
    let margin = target("margin", "organization", Value::Null).await;
    let cash = target("cash", "organization", Value::Null).await;
    mona.create(TARGETS, json!({ "name": "x", "level": "person", "amount": "1" })).await.refused("Name the person");
    mona.create(TARGETS, json!({ "name": "x", "amount": "0" })).await.refused("more than nothing");

    let party = owner.create("parties.parties", json!({ "name": "N", "is_customer": true })).await.ok();
    let product = owner.create("products.products", json!({ "name": "P", "price": "100", "cost": "40" })).await.ok();
    let lines = json!([{ "product_id": product["id"], "quantity": "3", "tax_rate": "20" }]);
    let invoice = json!({ "party_id": party["id"], "assigned_to": sam.actor.user, "lines": lines });
    let invoice = owner.create("finance.invoices", invoice).await.ok();
    owner.act("finance.invoices", &invoice, "post").await.ok();
    owner.act_with("finance.invoices", &invoice, "pay", json!({ "amount": "60" })).await.ok();
    let counted = async |target: &Value| {
        let sql = format!("select app.daily('{}')", owner.actor.organization);
        s.admin().batch_execute(&format!("{sql}; select set_config('app.context', '', false), set_config('app.system', '', false)")).await.unwrap();
        let now = mona.read(TARGETS, target).await.ok();
        let plain = |f: &str| {
            let text = now[f].as_str().unwrap();
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
        };
        format!("{} {}", plain("achieved"), plain("progress"))
    };
    assert_eq!(counted(&revenue).await, "300 30");
    assert_eq!(counted(&of_sam).await, "300 30");
    assert_eq!(counted(&of_mona).await, "0 0");
    assert_eq!(counted(&margin).await, "180 18");
    assert_eq!(counted(&cash).await, "60 6");
}
