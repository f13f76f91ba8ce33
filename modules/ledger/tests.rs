//! The books, as the people who keep them see them.

use serde_json::{Value, json};
use testkit::{Person, Scene, scene};

const ENTRIES: &str = "ledger.journal_entries";
const PERIODS: &str = "ledger.fiscal_periods";
const YEARS: &str = "ledger.fiscal_years";

struct Books {
    anna: Person,
}

impl Books {
    async fn of(s: &Scene) -> Books {
        Books { anna: s.person("Acme", "accountant").await }
    }

    async fn account(&self, code: &str) -> Value {
        let found = self.anna.list("ledger.ledger_accounts", &[("code", code)]).await.ok();
        found["data"][0]["id"].clone()
    }

    /// `(account, debit, credit)` for each line.
    async fn draft(&self, day: &str, lines: &[(&str, &str, &str)]) -> Value {
        let mut told = Vec::new();
        for (account, debit, credit) in lines {
            told.push(json!({ "account_id": self.account(account).await, "debit": debit, "credit": credit }));
        }
        self.anna.create(ENTRIES, json!({ "entry_on": day, "description": "by hand", "lines": told })).await.ok()
    }

    async fn posted(&self, day: &str, debit: &str, credit: &str, amount: &str) -> Value {
        let draft = self.draft(day, &[(debit, amount, "0"), (credit, "0", amount)]).await;
        self.anna.act(ENTRIES, &draft, "post").await.ok()
    }

    /// Opens the books of the company.
    async fn open(s: &Scene) -> Books {
        let books = Books::of(s).await;
        let entry = books.anna.create(ENTRIES, json!({})).await.ok();
        books.anna.delete(ENTRIES, &entry).await.ok();
        books
    }

    async fn closing(&self, code: &str, body: Value) -> String {
        let told = self.anna.call("ledger", "trial_balance", body).await.ok();
        let row = told["rows"].as_array().unwrap().iter().find(|r| r["code"] == code);
        row.map_or("0".into(), |r| plain(&r["closing"]))
    }

    async fn year(&self, name: &str) -> Value {
        self.anna.list(YEARS, &[("name", name)]).await.ok()["data"][0].clone()
    }

    async fn period(&self, name: &str) -> Value {
        self.anna.list(PERIODS, &[("name", name)]).await.ok()["data"][0].clone()
    }

    async fn legal_entity(&self) -> Value {
        self.anna.list("ledger.legal_entities", &[]).await.ok()["data"][0].clone()
    }

    async fn rate(&self, currency: &str, per: &str, rate: &str, day: &str) {
        let rate = json!({ "currency": currency, "per": per, "rate": rate, "valid_on": day });
        self.anna.create("ledger.exchange_rates", rate).await.ok();
    }
}

/// An amount without the zeros at its end.
fn plain(amount: &Value) -> String {
    let text = amount.as_str().unwrap_or_else(|| panic!("no amount: {amount}"));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

async fn wrong(s: &Scene) -> Vec<String> {
    s.strings("select organization_id || ' ' || wrong from ledger.verify()", &[]).await
}

#[tokio::test]
async fn an_entry_has_as_much_debit_as_credit() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let odd = b.draft("2026-03-10", &[("1020", "100", "0"), ("4100", "0", "99.99")]).await;
    b.anna.act(ENTRIES, &odd, "post").await.refused("as much debit as credit: here it is 100 and 99.99");
    let lonely = b.draft("2026-03-10", &[("1020", "100", "0")]).await;
    b.anna.act(ENTRIES, &lonely, "post").await.refused("needs a debit and a credit");
    let heading = b.draft("2026-03-10", &[("1000", "5", "0"), ("4100", "0", "5")]).await;
    b.anna.act(ENTRIES, &heading, "post").await.refused("the heading 1000");

    let good = b.posted("2026-03-10", "1020", "4100", "100").await;
    assert_eq!((&good["number"], plain(&good["debit"])), (&json!("JE-00001"), "100".into()));
    let next = b.posted("2026-03-11", "1020", "4100", "7").await;
    assert_eq!(next["number"], "JE-00002", "what was refused took no number");
}

