//! Formatted text as it is kept in a field. Lines are paragraphs; a backslash before a mark makes it a sign, at the end of
//! a line it goes on with the next. The pages read the same marks: web/src/ui/marks.ts.

use super::paper::{Block, Item, Line, Marks, add, comment_of, link, table};

/// Quotes within quotes; deeper ones are paragraphs.
const DEEPEST: usize = 8;

/// Reads what somebody wrote. Everything is some text, so nothing is refused.
pub(crate) fn parse(text: &str) -> Vec<Block> {
    blocks(&text.lines().map(str::trim_end).collect::<Vec<_>>(), 0)
}

fn blocks(lines: &[&str], deep: usize) -> Vec<Block> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at).map(|l| l.trim_start()) {
        let fence = line.bytes().take_while(|b| *b == b'`').count();
        if line.is_empty() {
            at += 1;
        } else if fence >= 3 && line[fence..].chars().all(char::is_alphanumeric) {
            let end = (at + 1..lines.len()).find(|n| lines[*n].trim() == &line[..fence]);
            let end = end.unwrap_or(lines.len());
            out.push(Block::Code(lines[at + 1..end].join("\n")));
            at = end + 1;
        } else if line.starts_with('>') && deep < DEEPEST {
            let quoted = lines[at..].iter().map_while(|l| l.trim_start().strip_prefix('>'));
            let inner: Vec<&str> = quoted.map(|l| l.strip_prefix(' ').unwrap_or(l)).collect();
            at += inner.len();
            out.push(Block::Quote(blocks(&inner, deep + 1)));
        } else if item(lines[at]).is_some() {
            let mut entries = Vec::new();
            while let Some((indent, numbered, start)) = lines.get(at).and_then(|l| item(l)) {
                let (text, next) = whole(lines, at, start);
                entries.push((indent, numbered, inline(&text)));
                at = next;
            }
            out.extend(lists(&entries));
        } else {
            let (text, next) = whole(lines, at, lines[at].len() - line.len());
            at = next;
            let level = line.bytes().take_while(|b| *b == b'#').count();
            out.push(if line == "---" {
                Block::Rule
            } else if let Some((title, href)) = line.strip_prefix("![").and_then(embedded) {
                Block::Table { href, title }
            } else if (1..=3).contains(&level) && line[level..].starts_with(' ') {
                let level = u8::try_from(level).unwrap_or(1);
                Block::Heading(level, inline(text.trim_start_matches('#').trim_start()))
            } else {
                Block::Paragraph(inline(&text))
            });
        }
    }
    out
}

/// A line with those that go on with it, and the place of the next.
fn whole(lines: &[&str], at: usize, start: usize) -> (String, usize) {
    let mut text = lines[at][start..].to_owned();
    let mut next = at + 1;
    while next < lines.len() && text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1 {
        text.push('\n');
        text.push_str(lines[next]);
        next += 1;
    }
    (text, next)
}

/// `title](address)` of a table that a line shows.
fn embedded(line: &str) -> Option<(String, String)> {
    let (title, href) = line.strip_suffix(')')?.split_once("](")?;
    let title = inline(title).into_iter().map(|r| r.text).collect();
    table(href).then(|| (title, href.to_owned()))
}

/// How far in an entry of a list stands, whether it is numbered, where its words begin.
fn item(line: &str) -> Option<(usize, bool, usize)> {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match (digits, rest.as_bytes().get(digits)?) {
        (0, b'-' | b'*') => 1,
        (1..=3, b'.' | b')') => digits + 1,
        _ => return None,
    };
    let words = rest[mark..].trim_start();
    (words.len() < rest.len() - mark || rest == "-").then_some((indent, digits > 0, line.len() - words.len()))
}

