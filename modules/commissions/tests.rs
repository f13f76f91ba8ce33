//! What is earned on money that counts: the rules as tables, then the day as people work it.

use crate::crm_tests::{DEALS, PAYMENTS, Team};
use serde_json::{Value, json};
use testkit::{Person, Scene, scene, plain};

const COMMISSIONS: &str = "commissions.commissions";
const POLICIES: &str = "commissions.commission_policies";
const SETTLEMENTS: &str = "commissions.commission_payments";
const TARGETS: &str = "commissions.performance_targets";

/// 5 % from the start, 7 % from 10,000, 10 % from 20,000.
fn stepped(method: &str) -> Value {
    let tiers = [("0", "5"), ("10000", "7"), ("20000", "10")]
        .map(|(from, rate)| json!({ "from": from, "rate": rate }));
    json!({ "method": method, "digits": 2, "tiers": tiers })
}

fn flat(more: Value) -> Value {
    let mut terms = json!({ "method": "flat", "rate": "10", "digits": 2 });
    terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    terms
}

async fn reckon(s: &Scene, terms: &Value, before: &str, base: &str) -> Value {
    let sql = "select commissions.reckon($1, $2::text::numeric, $3::text::numeric)";
    s.admin().query_one(sql, &[terms, &before, &base]).await.unwrap().get(0)
}

/// DEFINITIONS 15, figure by figure: terms, what was reached before, the event, commission, rate, what makes good for before.
#[tokio::test]
async fn the_golden_table() {
    let s = scene(crate::ALL).await;
    let (marginal, retroactive) = (stepped("marginal"), stepped("retroactive"));
    let faster = flat(json!({ "target": "10000", "accelerators": [{ "from": "100", "multiplier": "1.5" }] }));
    let table = [
        (flat(json!({})), "0", "333.33", "33.33", "10", "0"),
        // Half a cent goes up, and what was rounded up before is not given again: 0.05 + 0.05 are 0.01, not 0.02.
        (flat(json!({})), "0", "0.05", "0.01", "10", "0"),
        (flat(json!({})), "0.05", "0.05", "0", "10", "0"),
        // Each step at its rate: 2,000 at 5 % and 2,000 at 7 % are 100 + 140.
        (marginal.clone(), "8000", "4000", "240", "6", "0"),
        (marginal.clone(), "0", "25000", "1700", "6.8", "0"),
        // A boundary is of the step that begins there, which makes no difference here: 10,000 at 5 %.
        (marginal.clone(), "0", "10000", "500", "5", "0"),
        (marginal, "10000", "1", "0.07", "7", "0"),
        // The step reached for all of it: 12,000 at 7 % less the 400 of before, of which 280 are its own and 160 make good.
        (retroactive.clone(), "8000", "4000", "440", "7", "160"),
        // Whoever has reached 10,000 is on the step that begins there; a cent less is not.
        (retroactive.clone(), "0", "9999.99", "500", "5", "0"),
        (retroactive.clone(), "0", "10000", "700", "7", "0"),
        (retroactive.clone(), "9999.99", "0.01", "200", "7", "200"),
        // Nothing in a gap: below the first step the rate is 0.
        (
            json!({ "method": "retroactive", "digits": 2, "tiers": [{ "from": "100", "rate": "5" }] }),
            "0",
            "99",
            "0",
            "0",
            "0",
        ),
        // 120 % of the target: 12,000 at 10 % times 1.5, less the 800 of before.
        (faster.clone(), "8000", "4000", "1000", "10", "400"),
        (faster.clone(), "0", "9999.99", "1000", "10", "0"),
        (faster, "0", "12000", "1800", "10", "0"),
        // At most 1,000 in the period, of which 800 are earned.
        (flat(json!({ "cap": "1000" })), "8000", "4000", "200", "10", "0"),
        (flat(json!({ "cap": "1000" })), "12000", "4000", "0", "10", "0"),
        // At least 500 with anything in it; 900 earned later are 400 more.
        (flat(json!({ "floor": "500" })), "0", "1000", "500", "10", "0"),
        (flat(json!({ "floor": "500" })), "1000", "8000", "400", "10", "0"),
        // Tenge have two digits, yen none.
        (json!({ "method": "flat", "rate": "7.5", "digits": 0 }), "0", "1234", "93", "7.5", "0"),
    ];
    for (terms, before, base, amount, rate, true_up) in table {
        let told = reckon(&s, &terms, before, base).await;
        let is = (
            told["amount"].as_str().unwrap(),
            told["rate"].as_str().unwrap(),
            told["true_up"].as_str().unwrap(),
        );
        assert_eq!(is, (amount, rate, true_up), "{terms} {before} + {base}: {told}");
    }
}

