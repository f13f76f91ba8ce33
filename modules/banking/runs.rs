//! Payment runs: proposed, approved, handed to the bank.

use super::{
    id, may,
    pain::{Order, Transfer},
};
use kernel::{Error, Result, Tx, sql};
use records::approvals::ask_approval;
use serde_json::{Value, json};

/// `{"due_by"?, "party_id"?}`: the bills that are due by then, and are in no run yet.
pub(super) async fn propose(tx: &Tx, run: &Value, body: &Value) -> Result<Value> {
    may(tx, &run["bank_account_id"]).await?;
    tx.need("finance.invoices", "read")?;
    let row = tx.query_one(sql!("select banking.propose($1, $2)"), &[&id(&run["id"])?, body]).await?;
    if row.get::<_, i32>(0) == 0 {
        return Err(Error::refused("No bill is due by then that is in no run yet."));
    }
    Ok(Value::Null)
}

/// A payment of the run that a rule of the company wants approved waits for that, and the bank's file with it.
pub(super) async fn ask(tx: &Tx, run: &Value) -> Result<()> {
    let catalog = tx.catalog.clone();
    let payments = catalog.entity("finance.payments")?;
    let statement = sql!(
        "select l.payment_id from banking.payment_run_lines l where l.organization_id = $1 and l.run_id = $2 and l.payment_id is not null and l.deleted_at is null order by 1"
    );
    for line in tx.query(statement, &[&tx.actor.organization, &id(&run["id"])?]).await? {
        ask_approval(tx, payments, line.get(0), "complete", &json!({})).await?;
    }
    Ok(())
}

/// The file for the bank of an approved run, pain.001.
pub(super) async fn payment_file(tx: &Tx, run: &Value, _: &Value) -> Result<Value> {
    may(tx, &run["bank_account_id"]).await?;
    let run_id = id(&run["id"])?;
    let statement = sql!(
        "select r.number, r.execute_on::text, b.iban, b.bic, b.currency, e.name, to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
         from banking.payment_runs r join banking.bank_accounts b on b.organization_id = r.organization_id and b.id = r.bank_account_id
         join ledger.legal_entities e on e.organization_id = b.organization_id and e.id = b.legal_entity_id
         where r.organization_id = $1 and b.organization_id = $1 and e.organization_id = $1 and r.id = $2"
    );
    let run = tx.query_opt(statement, &[&tx.actor.organization, &run_id]).await?.ok_or(Error::NotFound)?;
    let held: Option<String> = tx.query_one(sql!("select banking.held_back($1)"), &[&run_id]).await?.get(0);
    if let Some(number) = held {
        return Err(Error::refused(format!("Payment {number} of this run has not been approved.")));
    }
    let Some(iban) = run.get::<_, Option<String>>(2) else {
        return Err(Error::refused("The account needs an IBAN before the bank can be told to pay from it."));
    };
    let lines = sql!(
        "select p.number, trim_scale(p.amount)::text, coalesce(a.holder, q.legal_name, q.name), a.iban, a.bic, coalesce(i.supplier_number, i.number)
         from banking.payment_run_lines l join finance.payments p on p.organization_id = l.organization_id and p.id = l.payment_id
         join finance.invoices i on i.organization_id = l.organization_id and i.id = l.invoice_id
         join parties.parties q on q.organization_id = l.organization_id and q.id = l.party_id
         join banking.party_accounts a on a.organization_id = l.organization_id and a.id = l.party_account_id
         where l.organization_id = $1 and p.organization_id = $1 and i.organization_id = $1 and q.organization_id = $1 and a.organization_id = $1
           and l.run_id = $2 and l.deleted_at is null and p.status <> 'cancelled' order by p.number"
    );
    let lines = tx.query(lines, &[&tx.actor.organization, &run_id]).await?;
    let number: String = run.get(0);
    let order = Order {
        id: number.clone(),
        made_at: run.get(6),
        execute_on: run.get(1),
        debtor: run.get(5),
        iban,
        bic: run.get(3),
        currency: run.get(4),
        transfers: lines
            .iter()
            .map(|l| Transfer {
                id: l.get(0),
                amount: l.get::<_, String>(1).parse().unwrap_or_default(),
                creditor: l.get(2),
                iban: l.get(3),
                bic: l.get(4),
                text: l.get(5),
            })
            .collect(),
    };
    Ok(json!({ "file": { "name": format!("{number}.xml"), "text": order.file()? } }))
}