/// Entries that stand further in belong to the one before them.
fn lists(entries: &[(usize, bool, Line)]) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut at = 0;
    while let Some((indent, numbered, line)) = entries.get(at) {
        let inner = entries[at + 1..].iter().take_while(|e| e.0 >= indent + 2).count();
        let new = Item { line: line.clone(), nested: lists(&entries[at + 1..=at + inner]) };
        at += inner + 1;
        match out.last_mut() {
            Some(Block::List { numbered: n, items }) if n == numbered => items.push(new),
            _ => out.push(Block::List { numbered: *numbered, items: vec![new] }),
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Bold,
    Italic,
    Strike,
    Bracket,
}

enum Piece {
    Text(String),
    Code(String),
    /// A mark as it was written, which is text as long as nothing goes with it.
    Mark(&'static str, Mark, Option<bool>, String),
}

/// The words of one line, in one pass: what is opened and not closed is text.
fn inline(text: &str) -> Line {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Vec<(Mark, usize)> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let stars = rest.bytes().take_while(|b| *b == b'*').count();
        if c == '`'
            && let Some(end) = rest[1..].find('`').filter(|n| *n > 0)
        {
            pieces.push(Piece::Code(rest[1..=end].into()));
            rest = &rest[end + 2..];
        } else if stars > 0 || rest.starts_with("~~") {
            let bold = open.iter().any(|o| o.0 == Mark::Bold);
            let (mark, word) = match (stars, open.last().map(|o| o.0)) {
                (0, _) => (Mark::Strike, "~~"),
                (2, Some(Mark::Italic)) if !bold => (Mark::Bold, "**"),
                (_, Some(Mark::Italic)) | (1, _) => (Mark::Italic, "*"),
                _ => (Mark::Bold, "**"),
            };
            rest = &rest[word.len()..];
            turn(&mut pieces, &mut open, mark, word, "");
        } else if c == '[' {
            open.push((Mark::Bracket, pieces.len()));
            pieces.push(Piece::Mark("[", Mark::Bracket, None, String::new()));
            rest = &rest[1..];
        } else if let Some((to, after)) = rest.strip_prefix("](").and_then(|r| r.split_once(')'))
            && open.iter().any(|o| o.0 == Mark::Bracket)
            && (link(to) || comment_of(to).is_some())
        {
            turn(&mut pieces, &mut open, Mark::Bracket, "]", to);
            rest = after;
        } else {
            let next = rest.strip_prefix('\\').and_then(|r| r.chars().next());
            let sign = next.filter(|n| n.is_ascii_punctuation() || *n == '\n');
            rest = &rest[sign.map_or(c.len_utf8(), |s| s.len_utf8() + 1)..];
            let c = sign.unwrap_or(c);
            match pieces.last_mut() {
                Some(Piece::Text(t)) => t.push(c),
                _ => pieces.push(Piece::Text(c.into())),
            }
        }
    }
    let mut marks = Marks::default();
    let mut out = Line::new();
    for piece in pieces {
        match piece {
            Piece::Text(t) => add(&mut out, &t, &marks),
            Piece::Code(t) => add(&mut out, &t, &Marks { code: true, ..marks.clone() }),
            Piece::Mark(word, _, None, _) => add(&mut out, word, &marks),
            Piece::Mark(_, Mark::Bold, Some(on), _) => marks.bold = on,
            Piece::Mark(_, Mark::Italic, Some(on), _) => marks.italic = on,
            Piece::Mark(_, Mark::Strike, Some(on), _) => marks.strike = on,
            Piece::Mark(_, Mark::Bracket, Some(on), to) => match comment_of(&to) {
                Some(id) => marks.comment = on.then_some(id),
                None => marks.link = on.then_some(to),
            },
        }
    }
    out
}

/// Closes a mark that is open, and leaves what was opened within it as text; else opens it.
fn turn(pieces: &mut Vec<Piece>, open: &mut Vec<(Mark, usize)>, mark: Mark, word: &'static str, to: &str) {
    let Some(at) = open.iter().rposition(|o| o.0 == mark) else {
        open.push((mark, pieces.len()));
        pieces.push(Piece::Mark(word, mark, None, String::new()));
        return;
    };
    if let Some(Piece::Mark(_, _, on, target)) = pieces.get_mut(open[at].1) {
        (*on, *target) = (Some(true), to.to_owned());
    }
    open.truncate(at);
    pieces.push(Piece::Mark(word, mark, Some(false), to.to_owned()));
}

/// Writes it down. Read and written again it is the same.
pub(crate) fn write(blocks: &[Block]) -> String {
    let all: Vec<String> = blocks.iter().map(block).filter(|b| !b.is_empty()).collect();
    all.join("\n\n")
}

pub(crate) fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(line) => begun(&words(line)),
        Block::Heading(level, line) => {
            let text = words(line);
            if text.is_empty() { text } else { format!("{} {text}", "#".repeat((*level).into())) }
        }
        Block::List { numbered, items } => list(*numbered, items, 0),
        Block::Quote(inner) => {
            let text = write(inner);
            text.lines().map(|l| format!("> {l}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
        }
        Block::Code(text) => {
            let most = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat(3.max(most + 1));
            format!("{fence}\n{text}\n{fence}")
        }
        Block::Rule => "---".into(),
        Block::Table { href, title } => format!("![{}]({href})", escaped(title)),
    }
}

fn list(numbered: bool, items: &[Item], deep: usize) -> String {
    let mut out = Vec::new();
    for (n, item) in items.iter().enumerate() {
        let mark = if numbered { format!("{}.", n + 1) } else { "-".into() };
        out.push(format!("{}{mark} {}", "    ".repeat(deep), words(&item.line)).trim_end().to_owned());
        for inner in &item.nested {
            if let Block::List { numbered, items } = inner {
                out.push(list(*numbered, items, deep + 1));
            }
        }
    }
    out.join("\n")
}

/// A paragraph that would be read as something else begins with a backslash.
fn begun(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => format!("{}\\{}", &text[..digits], &text[digits..]),
        Some(b'#' | b'-' | b'>' | b'!') if digits == 0 => format!("\\{text}"),
        _ => text.to_owned(),
    }
}

fn words(line: &Line) -> String {
    let mut out = String::new();
    put(line, 0, &mut out);
    // A line that ends with a break would go on with the next.
    while let Some(text) = out.trim_end_matches([' ', '\t']).strip_suffix("\\\n") {
        out.truncate(text.len());
    }
    out.trim().to_owned()
}

