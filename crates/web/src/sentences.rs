//! What is said of a refusal, in the reader's language: `[sentences]` of the modules' i18n, and i18n/*.json here for what
//! the program itself says. `{}` stands for what differs, `{1}` in a translation for the second of those. A sentence
//! that nobody translated is said as it is.

use kernel::Catalog;
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

const OURS: [(&str, &str); 2] =
    [("ru", include_str!("../i18n/ru.json")), ("kk", include_str!("../i18n/kk.json"))];

struct Book {
    language: &'static str,
    whole: HashMap<String, String>,
    /// What stands between the places, and the translation.
    broken: Vec<(Vec<String>, String)>,
    /// States and actions: what sentences are about.
    words: HashMap<String, String>,
}

impl Book {
    fn of(catalog: &Catalog, language: &'static str, ours: &str) -> Book {
        let mut book = Book { language, whole: HashMap::new(), broken: Vec::new(), words: HashMap::new() };
        let modules = catalog.modules.iter().filter_map(|m| m.texts.get(language));
        let ours: Value = serde_json::from_str(ours).unwrap_or_default();
        let texts: Vec<&Value> = modules.collect();
        for (said, text) in texts.iter().map(|t| &t["sentences"]).chain([&ours]).flat_map(pairs) {
            if said.contains("{}") {
                let parts = said.split("{}").map(str::to_owned).collect();
                book.broken.push((parts, text.to_owned()));
            } else {
                book.whole.insert(said.to_owned(), text.to_owned());
            }
        }
        // The more a sentence says itself, the surer it is meant.
        book.broken.sort_by_key(|(parts, _)| std::cmp::Reverse(parts.iter().map(String::len).sum::<usize>()));
        for (word, text) in
            ["actions", "states"].iter().flat_map(|g| texts.iter().map(|t| &t[*g])).flat_map(pairs)
        {
            book.words.insert(word.to_owned(), text.to_lowercase());
        }
        book
    }

    fn messages(&self, answer: &mut Value) {
        match answer {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str().filter(|_| name == "message") {
                        // A field may stand before it.
                        Some(said) => {
                            let (field, rest) = said.split_once(": ").unwrap_or(("", said));
                            if let Some(text) = self.say(said) {
                                *value = text.into();
                            } else if let Some(text) = self.say(rest) {
                                *value = format!("{field}: {text}").into();
                            }
                        }
                        None => self.messages(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.messages(item)),
            _ => {}
        }
    }

    /// What stands in a place: a word, a piece that is known by itself, or a sentence again.
    fn part<'a>(&'a self, said: &'a str) -> Cow<'a, str> {
        if let Some(known) = self.words.get(said).or_else(|| self.whole.get(said)) {
            return known.into();
        }
        let sentence = said.ends_with('.').then(|| self.say(said)).flatten();
        sentence.map_or(Cow::Borrowed(said), Cow::Owned)
    }

    fn say(&self, said: &str) -> Option<String> {
        if let Some(text) = self.whole.get(said) {
            return Some(text.clone());
        }
        self.broken.iter().find_map(|(parts, text)| {
            let places = places(said, parts)?;
            let places: Vec<Cow<'_, str>> = places.into_iter().map(|p| self.part(p)).collect();
            let mut out = String::new();
            for (n, piece) in text.split('{').enumerate() {
                match piece.split_once('}').filter(|_| n > 0) {
                    Some((which, after)) => {
                        let which = which.parse().unwrap_or(n - 1);
                        out += places.get(which).map_or("", AsRef::as_ref);
                        out += after;
                    }
                    None => out += piece,
                }
            }
            Some(out)
        })
    }
}

fn pairs(table: &Value) -> impl Iterator<Item = (&str, &str)> {
    table.as_object().into_iter().flatten().filter_map(|(k, v)| Some((k.as_str(), v.as_str()?)))
}

/// What stands in the places of a sentence.
fn places<'a>(said: &'a str, parts: &[String]) -> Option<Vec<&'a str>> {
    let (first, rest) = parts.split_first()?;
    let mut left = said.strip_prefix(first.as_str())?;
    let mut found = Vec::new();
    for (n, part) in rest.iter().enumerate() {
        let at = if n + 1 == rest.len() {
            left.ends_with(part.as_str()).then(|| left.len() - part.len())?
        } else {
            left.find(part.as_str())?
        };
        found.push(&left[..at]);
        left = &left[at + part.len()..];
    }
    Some(found)
}