#[tokio::test]
async fn what_is_posted_stays_and_is_taken_back_by_its_reverse() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let entry = b.posted("2026-03-10", "1020", "4100", "100").await;
    let lines = json!({ "lines": [{ "id": entry["lines"][0]["id"], "debit": "200" }] });
    b.anna.update(ENTRIES, &entry, lines).await.refused("no longer open");
    b.anna.update(ENTRIES, &entry, json!({ "entry_on": "2026-03-11" })).await.refused("stays; reverse the entry");
    b.anna.delete(ENTRIES, &entry).await.refused("draft");

    let on = |day: &str| json!({ "reversed_on": day, "reason": "typed twice" });
    b.anna.act_with(ENTRIES, &entry, "reverse", on("2026-03-09")).await.refused("before it was made");
    let back = b.anna.act_with(ENTRIES, &entry, "reverse", on("2026-04-01")).await.ok();
    assert_eq!(back["is_reversed"], true);
    b.anna.act_with(ENTRIES, &back, "reverse", on("2026-04-01")).await.refused("reversed already");
    assert_eq!(b.closing("1020", json!({ "to": "2026-03-31" })).await, "100");
    assert_eq!(b.closing("1020", json!({ "to": "2026-04-30" })).await, "0");
    assert_eq!(wrong(&s).await, [""; 0]);
}

/// The runtime role reaches the tables with SQL of its own, as whoever broke into the server would.
#[tokio::test]
async fn what_is_posted_cannot_be_changed_past_the_program_either() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let entry = b.posted("2026-03-10", "1020", "4100", "100").await;
    let id = entry["id"].as_str().unwrap();
    for attack in [
        format!("update ledger.journal_entry_lines set debit = 5 where entry_id = '{id}' and debit > 0"),
        format!("delete from ledger.journal_entry_lines where entry_id = '{id}'"),
        format!("update ledger.journal_entries set entry_on = '2020-01-01' where id = '{id}'"),
        format!("update ledger.journal_entries set status = 'draft' where id = '{id}'"),
        format!("delete from ledger.journal_entries where id = '{id}'"),
    ] {
        for system in ["no", "yes"] {
            let refused = kernel::within!(b.anna.store, &b.anna.actor, (b.anna.store.catalog().entity(ENTRIES).unwrap(), "update"), tx => {
                tx.batch_execute(&format!("set local app.system = '{system}'")).await?;
                Ok(tx.batch_execute(&attack).await.map_err(|e| e.as_db_error().map(|d| d.message().to_owned())))
            });
            let told = refused.unwrap().unwrap_err().unwrap_or_default();
            let known = ["stays", "no longer open", "cannot become", "Only a record that is draft"];
            assert!(known.iter().any(|k| told.contains(k)), "{attack}: {told}");
        }
    }
    assert_eq!(wrong(&s).await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_written_in_a_locked_period() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    b.posted("2026-03-10", "1020", "4100", "1").await;
    let march = b.anna.act(PERIODS, &b.period("2026-03").await, "lock").await.ok();
    let late = b.draft("2026-03-31", &[("1020", "1", "0"), ("4100", "0", "1")]).await;
    b.anna.act(ENTRIES, &late, "post").await.refused("The period 2026-03 is locked.");
    b.posted("2026-04-01", "1020", "4100", "1").await;
    b.anna.act(PERIODS, &march, "unlock").await.ok();
    b.anna.act(ENTRIES, &late, "post").await.ok();
}