/// A small generator, so that a failure comes back with its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn cents(&mut self, most: u64) -> String {
        let cents = self.roll(most) + 1;
        format!("{}.{:02}", cents / 100, cents % 100)
    }
}

#[tokio::test]
async fn whatever_the_order_a_period_comes_to_the_same() {
    let s = scene(crate::ALL).await;
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let mut dice = Dice(seed);
    for _ in 0..40 {
        let mut from = 0;
        let tiers: Vec<Value> = (0..=dice.roll(4))
            .map(|n| {
                from += if n == 0 { 0 } else { dice.roll(900_000) + 1 };
                json!({ "from": from.to_string(), "rate": dice.roll(101).to_string() })
            })
            .collect();
        let method = ["flat", "marginal", "retroactive"][dice.roll(3) as usize];
        let mut terms = json!({ "method": method, "rate": dice.roll(101).to_string(), "digits": dice.roll(4), "tiers": tiers });
        if dice.roll(2) == 0 {
            terms["target"] = json!(dice.cents(100_000_000));
            terms["accelerators"] =
                json!([{ "from": "80", "multiplier": "0.8" }, { "from": "100", "multiplier": "1.25" }]);
        }
        if dice.roll(3) == 0 {
            terms["cap"] = json!((dice.roll(50_000) + 1000).to_string());
            terms["floor"] = json!(dice.roll(1000).to_string());
        }
        let events: Vec<String> = (0..8).map(|_| dice.cents(40_000_000)).collect();
        let sql = "
            with told as (select commissions.reckon($1, (select coalesce(sum(b::numeric), 0) from unnest($2::text[]) with ordinality u (b, m) where m < n), e::numeric) as t
                          from unnest($2::text[]) with ordinality w (e, n))
            select trim_scale((select sum((t ->> 'amount')::numeric) from told))::text, trim_scale(commissions.earned($1, (select sum(e::numeric) from unnest($2::text[]) e)))::text,
                (select bool_and((t ->> 'rate')::numeric between 0 and 100) from told)";
        let mut turned = events.clone();
        turned.rotate_left(dice.roll(8) as usize);
        turned.swap(0, 5);
        for order in [&events, &turned] {
            let row = s.admin().query_one(sql, &[&terms, order]).await.unwrap();
            let (sum, whole): (&str, &str) = (row.get(0), row.get(1));
            assert_eq!(sum, whole, "seed {seed}: {terms} {order:?}");
            assert!(row.get::<_, bool>(2), "seed {seed}: {terms} {order:?}");
        }
        if method == "marginal" && terms["target"].is_null() {
            let jump = "select max(abs(commissions.tiered($1::jsonb, (t ->> 'from')::numeric + 0.01) - commissions.tiered($1::jsonb, greatest((t ->> 'from')::numeric - 0.01, 0))))::float8 from jsonb_array_elements($1::jsonb -> 'tiers') t";
            let jump: f64 = s.admin().query_one(jump, &[&terms]).await.unwrap().get(0);
            assert!(jump <= 0.02 + 1e-9, "seed {seed}: marginal steps do not jump: {jump} {terms}");
        }
        let split = "select (select sum(p) from unnest(commissions.split($1::text::numeric, $2::text[]::numeric[], 2)) p)::text,
            (select bool_and(abs(p - $1::text::numeric * w / (select sum(x::numeric) from unnest($2::text[]) x)) < 0.01) from unnest(commissions.split($1::text::numeric, $2::text[]::numeric[], 2), $2::text[]::numeric[]) u (p, w))";
        let weights: Vec<String> = (0..=dice.roll(6)).map(|_| dice.cents(10_000)).collect();
        let amount = format!("{}{}", if dice.roll(2) == 0 { "-" } else { "" }, dice.cents(1_000_000));
        let row = s.admin().query_one(split, &[&amount, &weights]).await.unwrap();
        assert_eq!(
            (row.get::<_, &str>(0), row.get::<_, bool>(1)),
            (amount.as_str(), true),
            "seed {seed}: {weights:?}"
        );
    }
}

