//! Whoever changes the books past every trigger and grant, is found by `fondaco verify`, which names the place.

use serde_json::json;
use testkit::scene_alone;

/// What is done by hand in the database, and what is said of it.
const PLANTED: &[(&str, &str)] = &[
    ("update ledger.journal_entry_lines set debit = debit + 1 where debit > 0 and entry_id = (select id from ledger.journal_entries where number = 'INV-00001' and event = 'post')",
     "entry INV-00001"),
    ("delete from ledger.journal_entry_lines where credit > 0 and entry_id = (select id from ledger.journal_entries where number = 'INV-00002' and event = 'post')",
     "entry INV-00002"),
    ("update ledger.journal_entry_lines set account_id = (select id from ledger.ledger_accounts where purpose = 'bad_debts')
      where entry_id = (select id from ledger.journal_entries where number = 'INV-00001' and event = 'post') and debit > 0",
     "receivable of Rope & Co in EUR"),
    ("update ledger.account_balances set debit = debit + 0.01 where debit > 0", "the balance says"),
    ("delete from ledger.journal_entries where number = 'INV-00002'", "invoice INV-00002 is not in the books"),
    ("update ledger.journal_entries set entry_on = entry_on + 400 where number = 'INV-00001'", "is not in its period"),
    ("update finance.invoices set paid = paid + 1 where number = 'INV-00001'", "invoice INV-00001: paid is"),
    ("update finance.invoice_lines set price = price + 1", "its finance.invoice_lines come to"),
    ("update finance.payments set allocated = 0", "allocated is 0"),
    ("delete from finance.invoices where number = 'INV-00001'", "2 numbers were given, 1 are there"),
    ("update finance.write_offs set amount = amount + 1", "its write-offs are"),
    ("update app.audit set new = jsonb_set(new, '{name}', '\"Somebody\"') where entity = 'parties.parties' and new ? 'name'", "history: block 1"),
    ("delete from app.audit where entity = 'finance.payments'", "is not as it was sealed"),
    ("update app.audit_blocks set number = 2", "history"),
];

#[tokio::test]
async fn every_planted_corruption_is_named() {
    let s = scene_alone(crate::ALL).await;
    let anna = s.person("Acme", "accountant").await;
    let party = anna.create("parties.parties", json!({ "name": "Rope & Co" })).await.ok();
    let mut posted = Vec::new();
    for amount in ["100", "50"] {
        let lines = json!([{ "name": "Rope", "price": amount, "tax_rate": "16" }]);
        let draft =
            anna.create("finance.invoices", json!({ "party_id": party["id"], "lines": lines })).await.ok();
        posted.push(anna.act("finance.invoices", &draft, "post").await.ok());
    }
    anna.act_with("finance.invoices", &posted[0], "pay", json!({ "amount": "40" })).await.ok();
    anna.act_with("finance.invoices", &posted[0], "write_off", json!({ "amount": "3" })).await.ok();
    let company = anna.actor.organization;
    s.admin().execute("select app.daily($1)", &[&company]).await.unwrap();
    let wrong = || s.strings("select wrong from app.everything_wrong() order by 1", &[]);

    // What happened hours ago is sealed.
    s.admin().batch_execute("update app.audit set at = at - interval '5 hours'").await.unwrap();
    s.admin().execute("select app.seal_audit($1)", &[&company]).await.unwrap();
    anna.create("parties.parties", json!({ "name": "Next" })).await.ok();
    let blocks = s.strings("select count(*)::text from app.audit_blocks", &[]).await;
    assert_eq!(blocks, ["1"], "one block through the last whole hour but one");
    assert_eq!(wrong().await, [""; 0]);

    let mut silent = Vec::new();
    for (planted, told) in PLANTED {
        let plant = format!("begin; set local session_replication_role = replica; {planted}");
        s.admin().batch_execute(&plant).await.unwrap_or_else(|e| panic!("{planted}: {e:?}"));
        let said = wrong().await;
        s.admin().batch_execute("rollback").await.unwrap();
        if !said.iter().any(|line| line.contains(told)) {
            silent.push(format!("{planted}: {said:?}"));
        }
    }
    assert_eq!(silent, [""; 0]);

    s.admin().batch_execute("set session_replication_role = replica; update finance.payments set allocated = 0; reset session_replication_role").await.unwrap();
    let found: i32 = s.admin().query_one("select app.prove()", &[]).await.unwrap().get(0);
    assert!(found > 0);
    let kept =
        s.strings("select unnest(wrong) from app.proofs where organization_id = $1", &[&company]).await;
    assert_eq!(kept.len(), usize::try_from(found).unwrap());
}