#[tokio::test]
async fn locking_waits_for_whoever_writes_and_nobody_slips_in() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    b.posted("2026-03-10", "1020", "4100", "1").await;
    let march = b.period("2026-03").await;
    let mut drafts = Vec::new();
    for _ in 0..12 {
        drafts.push(b.draft("2026-03-12", &[("1020", "1", "0"), ("4100", "0", "1")]).await);
    }
    let posts = futures_util::future::join_all(drafts.iter().map(|d| b.anna.act(ENTRIES, d, "post")));
    let (posts, lock) = futures_util::join!(posts, b.anna.act(PERIODS, &march, "lock"));
    lock.ok();
    let done = posts.into_iter().filter_map(|p| p.result().ok()).count();
    assert_eq!(b.closing("1020", json!({ "to": "2026-03-31" })).await, (1 + done).to_string());
    let before_the_lock = s
        .strings("select count(*)::text from ledger.journal_entries e join ledger.fiscal_periods p on p.organization_id = e.organization_id and p.id = e.period_id
                  where p.name = '2026-03' and e.updated_at > p.updated_at and e.organization_id = $1", &[&b.anna.actor.organization])
        .await;
    // Transactions that began before the lock may end after it began to wait; none begins after it was done.
    assert!(before_the_lock[0].parse::<usize>().unwrap() <= done);
    let late = b.draft("2026-03-31", &[("1020", "1", "0"), ("4100", "0", "1")]).await;
    b.anna.act(ENTRIES, &late, "post").await.refused("locked");
}

#[tokio::test]
async fn a_year_is_closed_into_retained_earnings_and_opened_again() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    b.posted("2025-05-10", "1020", "4100", "1000").await;
    b.posted("2025-06-10", "5100", "1020", "400").await;
    b.posted("2026-01-10", "1020", "4100", "50").await;
    let profit = b.anna.call("ledger", "profit_and_loss", json!({ "from": "2025-01-01", "to": "2025-12-31" })).await.ok();
    assert_eq!((plain(&profit["totals"]["gross_margin"]), plain(&profit["totals"]["net"])), ("600".into(), "600".into()));

    b.anna.act(YEARS, &b.year("2026").await, "close").await.refused("Close 2025 first.");
    let closed = b.anna.act(YEARS, &b.year("2025").await, "close").await.ok();
    let late = b.draft("2025-12-31", &[("1020", "1", "0"), ("4100", "0", "1")]).await;
    b.anna.act(ENTRIES, &late, "post").await.refused("locked");
    b.anna.act(PERIODS, &b.period("2025-05").await, "unlock").await.refused("open the year again first");

    let again = b.anna.call("ledger", "profit_and_loss", json!({ "from": "2025-01-01", "to": "2025-12-31" })).await.ok();
    assert_eq!(plain(&again["totals"]["net"]), "600", "the close is no loss");
    let sheet = b.anna.call("ledger", "balance_sheet", json!({ "as_of": "2026-01-31" })).await.ok();
    let row = |of: &Value, category: &str| {
        of["rows"].as_array().unwrap().iter().find(|r| r["category"] == category).map(|r| plain(&r["amount"]))
    };
    assert_eq!((row(&sheet, "retained_earnings"), row(&sheet, "profit")), (Some("600".into()), Some("50".into())));
    assert_eq!((plain(&sheet["totals"]["assets"]), plain(&sheet["totals"]["equity"])), ("650".into(), "650".into()));

    b.anna.act(YEARS, &closed, "reopen").await.ok();
    assert_eq!(b.closing("3200", json!({ "to": "2026-01-31" })).await, "0");
    b.anna.delete(ENTRIES, &late).await.ok();
    b.anna.act(YEARS, &b.year("2025").await, "close").await.ok();
    assert_eq!(b.closing("3200", json!({ "to": "2026-01-31" })).await, "-600");
    assert_eq!(wrong(&s).await, [""; 0]);
}

