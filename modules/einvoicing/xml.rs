//! Files as trees, and trees as files.

use kernel::{Error, Result};
use quick_xml::{Reader, escape::escape, events::Event};
use std::{cell::Cell, fmt::Write};

const DEEPEST: usize = 40;
const MOST: usize = 20_000;

/// An element that was read. What is looked at is remembered, so that the rest can be named.
pub(super) struct Node {
    name: String,
    text: String,
    children: Vec<Node>,
    seen: Cell<bool>,
}

impl Node {
    /// Without namespaces: the prefix of an element is anybody's choice.
    ///
    /// # Errors
    /// Refused when it is no file of this kind, is too large, or brings definitions of its own: entities that grow, or
    /// that name other files.
    pub(super) fn parse(text: &str) -> Result<Node> {
        let wrong = |why: &str| Error::refused_at("content", format!("This is not a file in UBL: {why}"));
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Node> = Vec::new();
        let mut count = 0;
        let mut root = None;
        loop {
            let event = reader.read_event().map_err(|e| wrong(&e.to_string()))?;
            let (node, is_empty) = match event {
                Event::Start(start) => (element(&start), false),
                Event::Empty(start) => (element(&start), true),
                Event::End(_) => {
                    let Some(node) = open.pop() else { return Err(wrong("an element ends that was not begun.")) };
                    place(node, &mut open, &mut root).map_err(wrong)?;
                    continue;
                }
                Event::Text(text) => {
                    say(&mut open, &text.xml10_content());
                    continue;
                }
                Event::CData(text) => {
                    say(&mut open, &text.xml10_content());
                    continue;
                }
                Event::GeneralRef(reference) => {
                    let letter = match reference.resolve_char_ref() {
                        Ok(Some(letter)) => Some(letter),
                        _ => known(&reference.xml10_content()),
                    };
                    let letter = letter.ok_or_else(|| wrong("it names an entity that nobody knows."))?;
                    say(&mut open, letter.encode_utf8(&mut [0; 4]));
                    continue;
                }
                Event::DocType(_) => return Err(wrong("it brings definitions of its own.")),
                Event::Eof => break,
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => continue,
            };
            count += 1;
            if count > MOST || open.len() >= DEEPEST {
                return Err(wrong("it is too large."));
            }
            if is_empty {
                place(node, &mut open, &mut root).map_err(wrong)?;
            } else {
                open.push(node);
            }
        }
        root.filter(|_| open.is_empty()).ok_or_else(|| wrong("it is cut short."))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The elements at the end of a path: `Party/PostalAddress`.
    pub(super) fn all(&self, path: &str) -> Vec<&Node> {
        path.split('/').fold(vec![self], |found, name| {
            found.iter().flat_map(|node| node.children.iter().filter(|c| c.name == name)).collect()
        })
    }

    /// What the first of them that says anything says.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts(path).into_iter().next()
    }

    pub(super) fn texts(&self, path: &str) -> Vec<&str> {
        let said = self.all(path).into_iter().inspect(|n| n.seen.set(true)).map(|n| n.text.trim());
        said.filter(|t| !t.is_empty()).collect()
    }

    /// What says something and was not looked at: path and text, at most so many.
    pub(super) fn unseen(&self, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        self.tell_unseen("", most, &mut found);
        found
    }

    fn tell_unseen(&self, above: &str, most: usize, found: &mut Vec<String>) {
        let path = if above.is_empty() { self.name.clone() } else { format!("{above}/{}", self.name) };
        let text = self.text.trim();
        if !text.is_empty() && !self.seen.get() && found.len() < most {
            found.push(format!("{path}: {}", text.chars().take(200).collect::<String>()));
        }
        for child in &self.children {
            child.tell_unseen(&path, most, found);
        }
    }
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Node {
    let name = start.local_name().as_ref().to_owned();
    Node { name, text: String::new(), children: Vec::new(), seen: Cell::new(false) }
}

fn place(node: Node, open: &mut [Node], root: &mut Option<Node>) -> std::result::Result<(), &'static str> {
    match open.last_mut() {
        Some(above) => above.children.push(node),
        None if root.is_none() => *root = Some(node),
        None => return Err("it has more than one root."),
    }
    Ok(())
}

fn say(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn known(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// A file as it is written.
pub(super) struct Writer {
    text: String,
    open: Vec<String>,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".into(), open: Vec::new() }
    }

    /// An element with what `inside` writes.
    pub(super) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Writer)) {
        self.with(name, &[], inside);
    }

    pub(super) fn with(&mut self, name: &str, attributes: &[(&str, &str)], inside: impl FnOnce(&mut Writer)) {
        self.begin(name, attributes);
        self.text.push_str(">\n");
        self.open.push(name.to_owned());
        inside(self);
        self.open.pop();
        self.indent();
        let _ = writeln!(self.text, "</{name}>");
    }

    /// An element with a text; none when there is nothing to say.
    pub(super) fn leaf(&mut self, name: &str, text: Option<&str>) {
        self.leaf_with(name, &[], text);
    }

    pub(super) fn leaf_with(&mut self, name: &str, attributes: &[(&str, &str)], text: Option<&str>) {
        let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else { return };
        self.begin(name, attributes);
        let _ = writeln!(self.text, ">{}</{name}>", escape(clean(text).as_str()));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", escape(clean(value).as_str()));
        }
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.open.len()));
    }
}

/// Characters that no such file may have are left out.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