async fn policy(t: &Team<'_>, mut body: Value) -> Value {
    body["name"] = body["code"].clone();
    let policy = t.mona.create(POLICIES, body).await.ok();
    t.mona.act(POLICIES, &policy, "activate").await.ok()
}

async fn earned(who: &Person) -> Vec<Value> {
    who.list(COMMISSIONS, &[("sort", "created_at")]).await.ok()["data"].as_array().unwrap().clone()
}

fn figures(commission: &Value) -> [&str; 4] {
    ["base_amount", "rate", "commission_amount", "final_amount"].map(|f| plain(&commission[f]))
}

/// From a deal to the payout. By hand: 5,040 with 12 % tax is 4,500 without; 10 % of it are 450. Paid in two parts of
/// 2,520 it is 225 each.
#[tokio::test]
async fn a_day_from_the_deal_to_the_payout() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    policy(&t, json!({ "code": "BASE", "rate": "10" })).await;
    let deal =
        t.deal_of(&t.sam, json!({ "lines": [{ "name": "Plan", "price": "4500", "tax_rate": "12" }] })).await;
    assert_eq!(plain(&deal["value"]), "5040");
    let waiting = t.submitted(&deal, "2520").await;
    assert_eq!(earned(&t.sam).await.len(), 0, "nothing is earned on what nobody has verified");
    t.vera.act(PAYMENTS, &waiting, "verify").await.ok();
    let all = earned(&t.sam).await;
    assert_eq!(figures(&all[0]), ["2250", "10", "225", "225"]);
    let one = t.sam.read(COMMISSIONS, &all[0]).await.ok();
    let steps: Vec<_> = one["trace"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["step"].as_str().unwrap(), s["result"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        steps,
        [("paid", ""), ("revenue", "2250"), ("share", "2250"), ("reached", "2250"), ("rate", "225")]
    );
    assert_eq!((&one["trace"]["policy"]["revision"], &one["trace"]["amount"]), (&json!(1), &json!("225")));
    // Nobody else sees it, and nobody makes one.
    let other = s.person("PRS", "salesperson").await;
    assert_eq!(earned(&other).await.len(), 0);
    let boss = s.person("PRS", "owner").await;
    boss.create(COMMISSIONS, json!({})).await.forbidden();
    boss.delete(COMMISSIONS, &one).await.forbidden();
    t.sam.act(COMMISSIONS, &one, "approve").await.forbidden();
    let bonus = json!({ "bonus_amount": "25", "penalty_amount": "5", "reason": "first of the month" });
    let one = t.mona.update(COMMISSIONS, &one, bonus).await.ok();
    assert_eq!(plain(&one["final_amount"]), "245");
    t.mona
        .update(COMMISSIONS, &one, json!({ "commission_amount": "9999" }))
        .await
        .refused("cannot be written");
    t.anna.act(COMMISSIONS, &one, "settle").await.refused("Cannot settle a record that is accrued");
    let one = t.mona.act(COMMISSIONS, &one, "approve").await.ok();
    t.mona.update(COMMISSIONS, &one, json!({ "bonus_amount": "1" })).await.refused("no longer open");
    t.sam.act(COMMISSIONS, &one, "settle").await.forbidden();
    t.sam.call("commissions", "settle", json!({})).await.forbidden();
    let made = t.anna.act(COMMISSIONS, &one, "settle").await.ok();
    let run = t.anna.read(SETTLEMENTS, &made["_made"]).await.ok();
    assert_eq!(plain(&run["final_amount"]), "245");
    t.anna.act(COMMISSIONS, &one, "settle").await.refused("There is nothing approved");
    let gone = t.anna.act(SETTLEMENTS, &run, "cancel").await.ok();
    assert_eq!(plain(&gone["final_amount"]), "0");
    let made = t.anna.call("commissions", "settle", json!({})).await.ok();
    let run = t.anna.act(SETTLEMENTS, &made["made"][0], "pay").await.ok();
    assert_eq!((&run["status"], plain(&run["final_amount"])), (&json!("paid"), "245"));
    // In the books: what was settled and let go, settled again and paid out.
    let rows = t.anna.call("ledger", "trial_balance", json!({})).await.ok()["rows"].clone();
    let turned = |kind: &str| {
        let of_kind = |r: &&Value| r["code"].as_str().is_some_and(|code| code == kind);
        let row = rows.as_array().unwrap().iter().find(of_kind).unwrap_or_else(|| panic!("{kind} in {rows}"));
        [plain(&row["debit"]).to_owned(), plain(&row["credit"]).to_owned()]
    };
    assert_eq!(turned("6200"), ["490", "245"]);
    assert_eq!(turned("2310"), ["490", "490"]);
    let paid = t.sam.read(COMMISSIONS, &one).await.ok();
    assert_eq!((&paid["status"], paid["paid_at"].is_string()), (&json!("paid"), true));
    // What was wrong is a line of its own, in the next run.
    let fixed = t
        .mona
        .act_with(COMMISSIONS, &paid, "correct", json!({ "amount": "-45", "reason": "typo" }))
        .await
        .ok();
    t.mona.act(COMMISSIONS, &fixed["_made"], "approve").await.ok();
    t.anna.act(COMMISSIONS, &fixed["_made"], "settle").await.refused("it waits for the next run");
    let second = t.verified(&deal, "2520").await;
    assert_eq!(second["status"], "completed");
    let next = earned(&t.sam).await.into_iter().find(|c| c["status"] == "accrued").unwrap();
    t.mona.act(COMMISSIONS, &next, "approve").await.ok();
    let made = t.anna.act(COMMISSIONS, &next, "settle").await.ok();
    let run = t.anna.read(SETTLEMENTS, &made["_made"]).await.ok();
    assert_eq!(plain(&run["final_amount"]), "180", "225 less the 45 of the last run");
    assert_eq!(t.verify().await, [""; 0]);
}

