//! What a document is made of, and how it stands in the shared state that the editors of the pages keep. Whatever else
//! somebody puts there is refused: nothing that was not meant gets to others.

use kernel::{Error, Result};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;
use yrs::{
    Any, Out, ReadTxn, Text, TransactionMut, Xml, XmlElementPrelim, XmlElementRef, XmlFragment, XmlOut,
    XmlTextPrelim, types::text::YChange,
};

/// Blocks within blocks.
const DEEPEST: usize = 16;
/// Longest address of a link, in characters.
const LONGEST: usize = 2_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Paragraph(Line),
    Heading(u8, Line),
    List {
        numbered: bool,
        items: Vec<Item>,
    },
    Quote(Vec<Block>),
    Code(String),
    Rule,
    /// The records of a view, shown where it stands.
    Table {
        href: String,
        title: String,
    },
}

/// An entry of a list, and the lists within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) line: Line,
    pub(crate) nested: Vec<Block>,
}

pub(crate) type Line = Vec<Run>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) marks: Marks,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// What was said about these words.
    pub(crate) comment: Option<Uuid>,
    pub(crate) link: Option<String>,
    pub(crate) bold: bool,
    pub(crate) italic: bool,
    pub(crate) strike: bool,
    pub(crate) code: bool,
}

/// Adds words to a line; those marked alike are one.
pub(crate) fn add(line: &mut Line, text: &str, marks: &Marks) {
    match line.last_mut() {
        Some(last) if last.marks == *marks => last.text.push_str(text),
        _ if text.is_empty() => {}
        _ => line.push(Run { text: text.to_owned(), marks: marks.clone() }),
    }
}

/// Whether a link may lead there: to the web, a letter, a call, or a place in the house.
pub(crate) fn link(to: &str) -> bool {
    let lower = to.to_ascii_lowercase();
    let known = ["http://", "https://", "mailto:", "tel:"].iter().any(|s| lower.starts_with(s));
    let here = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\");
    (known || here)
        && to.len() <= LONGEST
        && !to.contains(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '(' | ')' | '<' | '>' | '"')
        })
}

/// The address of a table: a view of records.
pub(crate) fn table(to: &str) -> bool {
    to.starts_with("/o/") && link(to)
}

/// The comment that an address within the document names.
pub(crate) fn comment_of(to: &str) -> Option<Uuid> {
    to.strip_prefix("#comment-")?.parse().ok()
}

fn foreign() -> Error {
    Error::refused("This document has something in it that it may not have.")
}

/// Reads the blocks of the state.
///
/// # Errors
/// Refused where something stands there that the pages do not put there.
pub(crate) fn read<T: ReadTxn>(txn: &T, parent: &impl XmlFragment, deep: usize) -> Result<Vec<Block>> {
    if deep > DEEPEST {
        return Err(foreign());
    }
    let mut out = Vec::new();
    for child in parent.children(txn) {
        let XmlOut::Element(e) = child else { return Err(foreign()) };
        out.push(match &**e.tag() {
            "paragraph" => Block::Paragraph(line(txn, &e, &[])?),
            "heading" => {
                let level = attributes(txn, &e, &["level"])?.remove("level").unwrap_or_default();
                match level.parse() {
                    Ok(level @ 1..=3) => Block::Heading(level, line(txn, &e, &["level"])?),
                    _ => return Err(foreign()),
                }
            }
            tag @ ("bulletList" | "orderedList") => {
                attributes(txn, &e, &["start", "type"])?;
                let items = e.children(txn).map(|i| item(txn, i, deep + 1)).collect::<Result<_>>()?;
                Block::List { numbered: tag == "orderedList", items }
            }
            "blockquote" => {
                attributes(txn, &e, &[])?;
                Block::Quote(read(txn, &e, deep + 1)?)
            }
            "codeBlock" => {
                let words = line(txn, &e, &["language"])?;
                Block::Code(words.into_iter().map(|r| r.text).collect())
            }
            "horizontalRule" => {
                attributes(txn, &e, &[])?;
                Block::Rule
            }
            "linkedTable" => {
                let mut has = attributes(txn, &e, &["href", "title"])?;
                let href = has.remove("href").filter(|h| table(h)).ok_or_else(foreign)?;
                let title = has.remove("title").unwrap_or_default();
                Block::Table { href, title: title.split_whitespace().collect::<Vec<_>>().join(" ") }
            }
            _ => return Err(foreign()),
        });
    }
    Ok(out)
}

fn item<T: ReadTxn>(txn: &T, child: XmlOut, deep: usize) -> Result<Item> {
    let XmlOut::Element(e) = child else { return Err(foreign()) };
    if &**e.tag() != "listItem" {
        return Err(foreign());
    }
    attributes(txn, &e, &[])?;
    let mut item = Item { line: Line::new(), nested: Vec::new() };
    for block in read(txn, &e, deep)? {
        match block {
            // Two who press Enter at once may leave two paragraphs in one.
            Block::Paragraph(words) => {
                if !item.line.is_empty() && !words.is_empty() {
                    add(&mut item.line, "\n", &Marks::default());
                }
                words.iter().for_each(|r| add(&mut item.line, &r.text, &r.marks));
            }
            list @ Block::List { .. } => item.nested.push(list),
            _ => return Err(foreign()),
        }
    }
    Ok(item)
}