/// The sentences of this language; none where what is said is said in it.
fn book(catalog: &Catalog, language: &str) -> Option<&'static Book> {
    static BOOKS: OnceLock<Vec<Book>> = OnceLock::new();
    let books = BOOKS.get_or_init(|| OURS.iter().map(|(l, ours)| Book::of(catalog, l, ours)).collect());
    books.iter().find(|b| b.language == language)
}

/// Puts what single rows were refused for, in an answer that is otherwise good, into the reader's words.
pub(crate) fn messages(catalog: &Catalog, language: &str, answer: &mut Value) {
    if let Some(book) = book(catalog, language) {
        book.messages(answer);
    }
}

/// Puts a problem into the reader's words.
pub(crate) fn translate(catalog: &Catalog, language: &str, problem: &mut Value) {
    let Some(book) = book(catalog, language) else { return };
    let say = |text: &mut Value| {
        if let Some(said) = text.as_str().and_then(|t| book.say(t)) {
            *text = said.into();
        }
    };
    let mut faults = String::new();
    for fault in problem["errors"].as_array_mut().into_iter().flatten() {
        say(&mut fault["message"]);
        let field = fault["field"].as_str().map_or_else(String::new, |f| format!("{f}: "));
        faults += &format!(
            "{}{field}{}",
            if faults.is_empty() { "" } else { " " },
            fault["message"].as_str().unwrap_or_default()
        );
    }
    if faults.is_empty() {
        say(&mut problem["detail"]);
    } else {
        problem["detail"] = faults.into();
    }
    say(&mut problem["title"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        let texts: Value = serde_json::json!({
            "states": { "draft": "Жоба", "shipped": "Жөнелтілді" },
            "sentences": {
                "This is required.": "Міндетті.",
                "A record that is {} cannot become {}.": "«{0}» күйінен «{1}» күйіне өтпейді.",
                "{} is in use by {}.": "{1} пайдаланады: {0}.",
            },
        });
        let module = kernel::ModuleInfo {
            name: "x".into(),
            meta: Value::Null,
            texts: [("kk".to_owned(), texts)].into(),
            readme: "",
        };
        let mut catalog = Catalog::default();
        catalog.modules.push(module.into());
        Book::of(&catalog, "kk", "{}")
    }

    #[test]
    fn sentences_are_said_with_what_differs_in_them() {
        let book = book();
        for (said, text) in [
            ("This is required.", Some("Міндетті.")),
            (
                "A record that is draft cannot become shipped.",
                Some("«жоба» күйінен «жөнелтілді» күйіне өтпейді."),
            ),
            ("Bolt, M6 is in use by Order 7.", Some("Order 7 пайдаланады: Bolt, M6.")),
            ("Nobody translated this.", None),
        ] {
            assert_eq!(book.say(said).as_deref(), text, "{said}");
        }
    }

    #[test]
    fn what_rows_were_refused_for_is_said_too() {
        let mut answer = serde_json::json!({ "done": 1, "failed": [{ "id": "This is required.", "message": "name: This is required." }] });
        book().messages(&mut answer);
        assert_eq!(
            answer["failed"],
            serde_json::json!([{ "id": "This is required.", "message": "name: Міндетті." }])
        );
    }

    #[test]
    fn the_program_says_the_same_in_every_language() {
        let all = OURS.map(|(_, ours)| serde_json::from_str::<HashMap<String, String>>(ours).expect("JSON"));
        for (said, text) in &all[0] {
            let other = all[1].get(said);
            let places = |t: &str| t.matches('{').count();
            assert_eq!(other.map(|o| places(o)), Some(places(said)), "{said}");
            assert_eq!(places(text), places(said), "{said}");
        }
        assert_eq!(all[0].len(), all[1].len());
        assert_eq!(kernel::LANGUAGES.len(), OURS.len() + 1);
    }
}