/// By hand: three thirds of 100.00 after 10 % for the lead: 10, and 90 as 60 : 40.
#[tokio::test]
async fn shares_come_to_the_whole() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let (lead, other) = (s.person("PRS", "team_lead").await, s.person("PRS", "salesperson").await);
    let sql = "update iam.memberships set manager_id = $3 where organization_id = $1 and id = $2";
    s.admin().execute(sql, &[&t.sam.actor.organization, &t.sam.actor.user, &lead.actor.user]).await.unwrap();
    policy(&t, json!({ "code": "SPLIT", "rate": "10", "lead_percent": "10" })).await;
    let shares = json!([{ "member_id": other.actor.user, "shared_percent": "40" }]);
    let deal = t
        .deal_of(&t.mona, json!({ "value": "1000.01", "assigned_to": t.sam.actor.user, "shares": shares }))
        .await;
    let more = json!({ "shares": [{ "member_id": t.vera.actor.user, "shared_percent": "61" }] });
    t.mona.update(DEALS, &deal, more).await.refused("Shares come to at most 100 percent.");
    t.verified(&deal, "1000.01").await;
    let parts = [&t.sam, &other, &lead].map(async |who| {
        let all = who.list(COMMISSIONS, &[("sort", "created_at")]).await.ok();
        let mine = all["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["agent_id"] == json!(who.actor.user))
            .unwrap()
            .clone();
        (
            plain(&mine["base_amount"]).to_owned(),
            plain(&mine["commission_amount"]).to_owned(),
            mine["is_lead"] == true,
        )
    });
    let parts = futures_util::future::join_all(parts).await;
    // 54 % of 1,000.01 is 540.0054, 36 % 360.0036, 10 % 100.001: the cent that is left goes to the first, who lost most.
    let expected = [("540.01", "54", false), ("360", "36", false), ("100", "10", true)];
    assert_eq!(parts, expected.map(|(b, c, l)| (b.to_owned(), c.to_owned(), l)));
    assert_eq!(t.verify().await, [""; 0]);
}

