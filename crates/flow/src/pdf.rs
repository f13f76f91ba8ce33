//! Documents on paper: invoices, offers, orders, delivery notes. Whoever fills a [`Document`] brings its words in the
//! reader's language; here they only find their places.

mod image;
mod ink;
mod layout;

use kernel::Result;
use serde::Deserialize;

/// All texts may have several lines. What is empty is left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Document {
    /// `Invoice`
    pub title: String,
    pub number: String,
    /// `Draft`, `Paid`
    pub stamp: String,
    /// BCP 47, for screen readers.
    pub language: String,
    pub paper: Paper,
    pub company: Company,
    /// Seller, buyer, consignee: up to three beside each other.
    pub parties: Vec<Party>,
    /// Date, due date, order, currency.
    pub facts: Vec<Fact>,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// For each rate: base and tax. Columns and rows as above.
    pub tax_columns: Vec<Column>,
    pub tax_rows: Vec<Row>,
    pub totals: Vec<Total>,
    /// The total in words, terms, bank details, notes.
    pub blocks: Vec<Block>,
    /// Who signs, or has signed: a line for each.
    pub signatures: Vec<Signature>,
    /// At the foot of every page, beside `1 / 2`.
    pub footer: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    #[default]
    A4,
    Letter,
}

/// Whose document it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Company {
    pub name: String,
    /// Address, BIN, telephone.
    pub details: String,
    /// 0 to 360; the product's own when `None`.
    pub accent_hue: Option<u16>,
    /// PNG or JPEG; anything else is left out.
    #[serde(skip)]
    pub logo: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Party {
    /// `Bill to`
    pub label: String,
    pub name: String,
    pub details: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub label: String,
    pub value: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Column {
    pub label: String,
    /// Numbers: as wide as they are, at the right. Other columns share what is left.
    pub number: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Row {
    pub cells: Vec<String>,
    /// Small, under the first cell of text.
    pub detail: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Total {
    pub label: String,
    pub value: String,
    /// What is to be paid.
    pub strong: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Block {
    pub label: String,
    pub text: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signature {
    /// Under the line: who, when.
    pub label: String,
    /// What was drawn, as the path of an SVG of 300 by 100, of `M`, `L` and `Q`; empty where it is signed by hand.
    pub path: String,
    /// A name that was typed.
    pub text: String,
}

/// Rows beyond this make no document; hand out a file.
pub const MOST_ROWS: usize = 10_000;

/// The bytes of a PDF file; the same for the same document. Takes a few milliseconds a page and no I/O.
pub fn render(document: &Document) -> Result<Vec<u8>> {
    if document.rows.len() > MOST_ROWS {
        return Err(kernel::Error::refused(format!(
            "A document may have {MOST_ROWS} lines at most; export them instead."
        )));
    }
    layout::lay_out(document)
}
