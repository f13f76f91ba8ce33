//! Regular expressions that mean the same to Rust and to PostgreSQL: read once, executed here as they were read and there
//! as they were written anew out of what was read. Both engines take time linear in the text.

use regex_syntax::hir::{Class, Hir, HirKind, Look};
use std::fmt::Write;

const LENGTH: usize = 500;
/// Characters of the longest text that a pattern may spell out, its repetitions written in full.
const WEIGHT: u64 = 1000;
/// PostgreSQL counts no further.
const TIMES: u32 = 255;

#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: regex::Regex,
    /// An advanced regular expression of PostgreSQL's.
    pub(crate) sql: String,
}

impl Pattern {
    /// # Errors
    /// A sentence: what is wrong with the pattern, or what of it only one of the two understands.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        if text.chars().count() > LENGTH {
            return Err(format!("A pattern may have at most {LENGTH} characters."));
        }
        let hir = regex_syntax::parse(text).map_err(|e| match e {
            regex_syntax::Error::Parse(e) => said(e.kind()),
            regex_syntax::Error::Translate(e) => said(e.kind()),
            e => said(&e),
        })?;
        if weight(&hir) > WEIGHT {
            return Err("This pattern repeats too much.".into());
        }
        let mut sql = String::new();
        write(&hir, &mut sql)?;
        // An embedded option or a director can only stand at the start.
        let sql = format!("(?:{sql})");
        Ok(Pattern { regex: regex::Regex::new(text).map_err(|e| said(&e))?, sql })
    }

    /// All of the words, each as a word of its own; one that ends in `*` may go on.
    pub(crate) fn words(text: &str) -> Vec<Result<Pattern, String>> {
        let edge = r"[^\p{Alphabetic}\p{N}]";
        let letter = |c: char| c.is_alphanumeric() || c == '*';
        let words = text.split(|c| !letter(c)).map(|w| (w.trim_matches('*'), w.ends_with('*')));
        let pattern = |(word, open): (&str, bool)| {
            let end = if open { String::new() } else { format!(r"(?:\z|{edge})") };
            Pattern::new(&format!(r"(?:\A|{edge}){}{end}", regex_syntax::escape(word)))
        };
        words.filter(|(word, _)| !word.is_empty()).map(pattern).collect()
    }
}

fn said(what: &dyn std::fmt::Display) -> String {
    format!("This is no regular expression: {what}.")
}

fn weight(hir: &Hir) -> u64 {
    let sum = |all: &[Hir]| all.iter().map(weight).fold(1, u64::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Concat(all) | HirKind::Alternation(all) => sum(all),
        HirKind::Repetition(repetition) => {
            weight(&repetition.sub).saturating_mul(u64::from(repetition.max.unwrap_or(repetition.min).max(1)))
        }
    }
}

fn write(hir: &Hir, out: &mut String) -> Result<(), String> {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "A pattern is made of characters.")?;
            text.chars().for_each(|c| character(c, out));
        }
        HirKind::Class(Class::Unicode(class)) => {
            // Of no character at all.
            if class.ranges().is_empty() {
                out.push_str("(?!)");
                return Ok(());
            }
            out.push('[');
            for range in class.ranges() {
                // PostgreSQL has no text with a NUL in it.
                let from = range.start().max('\u{1}');
                if from <= range.end() {
                    character(from, out);
                    out.push('-');
                    character(range.end(), out);
                }
            }
            out.push(']');
        }
        HirKind::Class(Class::Bytes(_)) => return Err("A pattern is made of characters.".into()),
        HirKind::Look(look) => out.push_str(match look {
            Look::Start => r"\A",
            Look::End => r"\Z",
            Look::StartLF => r"(?:\A|(?<=\n))",
            Look::EndLF => r"(?:\Z|(?=\n))",
            _ => return Err(r"Edges of words (\b) are not supported in patterns.".into()),
        }),
        HirKind::Repetition(repetition) => {
            if repetition.sub.properties().maximum_len() == Some(0) {
                return Err("Only what has a length can be repeated.".into());
            }
            if repetition.max.unwrap_or(repetition.min) > TIMES {
                return Err(format!("A part may be repeated at most {TIMES} times."));
            }
            out.push_str("(?:");
            write(&repetition.sub, out)?;
            out.push(')');
            match (repetition.min, repetition.max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => _ = write!(out, "{{{min},}}"),
                (min, Some(max)) => _ = write!(out, "{{{min},{max}}}"),
            }
        }
        HirKind::Capture(capture) => {
            out.push_str("(?:");
            write(&capture.sub, out)?;
            out.push(')');
        }
        HirKind::Concat(all) => {
            for part in all {
                let several = matches!(part.kind(), HirKind::Alternation(_));
                out.push_str(if several { "(?:" } else { "" });
                write(part, out)?;
                out.push_str(if several { ")" } else { "" });
            }
        }
        HirKind::Alternation(all) => {
            for (i, part) in all.iter().enumerate() {
                out.push_str(if i > 0 { "|" } else { "" });
                write(part, out)?;
            }
        }
    }
    Ok(())
}

/// As its number wherever it could be read as anything else.
fn character(c: char, out: &mut String) {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => out.push(c),
        c if u32::from(c) <= 0xffff => _ = write!(out, "\\u{:04x}", u32::from(c)),
        c => _ = write!(out, "\\U{:08x}", u32::from(c)),
    }
}