/// By hand: 10 % of 900 are 90. A third of it back is 30, the rest 60; together the 90, whatever was rounded.
#[tokio::test]
async fn money_that_goes_back_takes_its_commission_with_it() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    policy(&t, json!({ "code": "BASE", "rate": "10", "clawback_days": 30 })).await;
    let deal = t.deal("1000").await;
    let payment = t.verified(&deal, "900").await;
    t.reversed(&payment, "300", "refund").await;
    let all = earned(&t.sam).await;
    assert_eq!((&all[1]["kind"], figures(&all[1])), (&json!("clawback"), ["-300", "10", "-30", "-30"]));
    assert_eq!((&all[0]["status"], &all[1]["status"]), (&json!("accrued"), &json!("approved")));
    t.reversed(&payment, "600", "chargeback").await;
    let all = earned(&t.sam).await;
    assert_eq!((plain(&all[2]["commission_amount"]), &all[0]["status"]), ("-60", &json!("clawed_back")));
    t.anna.act(COMMISSIONS, &all[1], "settle").await.refused("it waits for the next run");
    assert_eq!(t.verify().await, [""; 0]);
    // The last day of the window counts, the one after it does not.
    for (days, lines) in [(30, 2), (31, 1)] {
        let deal = t.deal("100").await;
        let payment = t.verified(&deal, "100").await;
        let sql =
            "update commissions.commissions set earned_on = current_date - $2::integer where payment_id = $1";
        let sql = format!(
            "begin; set local app.system = 'yes'; {}; commit",
            sql.replace("$1", &format!("'{}'", testkit::id(&payment))).replace("$2", &days.to_string())
        );
        s.admin().batch_execute(&sql).await.unwrap();
        t.reversed(&payment, "100", "refund").await;
        let of = json!({ "field": "deal_id", "op": "eq", "value": deal["id"] }).to_string();
        let found = t.sam.list(COMMISSIONS, &[("filter", &of)]).await.ok();
        assert_eq!(found["data"].as_array().unwrap().len(), lines, "after {days} days");
    }
}

