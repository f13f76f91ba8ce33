//! XML of strangers, read into a small tree. No document types and no entities of their own: what would be fetched or
//! blown up is refused; so is what is nested deeper, or has more elements, than any statement.

use super::statement::wrong;
use kernel::Result;
use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

const DEEPEST: usize = 40;
const MOST: usize = 2_000_000;

/// An element, without its namespace.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) text: String,
    /// The attribute `Ccy`, the only one that statements have.
    pub(super) currency: Option<String>,
    pub(super) children: Vec<Node>,
    /// The line of the file that it begins in.
    pub(super) line: usize,
}

impl Node {
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The first at a path: `Acct/Id/IBAN`.
    pub(super) fn at(&self, path: &str) -> Option<&Node> {
        path.split('/').try_fold(self, |node, name| node.children.iter().find(|c| c.name == name))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.at(path).map(|n| n.text.trim()).filter(|t| !t.is_empty())
    }
}

/// # Errors
/// When it is not well formed, or is more than data; the line is named.
pub(super) fn parse(text: &str) -> Result<Node> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut open = vec![Node::default()];
    let (mut elements, mut passed, mut line) = (0, 0, 1);
    loop {
        let event = reader.read_event();
        let until = usize::try_from(reader.buffer_position()).unwrap_or(text.len()).min(text.len());
        let begins = line;
        line += text.as_bytes()[passed..until.max(passed)].iter().filter(|b| **b == b'\n').count();
        passed = until.max(passed);
        let event = event.map_err(|_| wrong(line, "this is not well-formed XML"))?;
        let last = open.len() - 1;
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                elements += 1;
                if open.len() > DEEPEST || elements > MOST {
                    return Err(wrong(line, "this is no statement"));
                }
                let mut node = Node { name: tag.local_name().as_ref().to_owned(), line: begins, ..Node::default() };
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|_| wrong(line, "this is not well-formed XML"))?;
                    if attribute.key.as_ref() == "Ccy" {
                        node.currency = Some(attribute.value.to_string());
                    }
                }
                if matches!(event, Event::Empty(_)) { open[last].children.push(node) } else { open.push(node) }
            }
            Event::End(_) if last > 0 => {
                if let Some(node) = open.pop() {
                    open[last - 1].children.push(node);
                }
            }
            Event::Text(words) => open[last].text.push_str(&words),
            Event::CData(words) => open[last].text.push_str(&words),
            Event::GeneralRef(reference) => {
                let sign = reference.resolve_char_ref().ok().flatten().map(String::from);
                let sign = sign.or_else(|| resolve_predefined_entity(&reference).map(str::to_owned));
                open[last].text.push_str(&sign.ok_or_else(|| wrong(line, "only the entities of XML itself are read"))?);
            }
            Event::DocType(_) => return Err(wrong(line, "a statement has no document type")),
            Event::Eof => break,
            Event::End(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err(wrong(line, "the file ends too early")),
    }
}