#[tokio::test]
async fn rates_are_found_straight_the_other_way_round_and_by_way_of_a_third() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let text = "date,USD,JPY,RUB\n2026-01-05,1.25,150,\n2026-01-06,1.2,N/A,";
    let read = b.anna.call("ledger", "import_rates", json!({ "text": text, "source": "ECB" })).await.ok();
    assert_eq!((&read["read"], &read["made"]), (&json!(3), &json!(3)));
    let twice = b.anna.call("ledger", "import_rates", json!({ "text": text, "source": "ECB" })).await.ok();
    assert_eq!(twice["made"], 0);
    for (wrong, why) in [
        ("day,USD\n2026-01-05,1", "a column called date"),
        ("date,USD\nyesterday,1", "Line 2"),
        ("date,USD\n2026-01-05,-1", "Line 2"),
        ("date\n2026-01-05", "one for each currency"),
    ] {
        b.anna.call("ledger", "import_rates", json!({ "text": wrong })).await.refused(why);
    }
    let part = json!({ "text": "date,USD\nyesterday,1", "after": 250 });
    b.anna.call("ledger", "import_rates", part).await.refused("Line 252");
    b.anna.call("ledger", "import_rates", json!({ "text": "date,currency,per,rate\n2026-01-06,USD,KZT,505.5" })).await.ok();
    let rate = async |of: &str, into: &str, day: &str| {
        let sql = "select coalesce(trim_scale(ledger.rate($1, $2, $3::text::date))::text, 'none')";
        kernel::within!(b.anna.store, &b.anna.actor, tx => Ok(tx.query_one(sql, &[&of, &into, &day]).await?.get::<_, String>(0))).unwrap()
    };
    assert_eq!(rate("EUR", "USD", "2026-01-05").await, "1.25");
    assert_eq!(rate("USD", "EUR", "2026-01-05").await, "0.8");
    assert_eq!(rate("USD", "JPY", "2026-01-05").await, "120");
    assert_eq!(rate("EUR", "USD", "2026-01-16").await, "1.2", "the last one before");
    assert_eq!(rate("EUR", "USD", "2026-01-17").await, "none", "too old");
    assert_eq!(rate("EUR", "USD", "2026-01-04").await, "none", "not known yet");
    assert_eq!(rate("KZT", "KZT", "1999-01-01").await, "1");
}

#[tokio::test]
async fn open_amounts_are_valued_for_a_day_and_taken_back_on_the_next() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    b.rate("GBP", "EUR", "1.10", "2026-01-10").await;
    b.rate("GBP", "EUR", "1.20", "2026-01-31").await;
    let lines = json!([{ "account_id": b.account("1020").await, "currency": "GBP", "currency_amount": "100" },
        { "account_id": b.account("4100").await, "currency": "GBP", "currency_amount": "-100" }]);
    let entry = b.anna.create(ENTRIES, json!({ "entry_on": "2026-01-10", "lines": lines })).await.ok();
    assert_eq!(plain(&entry["lines"][0]["debit"]), "110", "at the rate of the day");
    b.anna.act(ENTRIES, &entry, "post").await.ok();

    let books = b.legal_entity().await;
    let body = json!({ "as_of": "2026-01-31" });
    b.anna.act_with("ledger.legal_entities", &books, "revalue", body.clone()).await.ok();
    assert_eq!(b.closing("1020", json!({ "to": "2026-01-31" })).await, "120");
    assert_eq!(b.closing("4310", json!({ "to": "2026-01-31" })).await, "-10");
    assert_eq!(b.closing("1020", json!({ "to": "2026-02-01" })).await, "110");
    b.anna.act_with("ledger.legal_entities", &books, "revalue", body).await.refused("valued for this day already");
    b.anna.act_with("ledger.legal_entities", &books, "revalue", json!({ "as_of": "2026-06-30" })).await.refused("no exchange rate of GBP");
    assert_eq!(wrong(&s).await, [""; 0]);
}

#[tokio::test]
async fn another_currency_balances_for_itself() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let (bank, between) = (b.account("1020").await, b.account("1030").await);
    let pounds = |account: &Value, amount: &str, base: (&str, &str)| {
        json!({ "account_id": account, "currency": "GBP", "currency_amount": amount, "debit": base.0, "credit": base.1 })
    };
    let euros = |account: &Value, debit: &str, credit: &str| json!({ "account_id": account, "debit": debit, "credit": credit });
    let straight = json!([pounds(&bank, "100", ("110", "0")), euros(&bank, "0", "110")]);
    let draft = b.anna.create(ENTRIES, json!({ "lines": straight })).await.ok();
    b.anna.act(ENTRIES, &draft, "post").await.refused("does not balance");
    let over = json!([pounds(&bank, "100", ("110", "0")), pounds(&between, "-100", ("0", "110")),
        euros(&between, "110", "0"), euros(&bank, "0", "110")]);
    let draft = b.anna.create(ENTRIES, json!({ "lines": over })).await.ok();
    b.anna.act(ENTRIES, &draft, "post").await.ok();
}