/// Two payments of one salesperson verified at the same moment: one is reckoned after the other.
#[tokio::test]
async fn at_once_the_steps_are_climbed_one_after_the_other() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let tiers = json!([{ "from_amount": "0", "rate": "5" }, { "from_amount": "10000", "rate": "7" }]);
    policy(&t, json!({ "code": "STEPS", "method": "marginal", "tiers": tiers })).await;
    let mut waiting = Vec::new();
    for _ in 0..6 {
        let deal = t.deal("3000").await;
        waiting.push(t.submitted(&deal, "3000").await);
    }
    for done in
        futures_util::future::join_all(waiting.iter().map(|p| t.vera.act(PAYMENTS, p, "verify"))).await
    {
        done.ok();
    }
    let mut before: Vec<i64> = Vec::new();
    let mut cents = 0;
    for c in earned(&t.sam).await {
        before.push(plain(&c["before_amount"]).parse().unwrap());
        cents += plain(&c["commission_amount"]).parse::<i64>().unwrap();
    }
    before.sort_unstable();
    assert_eq!(before, [0, 3000, 6000, 9000, 12000, 15000]);
    // 10,000 at 5 % and 8,000 at 7 %.
    assert_eq!(cents, 500 + 560);
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn a_policy_counts_for_what_it_is_for_and_is_not_changed() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let product = t
        .mona
        .create(
            "products.products",
            json!({ "sku": "PRO", "name": "Pro", "price": "600", "cost": "400", "kind": "service" }),
        )
        .await
        .ok();
    let products = json!([{ "product_id": product["id"] }]);
    let first = policy(&t, json!({ "code": "MARGIN", "base": "margin", "rate": "50", "products": products, "client_status": "new" })).await;
    policy(&t, json!({ "code": "FULL", "base": "cash", "rate": "1", "waits_for_all": true })).await;
    let lines = json!([{ "product_id": product["id"] }, { "name": "Other", "price": "400" }]);
    let deal = t.deal_of(&t.sam, json!({ "lines": lines })).await;
    t.verified(&deal, "500").await;
    // Half of it is paid: half of the 200 that are left of Pro, of which half; and 1 % of the cash, which waits.
    let all = earned(&t.sam).await;
    let by = |base: &str| {
        all.iter().find(|c| plain(&c["base_amount"]) == base).unwrap_or_else(|| panic!("{all:?}"))
    };
    assert_eq!((plain(&by("100")["commission_amount"]), &by("100")["status"]), ("50", &json!("accrued")));
    assert_eq!((plain(&by("500")["commission_amount"]), &by("500")["status"]), ("5", &json!("pending")));
    t.verified(&deal, "500").await;
    assert!(earned(&t.sam).await.iter().all(|c| c["status"] == "accrued"));
    // Another deal of the same client is one of an existing one.
    let again = t.deal_of(&t.sam, json!({ "lines": [{ "product_id": product["id"] }] })).await;
    t.verified(&again, "600").await;
    assert_eq!(earned(&t.sam).await.len(), 5);
    t.mona.update(POLICIES, &first, json!({ "rate": "60" })).await.refused("rate cannot change");
    let next = t.mona.act(POLICIES, &first, "revise").await.ok();
    let next = t.mona.read(POLICIES, &next["_made"]).await.ok();
    assert_eq!(
        (&next["revision"], &next["status"], next["products"].as_array().map(Vec::len)),
        (&json!(2), &json!("draft"), Some(1))
    );
    t.mona.act(POLICIES, &next, "activate").await.ok();
    assert_eq!(t.mona.read(POLICIES, &first).await.ok()["status"], "retired");
    let empty = t.mona.create(POLICIES, json!({ "code": "X", "name": "X", "method": "marginal" })).await.ok();
    t.mona.act(POLICIES, &empty, "activate").await.refused("at least one step");
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn a_target_reached_multiplies_and_then_stays() {
    let s = scene(crate::ALL).await;
    for period in ["month", "quarter", "year"] {
        reached(&Team::of_company(&s, period).await, period).await;
    }
}

