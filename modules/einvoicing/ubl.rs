//! UBL 2.1 as EN 16931 wants it. The elements stand in the order of the schema.

use super::xml::Writer;
use kernel::{Error, Result};
use serde_json::Value;

const COMMON: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2";
const AGGREGATE: &str = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2";

/// Out of what `einvoicing.document` says.
///
/// # Errors
/// Refused when something is missing that EN 16931 asks for.
pub(super) fn write(told: &Value) -> Result<String> {
    let seller = &told["seller"];
    if seller["vat_id"].is_null() && seller["bin"].is_null() {
        return Err(Error::refused("Your legal entity needs a BIN or a tax id before its invoices become files."));
    }
    let taxed = told["groups"].as_array().into_iter().flatten().any(|g| g["category"] != "E");
    if taxed && seller["vat_id"].is_null() && seller["country"] != "KZ" {
        return Err(Error::refused("Your legal entity needs its tax id: these lines are taxed."));
    }
    if told["digits"].as_i64().is_some_and(|d| d > 2) {
        return Err(Error::refused("Files in UBL have amounts of at most two digits."));
    }
    let within_union = told["groups"].as_array().into_iter().flatten().any(|g| g["category"] == "K");
    if within_union && told["buyer"]["vat_id"].is_null() {
        return Err(Error::refused("What is supplied within the European Union needs the customer's tax id."));
    }
    let credit = told["kind"] == "CREDIT_NOTE";
    let root = if credit { "CreditNote" } else { "Invoice" };
    let own = format!("urn:oasis:names:specification:ubl:schema:xsd:{root}-2");
    let spaces = [("xmlns", own.as_str()), ("xmlns:cac", AGGREGATE), ("xmlns:cbc", COMMON)];
    let currency = text(told, "currency").unwrap_or_default();
    let mut file = Writer::new();
    file.with(root, &spaces, |f| {
        f.leaf("cbc:CustomizationID", Some("urn:cen.eu:en16931:2017"));
        f.leaf("cbc:ID", text(told, "number"));
        f.leaf("cbc:IssueDate", text(told, "issued_on"));
        if credit {
            f.leaf("cbc:CreditNoteTypeCode", Some("381"));
        } else {
            f.leaf("cbc:DueDate", text(told, "due_on"));
            f.leaf("cbc:InvoiceTypeCode", Some(if told["kind"] == "DEBIT_NOTE" { "383" } else { "380" }));
        }
        f.leaf("cbc:Note", text(told, "note"));
        f.leaf("cbc:DocumentCurrencyCode", Some(currency));
        if !told["po_number"].is_null() {
            f.element("cac:OrderReference", |f| f.leaf("cbc:ID", text(told, "po_number")));
        }
        let credits = &told["credits"];
        if !credits.is_null() {
            f.element("cac:BillingReference", |f| {
                f.element("cac:InvoiceDocumentReference", |f| {
                    f.leaf("cbc:ID", text(credits, "number"));
                    f.leaf("cbc:IssueDate", text(credits, "issued_on"));
                });
            });
        }
        if !told["contract_number"].is_null() {
            f.element("cac:ContractDocumentReference", |f| f.leaf("cbc:ID", text(told, "contract_number")));
        }
        f.element("cac:AccountingSupplierParty", |f| party(f, seller));
        f.element("cac:AccountingCustomerParty", |f| party(f, &told["buyer"]));
        f.element("cac:Delivery", |f| {
            f.leaf("cbc:ActualDeliveryDate", text(told, "supplied_on"));
            if within_union {
                f.element("cac:DeliveryLocation", |f| f.element("cac:Address", |f| country(f, &told["buyer"])));
            }
        });
        let terms = text(told, "terms").map(str::to_owned);
        let terms = terms.or_else(|| credit.then(|| text(told, "due_on").map(str::to_owned)).flatten());
        if let Some(terms) = terms {
            f.element("cac:PaymentTerms", |f| f.leaf("cbc:Note", Some(&terms)));
        }
        f.element("cac:TaxTotal", |f| {
            amount(f, "cbc:TaxAmount", currency, text(told, "tax"));
            for group in told["groups"].as_array().into_iter().flatten() {
                f.element("cac:TaxSubtotal", |f| {
                    amount(f, "cbc:TaxableAmount", currency, text(group, "base"));
                    amount(f, "cbc:TaxAmount", currency, text(group, "tax"));
                    f.element("cac:TaxCategory", |f| {
                        f.leaf("cbc:ID", text(group, "category"));
                        f.leaf("cbc:Percent", text(group, "rate"));
                        f.leaf("cbc:TaxExemptionReason", text(group, "exemption"));
                        scheme(f);
                    });
                });
            }
        });
        f.element("cac:LegalMonetaryTotal", |f| {
            amount(f, "cbc:LineExtensionAmount", currency, text(told, "net"));
            amount(f, "cbc:TaxExclusiveAmount", currency, text(told, "net"));
            amount(f, "cbc:TaxInclusiveAmount", currency, text(told, "inclusive"));
            amount(f, "cbc:PayableRoundingAmount", currency, text(told, "rounding"));
            amount(f, "cbc:PayableAmount", currency, text(told, "payable"));
        });
        for line in told["lines"].as_array().into_iter().flatten() {
            write_line(f, line, currency, credit);
        }
    });
    Ok(file.finish())
}