#[tokio::test]
async fn balances_are_their_lines_whether_folded_or_not() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    for (day, amount) in [("2026-01-15", "10"), ("2026-02-15", "20"), ("2026-03-15", "30")] {
        b.posted(day, "1020", "4100", amount).await;
    }
    let spans = [
        json!({ "to": "2026-12-31" }),
        json!({ "from": "2026-01-16", "to": "2026-03-14" }),
        json!({ "from": "2026-02-01", "to": "2026-02-28" }),
        json!({ "to": "2026-01-14" }),
    ];
    let told = async || {
        let mut told = Vec::new();
        for span in &spans {
            let rows = b.anna.call("ledger", "trial_balance", span.clone()).await.ok()["rows"].clone();
            let accounts: Vec<Value> = rows.as_array().unwrap().iter().filter(|r| r["account_id"].is_string()).cloned().collect();
            told.push(Value::from(accounts));
        }
        told
    };
    let before = told().await;
    let closing: Vec<_> = before.iter().map(|rows| rows.as_array().unwrap().iter().map(|r| plain(&r["closing"])).collect::<Vec<_>>()).collect();
    assert_eq!(closing, [vec!["60", "-60"], vec!["30", "-30"], vec!["30", "-30"], vec![]]);
    for _ in 0..2 {
        s.admin().execute("select app.daily($1)", &[&b.anna.actor.organization]).await.unwrap();
        assert_eq!(told().await, before);
        assert_eq!(wrong(&s).await, [""; 0]);
    }
    b.posted("2026-02-20", "1020", "4100", "5").await;
    assert_eq!(b.closing("1020", json!({ "to": "2026-12-31" })).await, "65");
}

#[tokio::test]
async fn an_account_is_read_line_by_line_with_its_balance() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    for day in ["2026-01-15", "2026-02-15", "2026-03-15"] {
        b.posted(day, "1020", "4100", "10").await;
    }
    let body = json!({ "account_id": b.account("1020").await, "from": "2026-02-01", "to": "2026-12-31" });
    let told = b.anna.call("ledger", "general_ledger", body).await.ok();
    assert_eq!(plain(&told["opening"]), "10");
    let balances: Vec<_> = told["rows"].as_array().unwrap().iter().map(|r| plain(&r["balance"])).collect();
    assert_eq!(balances, ["10", "20", "30"]);
}

#[tokio::test]
async fn money_is_told_by_where_it_went() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    b.posted("2026-01-02", "1020", "3100", "5000").await;
    b.posted("2026-01-10", "1020", "4100", "900").await;
    b.posted("2026-01-11", "1500", "1020", "2000").await;
    b.posted("2026-01-12", "1010", "1020", "100").await;
    let told = b.anna.call("ledger", "cash_flow", json!({ "from": "2026-01-05", "to": "2026-01-31" })).await.ok();
    let of = |part: &str| plain(&told["totals"][part]);
    assert_eq!(
        [of("opening"), of("operating"), of("investing"), of("financing"), of("closing")],
        ["5000", "900", "-2000", "0", "3900"].map(String::from)
    );
}

