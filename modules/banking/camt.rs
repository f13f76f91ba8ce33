//! CAMT.053 of ISO 20022, in every version that banks send: 001.02 to 001.12 say the same in slightly other places.

use super::{
    statement::{Line, Statement, amount, code, day, said, wrong},
    xml::{Node, parse},
};
use kernel::Result;
use rust_decimal::Decimal;

/// # Errors
/// When the file is no account statement, or something of it cannot be read; the line is named.
pub(super) fn read(text: &str) -> Result<Vec<Statement>> {
    let file = parse(text)?;
    let messages: Vec<&Node> = ["BkToCstmrStmt", "BkToCstmrAcctRpt"].iter().filter_map(|name| file.at(&format!("Document/{name}"))).collect();
    let statements: Vec<&Node> = messages.iter().flat_map(|m| m.children.iter().filter(|c| c.name == "Stmt" || c.name == "Rpt")).collect();
    if statements.is_empty() {
        return Err(wrong(1, "there is no account statement in it"));
    }
    statements.into_iter().map(statement).collect()
}

/// How much, on which day, in which currency.
type Balance = (Decimal, Option<String>, Option<String>);

fn statement(node: &Node) -> Result<Statement> {
    let balance = |codes: &[&str]| -> Result<Option<Balance>> {
        for wanted in codes {
            let found = node.all("Bal").find(|b| b.text("Tp/CdOrPrtry/Cd") == Some(*wanted));
            if let Some(found) = found {
                return Ok(Some((signed(found)?, date(found, "Dt"), found.at("Amt").and_then(|a| a.currency.clone()))));
            }
        }
        Ok(None)
    };
    let (opening, closing) = (balance(&["OPBD", "PRCD"])?, balance(&["CLBD"])?);
    let mut lines = Vec::new();
    for entry in node.all("Ntry") {
        // Only what is booked is money.
        if matches!(entry.text("Sts").or(entry.text("Sts/Cd")), Some("BOOK") | None) {
            entry_lines(entry, &mut lines)?;
        }
    }
    let account = node.text("Acct/Id/IBAN").or(node.text("Acct/Id/Othr/Id")).and_then(code);
    let currency = node.text("Acct/Ccy").map(str::to_owned).or(closing.as_ref().and_then(|c| c.2.clone()));
    let through = date(node, "FrToDt/ToDt").or(date(node, "FrToDt/ToDtTm")).or(closing.as_ref().and_then(|c| c.1.clone()));
    Ok(Statement {
        format: "camt",
        account,
        currency,
        reference: node.text("Id").and_then(said),
        from_on: date(node, "FrToDt/FrDt").or(date(node, "FrToDt/FrDtTm")),
        through_on: through,
        opening: opening.map(|o| o.0),
        closing: closing.map(|c| c.0),
        lines,
        at: node.line,
    })
}

/// An entry is a line; one of many payments booked together is a line for each where they add up to it.
fn entry_lines(entry: &Node, lines: &mut Vec<Line>) -> Result<()> {
    let booked_on = date(entry, "BookgDt").or(date(entry, "ValDt")).ok_or_else(|| wrong(entry.line, "this entry has no day"))?;
    let whole = signed(entry)?;
    let line = Line {
        booked_on,
        value_on: date(entry, "ValDt"),
        amount: whole,
        reference: entry.text("AcctSvcrRef").or(entry.text("NtryRef")).and_then(said),
        text: entry.text("AddtlNtryInf").and_then(said),
        ..Line::default()
    };
    let parts: Vec<&Node> = entry.all("NtryDtls").flat_map(|d| d.all("TxDtls")).collect();
    let amounts: Option<Vec<Decimal>> = parts.iter().map(|p| part_amount(p, whole)).collect();
    match (parts.as_slice(), amounts) {
        ([one], _) => lines.push(detailed(line, one, whole)),
        (many, Some(amounts)) if !many.is_empty() && amounts.iter().sum::<Decimal>() == whole => {
            lines.extend(many.iter().zip(amounts).filter(|(_, amount)| !amount.is_zero()).map(|(part, amount)| detailed(line.clone(), part, amount)));
        }
        _ if whole.is_zero() => {}
        _ => lines.push(line),
    }
    Ok(())
}

fn part_amount(part: &Node, whole: Decimal) -> Option<Decimal> {
    let said = part.at("Amt").or(part.at("AmtDtls/TxAmt/Amt"))?;
    let size = amount(&said.text)?;
    let out = part.text("CdtDbtInd").map_or(whole.is_sign_negative(), |i| i == "DBIT");
    Some(if out { -size } else { size })
}

fn detailed(line: Line, part: &Node, amount: Decimal) -> Line {
    // Money in comes from the debtor, money out goes to the creditor.
    let (party, other) = if amount.is_sign_negative() { ("Cdtr", "UltmtCdtr") } else { ("Dbtr", "UltmtDbtr") };
    let name = |of: &str| part.text(&format!("RltdPties/{of}/Nm")).or(part.text(&format!("RltdPties/{of}/Pty/Nm"))).and_then(said);
    let account = format!("RltdPties/{party}Acct/Id");
    let bank = format!("RltdAgts/{party}Agt/FinInstnId");
    let words: Vec<&str> = part.at("RmtInf").into_iter().flat_map(|r| r.all("Ustrd")).map(|u| u.text.trim()).collect();
    let text = |path: &str| part.text(path).and_then(said);
    Line {
        amount,
        counterparty: name(party).or_else(|| name(other)),
        iban: part.text(&format!("{account}/IBAN")).or(part.text(&format!("{account}/Othr/Id"))).and_then(code),
        bic: part.text(&format!("{bank}/BICFI")).or(part.text(&format!("{bank}/BIC"))).and_then(code),
        text: said(&words.join(" ")).or_else(|| text("AddtlTxInf")).or(line.text),
        reference: text("Refs/AcctSvcrRef").or_else(|| text("Refs/TxId")).or(line.reference),
        end_to_end: text("Refs/EndToEndId"),
        creditor_reference: part.text("RmtInf/Strd/CdtrRefInf/Ref").and_then(code),
        ..line
    }
}

fn signed(node: &Node) -> Result<Decimal> {
    let size = node.text("Amt").and_then(amount).ok_or_else(|| wrong(node.line, "there is no amount"))?;
    match node.text("CdtDbtInd") {
        Some("CRDT") => Ok(size),
        Some("DBIT") => Ok(-size),
        _ => Err(wrong(node.line, "it does not say whether money came in or went out")),
    }
}

fn date(node: &Node, path: &str) -> Option<String> {
    let at = node.at(path)?;
    at.text("Dt").or(at.text("DtTm")).or(Some(at.text.trim())).and_then(|d| day(d, false))
}
