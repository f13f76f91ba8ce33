//! A document as a page of its own, to be kept or sent.

use super::paper::{Block, Item, Line};

/// The whole page. Whatever was written is text in it.
pub(crate) fn page(title: &str, language: &str, base: &str, all: &[Block]) -> String {
    let title = safe(title);
    let body = blocks(all, base);
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title><style>body{{font:16px/1.55 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}}blockquote{{border-inline-start:3px solid #ccc;margin-inline:0;padding-inline-start:1rem}}pre{{background:#f4f4f6;padding:1rem;overflow:auto}}</style></head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n",
        safe(language)
    )
}

fn blocks(all: &[Block], base: &str) -> String {
    all.iter()
        .map(|block| match block {
            Block::Paragraph(line) => format!("<p>{}</p>\n", words(line, base)),
            // The page's own heading is the first.
            Block::Heading(level, line) => {
                format!("<h{0}>{1}</h{0}>\n", level + 1, words(line, base))
            }
            Block::List { numbered, items } => list(*numbered, items, base),
            Block::Quote(inner) => format!("<blockquote>\n{}</blockquote>\n", blocks(inner, base)),
            Block::Code(text) => format!("<pre><code>{}</code></pre>\n", safe(text)),
            Block::Rule => "<hr>\n".into(),
            Block::Table { href, title } => {
                format!("<p><a href=\"{}\">{}</a></p>\n", safe(&format!("{base}{href}")), safe(title))
            }
        })
        .collect()
}

fn list(numbered: bool, items: &[Item], base: &str) -> String {
    let tag = if numbered { "ol" } else { "ul" };
    let items: String = items
        .iter()
        .map(|i| format!("<li>{}{}</li>\n", words(&i.line, base), blocks(&i.nested, base)))
        .collect();
    format!("<{tag}>\n{items}</{tag}>\n")
}

fn words(line: &Line, base: &str) -> String {
    line.iter()
        .map(|run| {
            let m = &run.marks;
            let mut out = safe(&run.text).replace('\n', "<br>");
            for (on, tag) in [(m.code, "code"), (m.strike, "s"), (m.italic, "em"), (m.bold, "strong")] {
                if on {
                    out = format!("<{tag}>{out}</{tag}>");
                }
            }
            match &m.link {
                Some(to) if to.starts_with('/') => {
                    format!("<a href=\"{}\">{out}</a>", safe(&format!("{base}{to}")))
                }
                Some(to) => format!("<a href=\"{}\" rel=\"noreferrer noopener\">{out}</a>", safe(to)),
                None => out,
            }
        })
        .collect()
}

fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}