#[tokio::test]
async fn several_legal_entities_are_one_without_what_they_have_with_each_other() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let home = b.legal_entity().await;
    let known = async |name: &str| b.anna.create("parties.parties", json!({ "name": name })).await.ok()["id"].clone();
    let (of_home, of_branch) = (known("Head office").await, known("Branch").await);
    b.anna.update("ledger.legal_entities", &home, json!({ "party_id": of_home })).await.ok();
    let branch = json!({ "code": "UK", "name": "Branch Ltd", "currency": "GBP", "party_id": of_branch });
    let branch = b.anna.create("ledger.legal_entities", branch).await.ok();
    for day in ["2026-01-01", "2026-01-31"] {
        b.rate("GBP", "EUR", "1.10", day).await;
    }
    let (owed, sales, owe, cost) = (b.account("1100").await, b.account("4100").await, b.account("2100").await, b.account("5100").await);
    // The head office sells to the branch, which sells outside.
    let inside = json!({ "entry_on": "2026-01-10", "lines": [
        { "account_id": owed, "debit": "110", "party_id": of_branch }, { "account_id": sales, "credit": "110", "party_id": of_branch }] });
    let bought = json!({ "entry_on": "2026-01-10", "legal_entity_id": branch["id"], "lines": [
        { "account_id": cost, "debit": "100", "party_id": of_home }, { "account_id": owe, "credit": "100", "party_id": of_home }] });
    let sold = json!({ "entry_on": "2026-01-20", "legal_entity_id": branch["id"], "lines": [
        { "account_id": owed, "debit": "300" }, { "account_id": sales, "credit": "300" }] });
    for entry in [inside, bought, sold] {
        let entry = b.anna.create(ENTRIES, entry).await.ok();
        b.anna.act(ENTRIES, &entry, "post").await.ok();
    }
    let span = json!({ "from": "2026-01-01", "to": "2026-01-31", "currency": "EUR" });
    let all = b.anna.call("ledger", "profit_and_loss", span.clone()).await.ok();
    assert_eq!((plain(&all["totals"]["revenue"]), plain(&all["totals"]["cogs"])), ("330".into(), "0".into()));
    let sheet = b.anna.call("ledger", "balance_sheet", span).await.ok();
    assert_eq!((plain(&sheet["totals"]["receivable"]), plain(&sheet["totals"]["payable"])), ("330".into(), "0".into()));
    assert_eq!(sheet["totals"]["assets"], sheet["totals"]["equity"]);
    let one = json!({ "from": "2026-01-01", "to": "2026-01-31", "legal_entity_id": branch["id"] });
    let one = b.anna.call("ledger", "profit_and_loss", one).await.ok();
    assert_eq!((&one["currency"], plain(&one["totals"]["net"])), (&json!("GBP"), "200".into()));
}

#[tokio::test]
async fn the_books_are_for_those_who_keep_them() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let entry = b.posted("2026-03-10", "1020", "4100", "100").await;
    let sally = s.person("Acme", "salesperson").await;
    sally.list(ENTRIES, &[]).await.forbidden();
    for report in ["trial_balance", "general_ledger", "balance_sheet", "profit_and_loss", "cash_flow", "financial_summary", "tax_report"] {
        sally.call("ledger", report, json!({})).await.forbidden();
    }
    sally.call("ledger", "import_rates", json!({ "text": "date,USD\n2026-01-01,1" })).await.forbidden();
    let mona = s.person("Acme", "manager").await;
    mona.act(ENTRIES, &entry, "reverse").await.forbidden();
    let eve = s.person("Evil", "accountant").await;
    eve.act(ENTRIES, &entry, "reverse").await.not_found();
    let told = eve.call("ledger", "trial_balance", json!({})).await.ok();
    assert_eq!(told["rows"], json!([]));
}

