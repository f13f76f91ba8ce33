//! The electronic invoice of Kazakhstan, second version. What the exchange adds, its number and a signature, is not ours.

use super::xml::Writer;
use kernel::{Error, Result};
use serde_json::Value;

/// Out of what `einvoicing.document` says.
///
/// # Errors
/// Refused when something is missing that the exchange asks for.
pub(super) fn write(told: &Value) -> Result<String> {
    let (seller, buyer) = (&told["seller"], &told["buyer"]);
    if seller["bin"].is_null() {
        return Err(Error::refused("Your legal entity needs a BIN before its invoices go to the exchange."));
    }
    let resident = buyer["country"] == "KZ";
    if resident && buyer["bin"].is_null() {
        return Err(Error::refused("The customer needs a BIN or IIN before his invoices go to the exchange."));
    }
    let mut file = Writer::new();
    let spaces = [("xmlns:a", "abstractInvoice.esf"), ("xmlns:v2", "v2.esf")];
    file.with("v2:invoice", &spaces, |f| {
        f.leaf("date", day(&told["issued_on"]).as_deref());
        let corrects = &told["credits"];
        f.leaf("invoiceType", Some(if corrects.is_null() { "ORDINARY_INVOICE" } else { "ADDITIONAL_INVOICE" }));
        f.leaf("num", text(told, "number"));
        f.leaf("operatorFullname", text(seller, "name"));
        if !corrects.is_null() {
            f.element("relatedInvoice", |f| {
                f.leaf("date", day(&corrects["issued_on"]).as_deref());
                f.leaf("num", text(corrects, "number"));
                f.leaf("registrationNumber", text(corrects, "registration"));
            });
        }
        f.leaf("turnoverDate", day(&told["supplied_on"]).as_deref());
        f.leaf("addInf", text(told, "note"));
        f.element("customers", |f| {
            f.element("customer", |f| {
                f.leaf("address", Some(&address(buyer)));
                f.leaf("countryCode", text(buyer, "country"));
                f.leaf("name", text(buyer, "name"));
                if !resident {
                    f.element("statuses", |f| f.leaf("status", Some("NONRESIDENT")));
                }
                f.leaf("tin", text(buyer, "bin"));
            });
        });
        f.element("deliveryTerm", |f| {
            f.leaf("contractNum", text(told, "contract_number"));
            f.leaf("hasContract", Some(if told["contract_number"].is_null() { "false" } else { "true" }));
        });
        f.element("productSet", |f| products(f, told));
        f.element("sellers", |f| {
            f.element("seller", |f| {
                f.leaf("address", Some(&address(seller)));
                f.leaf("name", text(seller, "name"));
                if !resident {
                    f.element("statuses", |f| f.leaf("status", Some("EXPORTER")));
                }
                f.leaf("tin", text(seller, "bin"));
            });
        });
    });
    Ok(file.finish())
}

/// A note that takes back has its amounts below nothing.
fn products(f: &mut Writer, told: &Value) {
    let sign = |amount: Option<&str>| {
        let amount = amount.unwrap_or("0");
        let nothing = amount.chars().all(|c| matches!(c, '0' | '.'));
        if told["kind"] == "CREDIT_NOTE" && !nothing { format!("-{amount}") } else { amount.to_owned() }
    };
    f.leaf("currencyCode", text(told, "currency"));
    if told["currency"] != "KZT" {
        f.leaf("currencyRate", text(told, "rate"));
    }
    f.element("products", |f| {
        for line in told["lines"].as_array().into_iter().flatten() {
            f.element("product", |f| {
                f.leaf("additional", text(line, "description"));
                f.leaf("description", text(line, "name"));
                f.leaf("ndsAmount", Some(&sign(text(line, "tax"))));
                // Exempt has no rate, which is not the rate of nothing.
                if line["category"] != "E" {
                    f.leaf("ndsRate", text(line, "rate"));
                }
                f.leaf("priceWithTax", Some(&sign(text(line, "gross"))));
                f.leaf("priceWithoutTax", Some(&sign(text(line, "net"))));
                f.leaf("quantity", text(line, "quantity"));
                // 6: works and services, 5: goods of neither list.
                f.leaf("truOriginCode", Some(if line["is_service"] == true { "6" } else { "5" }));
                f.leaf("turnoverSize", Some(&sign(text(line, "net"))));
                f.leaf("unitNomenclature", text(line, "unit"));
                if line["per"] == "1" {
                    f.leaf("unitPrice", text(line, "price"));
                }
            });
        }
    });
    f.leaf("totalExciseAmount", Some("0"));
    f.leaf("totalNdsAmount", Some(&sign(text(told, "lines_tax"))));
    f.leaf("totalPriceWithTax", Some(&sign(text(told, "payable"))));
    f.leaf("totalPriceWithoutTax", Some(&sign(text(told, "net"))));
    f.leaf("totalTurnoverSize", Some(&sign(text(told, "net"))));
}

fn address(told: &Value) -> String {
    let said = ["postal_code", "city", "street"].iter().filter_map(|f| text(told, f));
    said.collect::<Vec<_>>().join(", ")
}

/// 21.11.2026
fn day(said: &Value) -> Option<String> {
    let day: jiff::civil::Date = said.as_str()?.parse().ok()?;
    Some(day.strftime("%d.%m.%Y").to_string())
}

fn text<'a>(told: &'a Value, field: &str) -> Option<&'a str> {
    told[field].as_str()
}