fn write_line(f: &mut Writer, line: &Value, currency: &str, credit: bool) {
    let (name, quantity) = if credit {
        ("cac:CreditNoteLine", "cbc:CreditedQuantity")
    } else {
        ("cac:InvoiceLine", "cbc:InvoicedQuantity")
    };
    let unit = [("unitCode", unit(text(line, "unit").unwrap_or_default()))];
    f.element(name, |f| {
        f.leaf("cbc:ID", Some(&line["n"].to_string()));
        f.leaf_with(quantity, &unit, text(line, "quantity"));
        amount(f, "cbc:LineExtensionAmount", currency, text(line, "net"));
        f.element("cac:Item", |f| {
            f.leaf("cbc:Description", text(line, "description"));
            f.leaf("cbc:Name", text(line, "name"));
            if !line["code"].is_null() {
                f.element("cac:SellersItemIdentification", |f| f.leaf("cbc:ID", text(line, "code")));
            }
            f.element("cac:ClassifiedTaxCategory", |f| {
                f.leaf("cbc:ID", text(line, "category"));
                f.leaf("cbc:Percent", text(line, "rate"));
                scheme(f);
            });
        });
        f.element("cac:Price", |f| {
            amount(f, "cbc:PriceAmount", currency, text(line, "price"));
            f.leaf_with("cbc:BaseQuantity", &unit, text(line, "per"));
        });
    });
}

fn party(f: &mut Writer, told: &Value) {
    f.element("cac:Party", |f| {
        f.element("cac:PartyName", |f| f.leaf("cbc:Name", text(told, "name")));
        f.element("cac:PostalAddress", |f| {
            f.leaf("cbc:StreetName", text(told, "street"));
            f.leaf("cbc:CityName", text(told, "city"));
            f.leaf("cbc:PostalZone", text(told, "postal_code"));
            country(f, told);
        });
        if !told["vat_id"].is_null() {
            f.element("cac:PartyTaxScheme", |f| {
                f.leaf("cbc:CompanyID", text(told, "vat_id"));
                scheme(f);
            });
        }
        f.element("cac:PartyLegalEntity", |f| {
            f.leaf("cbc:RegistrationName", text(told, "name"));
            f.leaf("cbc:CompanyID", text(told, "bin"));
        });
        if !told["email"].is_null() {
            f.element("cac:Contact", |f| f.leaf("cbc:ElectronicMail", text(told, "email")));
        }
    });
}

fn country(f: &mut Writer, told: &Value) {
    f.element("cac:Country", |f| f.leaf("cbc:IdentificationCode", text(told, "country")));
}

fn scheme(f: &mut Writer) {
    f.element("cac:TaxScheme", |f| f.leaf("cbc:ID", Some("VAT")));
}

fn amount(f: &mut Writer, name: &str, currency: &str, amount: Option<&str>) {
    f.leaf_with(name, &[("currencyID", currency)], amount);
}

fn text<'a>(told: &'a Value, field: &str) -> Option<&'a str> {
    told[field].as_str()
}

/// UN/ECE recommendation 20.
fn unit(name: &str) -> &'static str {
    match name.to_lowercase().trim_end_matches('.') {
        "kg" | "кг" => "KGM",
        "g" | "г" => "GRM",
        "t" | "т" => "TNE",
        "l" | "л" => "LTR",
        "m" | "м" => "MTR",
        "m²" | "м²" | "m2" | "м2" => "MTK",
        "m³" | "м³" | "m3" | "м3" => "MTQ",
        "h" | "ч" | "hour" | "час" => "HUR",
        "day" | "день" => "DAY",
        "month" | "мес" => "MON",
        "pcs" | "шт" | "piece" => "H87",
        _ => "C62",
    }
}