#[tokio::test]
async fn every_figure_leads_to_what_it_is_made_of() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    b.posted("2026-01-05", "1020", "3100", "5000").await;
    b.posted("2026-02-10", "1020", "4100", "900").await;
    b.posted("2026-02-11", "5100", "1020", "300").await;
    b.posted("2026-02-12", "6400", "1020", "100").await;
    let catalog = s.store.catalog();
    let ledger = catalog.module("ledger").unwrap();
    let span = json!({ "from": "2026-02-01", "to": "2026-02-28", "as_of": "2026-02-28" });
    for report in ["financial_summary", "profit_and_loss", "balance_sheet", "cash_flow", "trial_balance", "chart", "tax_report", "currencies"] {
        let told = b.anna.call("ledger", report, span.clone()).await.ok();
        let again = b.anna.call("ledger", report, span.clone()).await.ok();
        assert_eq!(told, again, "{report}: the same inputs, the same answer");
        assert_eq!((told["as_of"].as_str(), told["inputs_hash"].as_str().map(str::len)), (Some("2026-02-28"), Some(32)), "{report}");
        assert!(told["currency"].is_string(), "{report}");
        let rows = told["rows"].as_array().unwrap();
        let keys: std::collections::BTreeSet<_> = rows.iter().map(|r| r["key"].as_str().unwrap()).collect();
        assert_eq!(keys.len(), rows.len(), "{report}: rows are told apart by their keys");
        for row in rows {
            let word = row["word"].as_str();
            assert!(word.is_none_or(|w| ledger.meta["words"][w].is_string()), "{report}: {row}");
            let Some(account) = row["account_id"].as_str().filter(|_| report == "profit_and_loss" || report == "balance_sheet") else { continue };
            // What stands in the statement is what the lines come to.
            let from = if report == "profit_and_loss" { "2026-02-01" } else { "2026-01-01" };
            let lines = b.anna.call("ledger", "general_ledger", json!({ "account_id": account, "from": from, "to": "2026-02-28" })).await.ok();
            let sum: f64 = lines["rows"].as_array().unwrap().iter().filter(|r| r["entry_id"].is_string())
                .map(|r| ["debit", "credit"].map(|f| r[f].as_str().map_or(0.0, |n| n.parse().unwrap()))).map(|[d, c]| d - c).sum();
            let shown: f64 = row["amount"].as_str().unwrap().parse().unwrap();
            assert!((sum.abs() - shown.abs()).abs() < 0.001, "{report}: {row} but its lines come to {sum}");
        }
    }
    let lines = |told: &Value| -> Vec<String> {
        let rows = told["rows"].as_array().unwrap();
        rows.iter().map(|r| format!("{}{} {}", "  ".repeat(r["level"].as_u64().unwrap_or(0) as usize), r["word"].as_str().or(r["code"].as_str()).unwrap(), plain(&r["amount"]))).collect()
    };
    let told = b.anna.call("ledger", "profit_and_loss", span.clone()).await.ok();
    assert_eq!(lines(&told), ["revenue 900", "  4100 900", "cogs -300", "  5100 -300", "gross_margin 600", "opex -100", "  6400 -100", "operating_result 500", "net 500"]);
    let told = b.anna.call("ledger", "balance_sheet", span).await.ok();
    assert_eq!(lines(&told), ["assets 5500", "  1020 5500", "liabilities 0", "equity 5500", "  3100 5000", "  profit 500", "liabilities_and_equity 5500"].into_iter().filter(|l| *l != "liabilities 0").collect::<Vec<_>>());
    assert_eq!(told["rows"].as_array().unwrap().iter().find(|r| r["word"] == "profit").unwrap()["from"], "2026-01-01");
    let empty = s.person("Evil", "accountant").await;
    for report in ["profit_and_loss", "balance_sheet", "cash_flow", "trial_balance", "tax_report"] {
        assert_eq!(empty.call("ledger", report, json!({})).await.ok()["rows"], json!([]), "{report}");
    }
}

#[tokio::test]
async fn a_long_account_is_read_in_pages() {
    let s = scene(crate::ALL).await;
    let b = Books::open(&s).await;
    let (bank, sales) = (b.account("1020").await, b.account("4100").await);
    let lines: Vec<Value> = (0..510).flat_map(|_| [json!({ "account_id": bank, "debit": "1" }), json!({ "account_id": sales, "credit": "1" })]).collect();
    let entry = b.anna.create(ENTRIES, json!({ "entry_on": "2026-03-01", "lines": lines })).await.ok();
    b.anna.act(ENTRIES, &entry, "post").await.ok();
    let page = async |skip: i64| b.anna.call("ledger", "general_ledger", json!({ "account_id": bank, "from": "2026-01-01", "to": "2026-12-31", "skip": skip })).await.ok();
    let first = page(0).await;
    assert_eq!((first["rows"].as_array().unwrap().len(), &first["next"]), (501, &json!(500)), "with what it opened with");
    let last = page(500).await;
    assert_eq!((last["rows"].as_array().unwrap().len(), &last["next"]), (10, &json!(null)));
    assert_eq!(plain(&last["rows"][9]["balance"]), "510");
}