fn attributes<T: ReadTxn>(txn: &T, e: &XmlElementRef, allowed: &[&str]) -> Result<HashMap<String, String>> {
    let mut out = HashMap::new();
    for (name, value) in e.attributes(txn) {
        let value = match value {
            Out::Any(Any::String(s)) => s.to_string(),
            Out::Any(Any::Number(n)) => Any::Number(n).to_string(),
            Out::Any(Any::Null | Any::Undefined) => continue,
            _ => return Err(foreign()),
        };
        if !allowed.contains(&name) || value.len() > LONGEST {
            return Err(foreign());
        }
        out.insert(name.to_owned(), value);
    }
    Ok(out)
}

fn line<T: ReadTxn>(txn: &T, e: &XmlElementRef, allowed: &[&str]) -> Result<Line> {
    attributes(txn, e, allowed)?;
    let mut out = Line::new();
    for child in e.children(txn) {
        match child {
            XmlOut::Text(text) => {
                for part in text.diff(txn, YChange::identity) {
                    let Out::Any(Any::String(words)) = part.insert else { return Err(foreign()) };
                    let marks = part.attributes.map(|a| marks(&a)).transpose()?.unwrap_or_default();
                    add(&mut out, &words.replace('\r', ""), &marks);
                }
            }
            XmlOut::Element(e) if &**e.tag() == "hardBreak" => add(&mut out, "\n", &Marks::default()),
            _ => return Err(foreign()),
        }
    }
    Ok(out)
}

fn marks(given: &HashMap<Arc<str>, Any>) -> Result<Marks> {
    let mut marks = Marks::default();
    for (name, value) in given {
        let of = |key: &str| match value {
            Any::Map(map) => match map.get(key) {
                Some(Any::String(s)) => Ok(s.to_string()),
                _ => Err(foreign()),
            },
            _ => Err(foreign()),
        };
        match &**name {
            _ if matches!(value, Any::Null | Any::Undefined) => {}
            "bold" => marks.bold = true,
            "italic" => marks.italic = true,
            "strike" => marks.strike = true,
            "code" => marks.code = true,
            "link" => marks.link = Some(of("href")?).filter(|h| link(h)).ok_or_else(foreign).map(Some)?,
            "comment" => marks.comment = Some(of("id")?.parse().map_err(|_| foreign())?),
            _ => return Err(foreign()),
        }
    }
    Ok(marks)
}

/// Puts blocks into the state.
pub(crate) fn put(txn: &mut TransactionMut, parent: &impl XmlFragment, at: u32, blocks: &[Block]) {
    for (n, block) in (at..).zip(blocks) {
        let mut new = |tag: &str| parent.insert(txn, n, XmlElementPrelim::empty(tag));
        match block {
            Block::Paragraph(line) => {
                let e = new("paragraph");
                fill(txn, &e, line);
            }
            Block::Heading(level, line) => {
                let e = new("heading");
                e.insert_attribute(txn, "level", i64::from(*level));
                fill(txn, &e, line);
            }
            Block::List { numbered, items } => {
                let e = new(if *numbered { "orderedList" } else { "bulletList" });
                for (n, item) in (0..).zip(items) {
                    let inner = e.insert(txn, n, XmlElementPrelim::empty("listItem"));
                    put(txn, &inner, 0, &[Block::Paragraph(item.line.clone())]);
                    put(txn, &inner, 1, &item.nested);
                }
            }
            Block::Quote(blocks) => {
                let e = new("blockquote");
                put(txn, &e, 0, blocks);
            }
            Block::Code(text) => {
                let e = new("codeBlock");
                fill(txn, &e, &vec![Run { text: text.clone(), marks: Marks::default() }]);
            }
            Block::Rule => {
                new("horizontalRule");
            }
            Block::Table { href, title } => {
                let e = new("linkedTable");
                e.insert_attribute(txn, "href", href.as_str());
                e.insert_attribute(txn, "title", title.as_str());
            }
        }
    }
}

fn fill(txn: &mut TransactionMut, e: &XmlElementRef, line: &Line) {
    if line.iter().all(|r| r.text.is_empty()) {
        return;
    }
    let text = e.push_back(txn, XmlTextPrelim::new(""));
    for run in line {
        let Marks { comment, link, bold, italic, strike, code } = &run.marks;
        let one = |key: &str, value: String| Any::from(HashMap::from([(key.to_owned(), Any::from(value))]));
        let plain = |on: &bool| on.then(|| Any::from(HashMap::<String, Any>::new()));
        let all = [
            ("comment", comment.map(|id| one("id", id.to_string()))),
            ("link", link.clone().map(|href| one("href", href))),
            ("bold", plain(bold)),
            ("italic", plain(italic)),
            ("strike", plain(strike)),
            ("code", plain(code)),
        ];
        let marks = all.into_iter().filter_map(|(k, v)| Some((Arc::from(k), v?))).collect();
        text.insert_with_attributes(txn, text.len(txn), &run.text, marks);
    }
}