async fn reached(t: &Team<'_>, period: &str) {
    let sql = "select date_trunc($1, now())::date::text, commissions.period_end($1, date_trunc($1, now())::date)::text";
    let days = t.s.admin().query_one(sql, &[&period]).await.unwrap();
    let (starts, ends): (&str, &str) = (days.get(0), days.get(1));
    let target = json!({ "member_id": t.sam.actor.user, "metric": "revenue", "target": "1000", "starts_on": starts, "ends_on": ends });
    let target = t.mona.create(TARGETS, target).await.ok();
    policy(t, json!({ "code": "FAST", "rate": "10", "period": period, "accelerators": [{ "from_percent": "100", "multiplier": "2" }] })).await;
    let deal = t.deal("1200").await;
    t.verified(&deal, "800").await;
    t.verified(&deal, "400").await;
    let all = earned(&t.sam).await;
    // 80; then 1,200 at 10 % times 2 are 240, less those 80: 80 of its own and 80 that make good.
    assert_eq!(plain(&all[0]["commission_amount"]), "80");
    assert_eq!((plain(&all[1]["commission_amount"]), plain(&all[1]["true_up_amount"])), ("160", "80"));
    t.mona
        .update(TARGETS, &target, json!({ "target": "1" }))
        .await
        .refused("Commissions of this period were reckoned already.");
    assert_eq!(t.verify().await, [""; 0]);
}

/// `fondaco verify` names what somebody changed behind the program's back.
#[tokio::test]
async fn what_was_tampered_with_is_named() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    policy(&t, json!({ "code": "BASE", "rate": "10" })).await;
    let deal = t.deal("1000").await;
    let payment = t.verified(&deal, "500").await;
    assert_eq!(t.verify().await, [""; 0]);
    let of = t.sam.actor.organization;
    for (change, told) in [
        (
            format!(
                "update commissions.commissions set commission_amount = 51 where organization_id = '{of}'"
            ),
            "it is 51.000000, the policy says 50",
        ),
        (
            format!("update commissions.commissions set base_amount = 501 where organization_id = '{of}'"),
            "its base is 501.000000, the payment says 500",
        ),
        (
            format!("update commissions.commission_policies set rate = 11 where organization_id = '{of}'"),
            "the policy says 55",
        ),
        (
            format!("delete from commissions.commissions where organization_id = '{of}'"),
            "gave no commission by BASE",
        ),
        (
            format!("update finance.payments set amount = 600 where organization_id = '{of}'"),
            "the payment says 600",
        ),
        (format!("update crm.deals set paid = 400 where organization_id = '{of}'"), "paid is 400"),
        (
            format!("update gamification.daily_streaks set streak_count = 9 where organization_id = '{of}'"),
            "it is 9, the day before says 1",
        ),
    ] {
        s.admin()
            .batch_execute(&format!("begin; set local session_replication_role = replica; {change}"))
            .await
            .unwrap();
        let wrong = t.verify().await.join("; ");
        s.admin().batch_execute("rollback").await.unwrap();
        assert!(wrong.contains(told), "{change}: {wrong}");
    }
    assert_eq!(payment["status"], "completed");
    assert_eq!(t.verify().await, [""; 0]);
}

#[tokio::test]
async fn a_payment_for_a_deal_is_not_brought_in_as_completed() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("1000").await;
    let client = s.admin();
    let of = t.mona.actor.organization;
    // Also where nobody verifies payments: a file brings them in, and who completes them makes them count.
    let nobody_verifies = format!("update tenancy.settings set value = 'false' where organization_id = '{of}' and key = 'finance.payments_need_verification'");
    client.batch_execute(&nobody_verifies).await.unwrap();
    let bring = |status: &str| {
        format!(
            "begin; set local app.context = '{of} {} {} '; set local app.importing = 'yes';
             insert into finance.payments (party_id, deal_id, amount, currency, status) values ('{}', '{}', 100, 'EUR', '{status}')",
            t.mona.actor.user,
            uuid::Uuid::now_v7(),
            testkit::id(&t.client),
            testkit::id(&deal)
        )
    };
    let said = client.batch_execute(&bring("completed")).await.unwrap_err().as_db_error().unwrap().message().to_owned();
    assert_eq!(said, "A payment for a deal comes in as pending: when it is completed it earns its commissions.");
    client.batch_execute(&format!("rollback; {}; commit", bring("pending"))).await.unwrap();
}