/// Marks stand within each other in one order: the words that share the outermost together, the next within them.
fn put(line: &[super::paper::Run], deep: usize, out: &mut String) {
    let word = |m: &Marks| match deep {
        2 if m.bold => "**",
        3 if m.italic => "*",
        4 if m.strike => "~~",
        _ => "",
    };
    let mut rest = line;
    while let Some(first) = rest.first() {
        let same = |n: usize| match deep {
            0 => rest[n].marks.comment == first.marks.comment,
            1 => rest[n].marks.link == first.marks.link,
            2..=4 => word(&rest[n].marks) == word(&first.marks),
            _ => n == 0,
        };
        let n = (0..rest.len()).find(|n| !same(*n)).unwrap_or(rest.len());
        let (group, after) = rest.split_at(n);
        rest = after;
        let to = match deep {
            0 => first.marks.comment.as_ref().map(|id| format!("#comment-{id}")),
            1 => first.marks.link.clone(),
            _ => None,
        };
        if deep == 5 {
            match first.marks.code && !first.text.contains(['`', '\n']) {
                true => out.extend(["`", &first.text, "`"]),
                false => out.push_str(&escaped(&first.text)),
            }
        } else if let Some(to) = to {
            out.push('[');
            put(group, deep + 1, out);
            out.extend(["](", &to, ")"]);
        } else {
            out.push_str(word(&first.marks));
            put(group, deep + 1, out);
            out.push_str(word(&first.marks));
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '`' | '[' | ']' | '~' | '\n') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::paper::Run;

    fn plain(text: &str) -> Line {
        inline(text)
    }

    #[test]
    fn what_people_mark_is_read() {
        let bold = |m: &Run| m.marks.bold;
        let line = plain(
            "a **b *c*** ~~d~~ `e*` [f](https://x.kz) [*g*](#comment-018f0000-0000-7000-8000-000000000001)",
        );
        let told: Vec<&str> = line.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(told, ["a ", "b ", "c", " ", "d", " ", "e*", " ", "f", " ", "g"]);
        assert!(
            bold(&line[1])
                && bold(&line[2])
                && line[2].marks.italic
                && line[4].marks.strike
                && line[6].marks.code
        );
        assert_eq!(line[8].marks.link.as_deref(), Some("https://x.kz"));
        assert!(line[10].marks.comment.is_some() && line[10].marks.italic);
        let blocks = parse(
            "# One\nwords\n- a\n    - b\n- c\n1. d\n> q\n> r\n```\n# code\n```\n---\n![Late](/o/sales-orders?view=x)",
        );
        let kinds: Vec<String> = blocks.iter().map(block).collect();
        let code = "```\n# code\n```";
        let table = "![Late](/o/sales-orders?view=x)";
        assert_eq!(kinds, ["# One", "words", "- a\n    - b\n- c", "1. d", "> q\n>\n> r", code, "---", table]);
    }

    #[test]
    fn what_is_not_closed_or_leads_nowhere_is_text() {
        for text in [
            "2 * 3",
            "a ** b",
            "[x",
            "[x](javascript:alert(1))",
            "[x](//evil.test)",
            "~~",
            "`",
            "a \\",
            "[a](/\\evil)",
            "[]()",
            "](",
        ] {
            let line = plain(text);
            assert_eq!(line.len(), 1, "{text}: {line:?}");
            assert_eq!(line[0].marks, Marks::default());
        }
        assert_eq!(block(&parse("![x](https://evil.test/a.png)")[0]), "\\![x](https://evil.test/a.png)");
    }

    /// Whatever there is, once written it is read as it was, and written the same.
    #[test]
    fn what_is_written_is_read_again() {
        let signs = [
            "a", " ", "*", "**", "~~", "~", "`", "[", "](/o/x)", "]", "\\", "\n", "# ", "- ", "1. ", "> ",
            "```", "---", "!", "    ", "б", ".",
        ];
        let mut seed = 7_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(signs[usize::try_from(seed >> 33).unwrap() % signs.len()]);
            }
            let once = write(&parse(&text));
            assert_eq!(write(&parse(&once)), once, "of {text:?}");
        }
    }

    /// Marks of every kind side by side.
    #[test]
    fn marked_words_are_read_again() {
        let mut seed = 11_u64;
        let mut next = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        for _ in 0..20_000 {
            let mut line = Line::new();
            for _ in 0..4 {
                let flag = |n: u64| n == 0;
                let code = flag(next(5));
                let marks = Marks {
                    bold: flag(next(2)),
                    italic: flag(next(2)),
                    strike: flag(next(3)),
                    code,
                    link: flag(next(4)).then(|| "https://x.kz/a".into()),
                    comment: flag(next(4)).then(|| uuid::Uuid::from_u128(next(2).into())),
                };
                let words = ["x", "y z", "*", "~", "1. q", "[w]", "\\"];
                let word = if code { "c" } else { words[usize::try_from(next(7)).unwrap()] };
                add(&mut line, word, &marks);
            }
            let text = block(&Block::Paragraph(line.clone()));
            let read = parse(&text);
            assert_eq!(read, [Block::Paragraph(line)], "{text}");
        }
    }
}
