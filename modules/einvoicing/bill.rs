//! A bill out of a file in UBL.

use super::xml::Node;
use kernel::{Error, Result};
use serde_json::{Value, json};

/// How much of what was not understood is told.
const MOST: usize = 200;

/// What `einvoicing.bill` needs to know, and what else the file says.
///
/// # Errors
/// Refused when it is no invoice, or lacks what an invoice has.
pub(super) fn read(text: &str) -> Result<(Value, Vec<String>)> {
    let root = Node::parse(text)?;
    let credit = match root.name() {
        "Invoice" => false,
        "CreditNote" => true,
        other => return Err(wrong(&format!("{other} is no invoice and no credit note."))),
    };
    let kind = match (credit, root.text("InvoiceTypeCode")) {
        (true, _) => "CREDIT_NOTE",
        (false, Some("381")) => "CREDIT_NOTE",
        (false, Some("383")) => "DEBIT_NOTE",
        _ => "STANDARD",
    };
    root.texts("CreditNoteTypeCode");
    root.texts("CustomizationID");
    root.texts("ProfileID");
    let seller = root.all("AccountingSupplierParty/Party");
    let seller = seller.first().ok_or_else(|| wrong("it does not say who sells."))?;
    let mut ids = seller.texts("PartyTaxScheme/CompanyID");
    ids.extend(seller.texts("PartyLegalEntity/CompanyID"));
    ids.extend(seller.texts("PartyIdentification/ID"));
    // The same number without its country.
    let bare: Vec<&str> = ids.iter().filter_map(|id| id.get(2..)).collect();
    ids.extend(bare);
    seller.texts("PartyTaxScheme/TaxScheme/ID");
    let name = seller.text("PartyLegalEntity/RegistrationName").or_else(|| seller.text("PartyName/Name"));
    seller.texts("PartyName/Name");
    for known in [
        "PostalAddress/StreetName", "PostalAddress/CityName", "PostalAddress/PostalZone", "PostalAddress/Country/IdentificationCode",
        "Contact/ElectronicMail",
    ] {
        seller.texts(known);
    }
    // Who buys is we.
    for known in [
        "PartyName/Name", "PostalAddress/StreetName", "PostalAddress/CityName", "PostalAddress/PostalZone",
        "PostalAddress/Country/IdentificationCode", "PartyTaxScheme/CompanyID", "PartyTaxScheme/TaxScheme/ID",
        "PartyLegalEntity/RegistrationName", "PartyLegalEntity/CompanyID",
    ] {
        root.texts(&format!("AccountingCustomerParty/Party/{known}"));
    }
    // Sums follow from the lines and are compared at the end.
    for known in [
        "TaxTotal/TaxAmount", "TaxTotal/TaxSubtotal/TaxableAmount", "TaxTotal/TaxSubtotal/TaxAmount", "TaxTotal/TaxSubtotal/TaxCategory/ID",
        "TaxTotal/TaxSubtotal/TaxCategory/Percent", "TaxTotal/TaxSubtotal/TaxCategory/TaxScheme/ID", "LegalMonetaryTotal/LineExtensionAmount",
        "LegalMonetaryTotal/TaxExclusiveAmount", "LegalMonetaryTotal/TaxInclusiveAmount", "LegalMonetaryTotal/PayableRoundingAmount",
    ] {
        root.texts(known);
    }
    root.texts("LegalMonetaryTotal/AllowanceTotalAmount");
    root.texts("LegalMonetaryTotal/ChargeTotalAmount");
    let line_name = if credit { "CreditNoteLine" } else { "InvoiceLine" };
    let mut lines = root.all(line_name).into_iter().map(|l| line(l, credit)).collect::<Result<Vec<_>>>()?;
    if lines.is_empty() {
        return Err(wrong("it has no lines."));
    }
    let (mut allowances, mut notes) = (Vec::new(), root.texts("Note").iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    for of_whole in root.all("AllowanceCharge") {
        let change = change(of_whole)?;
        if change.adds {
            lines.push(json!({ "name": change.reason, "quantity": "1", "net": change.amount, "price": change.amount, "rate": change.rate }));
        } else {
            notes.push(format!("{}: -{}", change.reason, change.amount));
            allowances.push(json!({ "amount": change.amount, "rate": change.rate }));
        }
    }
    let need = |path: &str| root.text(path).ok_or_else(|| wrong(&format!("it lacks {path}.")));
    let told = json!({
        "kind": kind,
        "number": need("ID")?,
        "issued_on": day(need("IssueDate")?)?,
        "due_on": root.text("DueDate").or_else(|| root.text("PaymentMeans/PaymentDueDate")).map(day).transpose()?,
        "supplied_on": root.text("Delivery/ActualDeliveryDate").map(day).transpose()?,
        "currency": need("DocumentCurrencyCode")?,
        "po_number": root.text("OrderReference/ID"),
        "contract_number": root.text("ContractDocumentReference/ID"),
        "terms": root.text("PaymentTerms/Note"),
        "note": (!notes.is_empty()).then(|| notes.join("\n")),
        "seller": { "name": name, "ids": ids },
        "lines": lines,
        "allowances": allowances,
        "payable": number(need("LegalMonetaryTotal/PayableAmount")?)?,
    });
    Ok((told, root.unseen(MOST)))
}

fn line(line: &Node, credit: bool) -> Result<Value> {
    line.texts("ID");
    let quantity = if credit { "CreditedQuantity" } else { "InvoicedQuantity" };
    let need = |path: &str| line.text(path).ok_or_else(|| wrong(&format!("a line lacks {path}.")));
    let net = number(need("LineExtensionAmount")?)?;
    line.texts("Item/ClassifiedTaxCategory/ID");
    line.texts("Item/ClassifiedTaxCategory/TaxScheme/ID");
    line.texts("Price/BaseQuantity");
    // What is taken off a line or added to it is in its amount already.
    for known in ["ChargeIndicator", "AllowanceChargeReasonCode", "AllowanceChargeReason", "MultiplierFactorNumeric", "Amount", "BaseAmount"] {
        line.texts(&format!("AllowanceCharge/{known}"));
        line.texts(&format!("Price/AllowanceCharge/{known}"));
    }
    let quantity = number(need(quantity)?)?;
    if quantity.starts_with('-') || quantity.bytes().all(|b| matches!(b, b'0' | b'.')) || net.starts_with('-') {
        return Err(Error::refused_at("content", "Lines of less than nothing are not read in; ask for a credit note."));
    }
    Ok(json!({
        "name": need("Item/Name")?,
        "description": line.text("Item/Description"),
        "quantity": quantity,
        "net": net,
        "price": number(need("Price/PriceAmount")?)?,
        "per": line.text("Price/BaseQuantity").map(number).transpose()?,
        "rate": line.text("Item/ClassifiedTaxCategory/Percent").map(number).transpose()?,
    }))
}

/// What is taken off the whole or added to it, BG-20 and BG-21.
struct Change<'a> {
    adds: bool,
    reason: &'a str,
    amount: &'a str,
    rate: Option<&'a str>,
}

