//! pain.001.001.09 of ISO 20022: what a bank is told to pay. Checked against its main rules before it is written.

use kernel::{Error, Result};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use rust_decimal::Decimal;
use std::io;

pub(super) struct Transfer {
    /// At most 35 signs, once in the file.
    pub(super) id: String,
    pub(super) amount: Decimal,
    pub(super) creditor: String,
    pub(super) iban: String,
    pub(super) bic: Option<String>,
    pub(super) text: String,
}

pub(super) struct Order {
    pub(super) id: String,
    pub(super) made_at: String,
    pub(super) execute_on: String,
    pub(super) debtor: String,
    pub(super) iban: String,
    pub(super) bic: Option<String>,
    pub(super) currency: String,
    pub(super) transfers: Vec<Transfer>,
}

type Xml = Writer<Vec<u8>>;

impl Order {
    /// # Errors
    /// When something is missing that the bank would refuse it for: it is named.
    pub(super) fn file(&self) -> Result<String> {
        let refuse = |said: String| Err(Error::refused(said));
        if self.transfers.is_empty() {
            return refuse("There is nothing to pay in this run.".into());
        }
        let mut ids: Vec<&str> = self.transfers.iter().map(|t| t.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() < self.transfers.len() || self.transfers.iter().any(|t| t.id.is_empty() || t.id.len() > 35) {
            return refuse("Every payment needs a number of its own, of at most 35 signs.".into());
        }
        if let Some(t) = self.transfers.iter().find(|t| t.amount <= Decimal::ZERO || t.iban.is_empty() || t.creditor.trim().is_empty()) {
            return refuse(format!("The payment {} lacks its amount, its account or its name.", t.id));
        }
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 1);
        self.write(&mut xml).map_err(|e| Error::broken(e.to_string()))?;
        String::from_utf8(xml.into_inner()).map_err(|e| Error::broken(e.to_string()))
    }

    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        let total = money(self.transfers.iter().map(|t| t.amount).sum());
        let many = self.transfers.len().to_string();
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let document = xml.create_element("Document").with_attribute(("xmlns", "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"));
        document.write_inner_content(|xml| {
            within(xml, "CstmrCdtTrfInitn", |xml| {
                within(xml, "GrpHdr", |xml| {
                    text(xml, "MsgId", &latin(&self.id, 35))?;
                    text(xml, "CreDtTm", &self.made_at)?;
                    text(xml, "NbOfTxs", &many)?;
                    text(xml, "CtrlSum", &total)?;
                    within(xml, "InitgPty", |xml| text(xml, "Nm", &latin(&self.debtor, 140)))
                })?;
                within(xml, "PmtInf", |xml| {
                    text(xml, "PmtInfId", &latin(&self.id, 35))?;
                    text(xml, "PmtMtd", "TRF")?;
                    text(xml, "NbOfTxs", &many)?;
                    text(xml, "CtrlSum", &total)?;
                    within(xml, "ReqdExctnDt", |xml| text(xml, "Dt", &self.execute_on))?;
                    within(xml, "Dbtr", |xml| text(xml, "Nm", &latin(&self.debtor, 140)))?;
                    account(xml, "DbtrAcct", &self.iban)?;
                    agent(xml, "DbtrAgt", self.bic.as_deref())?;
                    text(xml, "ChrgBr", if self.currency == "EUR" { "SLEV" } else { "SHAR" })?;
                    self.transfers.iter().try_for_each(|t| self.transfer(xml, t))
                })
            })
        })?;
        Ok(())
    }

    fn transfer(&self, xml: &mut Xml, t: &Transfer) -> io::Result<()> {
        within(xml, "CdtTrfTxInf", |xml| {
            within(xml, "PmtId", |xml| text(xml, "EndToEndId", &latin(&t.id, 35)))?;
            within(xml, "Amt", |xml| {
                let amount = xml.create_element("InstdAmt").with_attribute(("Ccy", self.currency.as_str()));
                amount.write_text_content(BytesText::new(&money(t.amount))).map(drop)
            })?;
            if t.bic.is_some() {
                agent(xml, "CdtrAgt", t.bic.as_deref())?;
            }
            within(xml, "Cdtr", |xml| text(xml, "Nm", &latin(&t.creditor, 140)))?;
            account(xml, "CdtrAcct", &t.iban)?;
            within(xml, "RmtInf", |xml| text(xml, "Ustrd", &latin(&t.text, 140)))
        })
    }
}

fn within(xml: &mut Xml, name: &str, inner: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    xml.create_element(name).write_inner_content(inner).map(drop)
}

fn text(xml: &mut Xml, name: &str, content: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(content)).map(drop)
}

fn account(xml: &mut Xml, name: &str, iban: &str) -> io::Result<()> {
    within(xml, name, |xml| within(xml, "Id", |xml| text(xml, "IBAN", iban)))
}

fn agent(xml: &mut Xml, name: &str, bic: Option<&str>) -> io::Result<()> {
    within(xml, name, |xml| {
        within(xml, "FinInstnId", |xml| match bic {
            Some(bic) => text(xml, "BICFI", bic),
            None => within(xml, "Othr", |xml| text(xml, "Id", "NOTPROVIDED")),
        })
    })
}

fn money(amount: Decimal) -> String {
    let amount = amount.normalize();
    format!("{amount:.*}", usize::try_from(amount.scale()).unwrap_or_default().max(2))
}

/// What no bank reads becomes a space; a name that is too long is cut.
fn latin(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(transfers: Vec<Transfer>) -> Order {
        Order {
            id: "RUN-00001".into(), made_at: "2026-03-01T10:00:00Z".into(), execute_on: "2026-03-02".into(), debtor: "Acme & Söhne".into(), iban: "DE89370400440532013000".into(),
            bic: Some("COBADEFF".into()), currency: "EUR".into(), transfers,
        }
    }

    fn transfer(id: &str, amount: &str) -> Transfer {
        Transfer { id: id.into(), amount: amount.parse().unwrap(), creditor: "Iron <Ltd>".into(), iban: "GB29NWBK60161331926819".into(), bic: None, text: "77 & 78".into() }
    }

    #[test]
    fn a_file_says_what_the_bank_is_to_pay() {
        let file = order(vec![transfer("PAY-00001", "59.5"), transfer("PAY-00002", "1000")]).file().unwrap();
        for part in [
            "<NbOfTxs>2</NbOfTxs>", "<CtrlSum>1059.50</CtrlSum>", r#"<InstdAmt Ccy="EUR">59.50</InstdAmt>"#, "<Nm>Iron &lt;Ltd&gt;</Nm>", "<Ustrd>77 &amp; 78</Ustrd>", "<Dt>2026-03-02</Dt>",
            "<IBAN>GB29NWBK60161331926819</IBAN>", "<BICFI>COBADEFF</BICFI>",
        ] {
            assert!(file.contains(part), "{part}: {file}");
        }
        let tree = crate::banking::xml::parse(&file).unwrap();
        assert_eq!(tree.at("Document/CstmrCdtTrfInitn/PmtInf").map(|p| p.all("CdtTrfTxInf").count()), Some(2));
    }

    #[test]
    fn what_the_bank_would_refuse_is_refused_here() {
        for transfers in [vec![], vec![transfer("A", "1"), transfer("A", "1")], vec![transfer("A", "0")], vec![transfer(&"A".repeat(36), "1")]] {
            assert!(order(transfers).file().is_err());
        }
    }
}