fn change(node: &Node) -> Result<Change<'_>> {
    for known in ["AllowanceChargeReasonCode", "MultiplierFactorNumeric", "BaseAmount", "TaxCategory/ID", "TaxCategory/TaxScheme/ID"] {
        node.texts(known);
    }
    let said = node.text("ChargeIndicator").ok_or_else(|| wrong("an allowance or charge does not say which it is."))?;
    let amount = number(node.text("Amount").ok_or_else(|| wrong("an allowance or charge lacks its amount."))?)?;
    let (amount, turned) = amount.strip_prefix('-').map_or((amount, false), |amount| (amount, true));
    let adds = matches!(said, "true" | "1") != turned;
    let reason = node.text("AllowanceChargeReason").unwrap_or(if adds { "Charge" } else { "Allowance" });
    Ok(Change { adds, reason, amount, rate: node.text("TaxCategory/Percent").map(number).transpose()? })
}

/// A plain decimal of a length that the database has room for.
fn number(text: &str) -> Result<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 13 || part.len() > 20 || !plain(whole) || !plain(part) {
        return Err(wrong(&format!("{} is no number.", text.chars().take(40).collect::<String>())));
    }
    Ok(text)
}

fn day(text: &str) -> Result<String> {
    let day = text.get(..10).unwrap_or_default().parse::<jiff::civil::Date>();
    Ok(day.map_err(|_| wrong(&format!("{} is no day.", text.chars().take(40).collect::<String>())))?.to_string())
}

fn wrong(why: &str) -> Error {
    Error::refused_at("content", format!("This is not a file in UBL: {why}"))
}
