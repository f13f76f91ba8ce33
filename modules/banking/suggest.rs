//! What a line of a statement may be, with a score and the reasons for it. Pure: what is known comes in, what is thought goes out.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::HashSet;

/// From here on a suggestion is taken without a look, unless another is about as good.
const SURE: u32 = 85;
const LEAD: u32 = 10;
/// More open invoices of one party than this are not tried for sums.
const MOST_SUMMED: usize = 14;

/// A line, as far as it tells what it is.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) amount: Decimal,
    pub(super) booked_on: String,
    pub(super) counterparty: String,
    pub(super) words: HashSet<String>,
    pub(super) reference: Option<String>,
    /// What a gateway usually keeps, of a hundred, and on which account that is written.
    pub(super) fee: Option<(Decimal, String)>,
}

/// An open invoice, with the amount signed as a line that pays it.
#[derive(Clone, Debug, Default)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) number: String,
    pub(super) other_numbers: Vec<String>,
    pub(super) party: String,
    pub(super) party_name: String,
    pub(super) open: Decimal,
    pub(super) due_on: String,
    pub(super) knows_iban: bool,
}

/// A payment or another entry that is in the books already, signed.
#[derive(Clone, Debug, Default)]
pub(super) struct Entered {
    pub(super) id: String,
    /// `payment_id` or `entry_id`.
    pub(super) kind: &'static str,
    pub(super) number: String,
    pub(super) numbers: Vec<String>,
    pub(super) party_name: String,
    pub(super) amount: Decimal,
    pub(super) on: String,
    pub(super) knows_iban: bool,
    pub(super) is_under_way: bool,
}

/// A rule that fits.
#[derive(Clone, Debug, Default)]
pub(super) struct Fits {
    pub(super) name: String,
    pub(super) item: Value,
    pub(super) is_sure: bool,
}

#[derive(Debug)]
pub(super) struct Suggestion {
    pub(super) score: u32,
    pub(super) is_sure: bool,
    pub(super) title: String,
    pub(super) reasons: Vec<(&'static str, String)>,
    pub(super) items: Vec<Value>,
    /// What is left of the line.
    pub(super) rest: Decimal,
}

impl Suggestion {
    pub(super) fn value(&self) -> Value {
        let reasons: Vec<Value> = self.reasons.iter().map(|(code, value)| json!({ "code": code, "value": value })).collect();
        json!({ "score": self.score, "is_sure": self.is_sure, "title": self.title, "reasons": reasons, "items": self.items, "rest": self.rest.normalize().to_string() })
    }
}

/// The best first, ten at most.
pub(super) fn suggest(line: &Told, invoices: &[Invoice], entered: &[Entered], rules: &[Fits]) -> Vec<Suggestion> {
    let mut found = Vec::new();
    found.extend(entered.iter().filter(|e| e.amount == line.amount).map(|e| of_entered(line, e)));
    for invoice in invoices {
        found.extend(of_invoice(line, invoice));
    }
    found.extend(sums(line, invoices));
    found.extend(rules.iter().take(3).enumerate().map(|(n, rule)| Suggestion {
        score: if rule.is_sure && n == 0 { 95 } else { 70 - u32::try_from(n).unwrap_or_default() },
        is_sure: false,
        title: rule.name.clone(),
        reasons: vec![("rule", rule.name.clone())],
        items: vec![rule.item.clone()],
        rest: Decimal::ZERO,
    }));
    found.sort_by(|a, b| b.score.cmp(&a.score).then(a.items.len().cmp(&b.items.len())).then_with(|| a.title.cmp(&b.title)));
    found.truncate(10);
    let second = found.get(1).map_or(0, |s| s.score);
    if let Some(first) = found.first_mut() {
        first.is_sure = first.score >= SURE && first.score >= second + LEAD && first.rest.is_zero();
    }
    found
}

fn of_entered(line: &Told, e: &Entered) -> Suggestion {
    let mut reasons = vec![("amount", e.amount.abs().normalize().to_string())];
    let mut score = 40;
    if let Some(number) = e.numbers.iter().chain([&e.number]).find(|n| line.says(n)) {
        score += 45;
        reasons.push(("number", number.clone()));
    } else if e.is_under_way {
        score += 25;
        reasons.push(("under_way", e.number.clone()));
    }
    score += who(line, &e.party_name, e.knows_iban, &mut reasons);
    let apart = days_apart(&line.booked_on, &e.on);
    if apart <= 3 {
        score += 10;
        reasons.push(("date", e.on.clone()));
    } else if apart > 30 {
        score -= 20;
    }
    let title = [&e.number, &e.party_name].into_iter().filter(|t| !t.is_empty()).cloned().collect::<Vec<_>>().join(" · ");
    Suggestion { score: score.min(100), is_sure: false, title, reasons, items: vec![json!({ e.kind: e.id })], rest: Decimal::ZERO }
}

fn of_invoice(line: &Told, i: &Invoice) -> Option<Suggestion> {
    let mut reasons = Vec::new();
    let (mut score, mut items, mut rest) = (0, vec![json!({ "invoice_id": i.id })], line.amount - i.open);
    let named = i.other_numbers.iter().chain([&i.number]).find(|n| line.says(n));
    if let Some(number) = named {
        score += 45;
        reasons.push(("number", number.clone()));
    }
    if rest.is_zero() {
        score += 40;
        reasons.push(("amount", i.open.abs().normalize().to_string()));
    } else if let Some(account) = line.is_fee(i.open) {
        score += 35;
        reasons.push(("fee", rest.abs().normalize().to_string()));
        items.push(json!({ "account_id": account, "amount": rest.normalize().to_string() }));
        rest = Decimal::ZERO;
    } else if named.is_some() && line.amount.abs() < i.open.abs() {
        // A part of it.
        items = vec![json!({ "invoice_id": i.id, "amount": line.amount.normalize().to_string() })];
        reasons.push(("part", i.open.abs().normalize().to_string()));
        rest = Decimal::ZERO;
    } else if named.is_none() {
        return None;
    }
    score += who(line, &i.party_name, i.knows_iban, &mut reasons);
    Some(Suggestion { score: score.min(100), is_sure: false, title: format!("{} · {}", i.number, i.party_name), reasons, items, rest })
}

/// Several invoices of one party that come to the line: those that it names, or any that fit.
fn sums(line: &Told, invoices: &[Invoice]) -> Vec<Suggestion> {
    let mut parties: Vec<&str> = invoices.iter().map(|i| i.party.as_str()).collect();
    parties.sort_unstable();
    parties.dedup();
    let mut found = Vec::new();
    for party in parties {
        let mut of: Vec<&Invoice> = invoices.iter().filter(|i| i.party == party && i.open.is_sign_negative() == line.amount.is_sign_negative()).collect();
        of.sort_by(|a, b| a.due_on.cmp(&b.due_on));
        let named: Vec<&Invoice> = of.iter().copied().filter(|i| i.other_numbers.iter().chain([&i.number]).any(|n| line.says(n))).collect();
        let all_named = named.len() > 1 && named.iter().map(|i| i.open).sum::<Decimal>() == line.amount;
        let chosen = if all_named { Some(named) } else { subset(&of, line.amount) };
        let Some(chosen) = chosen else { continue };
        let mut reasons = vec![("sum", chosen.len().to_string())];
        let mut score = if all_named { 85 } else { 35 };
        if all_named {
            reasons.push(("number", chosen.iter().map(|i| i.number.as_str()).collect::<Vec<_>>().join(", ")));
        }
        score += who(line, &chosen[0].party_name, chosen[0].knows_iban, &mut reasons);
        let title = format!("{} · {}", chosen.iter().map(|i| i.number.as_str()).collect::<Vec<_>>().join(", "), chosen[0].party_name);
        let items = chosen.iter().map(|i| json!({ "invoice_id": i.id })).collect();
        found.push(Suggestion { score: score.min(100), is_sure: false, title, reasons, items, rest: Decimal::ZERO });
    }
    found
}

/// Two or more that come to the amount: the fewest, the longest due first.
fn subset<'a>(of: &[&'a Invoice], amount: Decimal) -> Option<Vec<&'a Invoice>> {
    let of = &of[..of.len().min(MOST_SUMMED)];
    let mut best: Option<u32> = None;
    for mask in 1_u32..(1 << of.len()) {
        if mask.count_ones() < 2 || best.is_some_and(|b| (b.count_ones(), b) <= (mask.count_ones(), mask)) {
            continue;
        }
        let sum: Decimal = of.iter().enumerate().filter(|(n, _)| mask & (1 << n) != 0).map(|(_, i)| i.open).sum();
        if sum == amount {
            best = Some(mask);
        }
    }
    best.map(|mask| of.iter().enumerate().filter(|(n, _)| mask & (1 << n) != 0).map(|(_, i)| *i).collect())
}

fn who(line: &Told, name: &str, knows_iban: bool, reasons: &mut Vec<(&'static str, String)>) -> u32 {
    let mut score = 0;
    if knows_iban {
        score += 25;
        reasons.push(("iban", name.to_owned()));
    }
    if alike(&line.counterparty, name) {
        score += 20;
        reasons.push(("name", name.to_owned()));
    }
    score
}

impl Told {
    /// Whether the line names a number: as a word, or written in two or three, or as a creditor reference.
    fn says(&self, number: &str) -> bool {
        let number = letters(number);
        number.len() >= 4 && number.bytes().any(|b| b.is_ascii_digit()) && self.words.contains(&number)
    }

    /// Whether it is that much less what the gateway keeps, to the cent.
    fn is_fee(&self, open: Decimal) -> Option<&str> {
        let (percent, account) = self.fee.as_ref()?;
        let kept = (open * percent / Decimal::ONE_HUNDRED).round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        (open.is_sign_positive() && (open - kept - self.amount).abs() <= Decimal::new(1, 2)).then_some(account.as_str())
    }
}

/// A number without what is between its letters and digits.
pub(super) fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The words of a text as numbers would be in it: each, and two or three after each other; of creditor references what is behind the check digits.
pub(super) fn words(texts: &[Option<&str>]) -> HashSet<String> {
    let mut found = HashSet::new();
    for text in texts.iter().flatten() {
        let parts: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(letters).filter(|w| !w.is_empty()).collect();
        for from in 0..parts.len() {
            for many in 1..=3.min(parts.len() - from) {
                let word = parts[from..from + many].concat();
                if let Some(inner) = is_creditor_reference(&word).then(|| word[4..].to_owned()) {
                    found.insert(inner);
                }
                found.insert(word);
            }
        }
    }
    found
}

/// ISO 11649: `RF18 5390 0754 7034`, its check digits right.
pub(super) fn is_creditor_reference(text: &str) -> bool {
    let code = text.as_bytes();
    if !(5..=25).contains(&code.len()) || !text.starts_with("RF") || !code.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let turned = code[4..].iter().chain(&code[..4]);
    turned.fold(0_u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b.to_ascii_uppercase() - b'A') + 10) % 97,
    }) == 1
}

/// What says only how a company is set up.
const FORMS: &[&str] = &[
    "ТОО", "ОО", "АО", "ООО", "ИП", "ЖШС", "АҚ", "ЖК", "LLP", "LLC", "LTD", "INC", "GMBH", "AG", "CO", "KG", "SARL", "SA", "BV", "THE", "AND", "UND", "PLC", "CORP", "LIMITED",
];

/// Whether two names are probably of the same: half of the words of the shorter one are in the other.
pub(super) fn alike(one: &str, other: &str) -> bool {
    let words = |name: &str| -> HashSet<String> {
        name.split(|c: char| !c.is_alphanumeric()).map(letters).filter(|w| w.chars().count() > 1 && !FORMS.contains(&w.as_str())).collect()
    };
    let (one, other) = (words(one), words(other));
    let fewest = one.len().min(other.len());
    fewest > 0 && one.intersection(&other).count() * 2 > fewest
}

fn days_apart(one: &str, other: &str) -> u32 {
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok();
    let apart = day(one).zip(day(other)).and_then(|(a, b)| a.until(b).ok()).map_or(365, |span| span.get_days());
    apart.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoice(number: &str, party: &str, open: i64) -> Invoice {
        Invoice { id: number.into(), number: number.into(), party: party.into(), party_name: party.into(), open: open.into(), due_on: "2026-03-01".into(), ..Invoice::default() }
    }

    fn line(amount: i64, text: &str, counterparty: &str) -> Told {
        Told { amount: amount.into(), booked_on: "2026-03-10".into(), counterparty: counterparty.into(), words: words(&[Some(text)]), ..Told::default() }
    }

    #[test]
    fn amount_and_number_are_sure_and_amount_alone_is_not() {
        let open = [invoice("INV-00001", "Rope & Co", 100), invoice("INV-00012", "Iron Ltd", 100)];
        let best = suggest(&line(100, "Payment of INV 00001, thank you", ""), &open, &[], &[]);
        assert!(best[0].is_sure && best[0].items == [json!({ "invoice_id": "INV-00001" })], "{best:?}");
        let vague = suggest(&line(100, "thank you", ""), &open, &[], &[]);
        assert!(vague.len() == 2 && vague.iter().all(|s| !s.is_sure), "{vague:?}");
        let longer = suggest(&line(7, "INV-000012", ""), &open, &[], &[]);
        assert!(longer.is_empty(), "a longer number is another number: {longer:?}");
    }

    #[test]
    fn two_that_are_as_good_are_none() {
        let mut one = invoice("INV-00001", "Rope & Co", 100);
        one.knows_iban = true;
        let two = Invoice { id: "2".into(), number: "INV-00002".into(), ..one.clone() };
        let found = suggest(&line(100, "", "ROPE CO"), &[one.clone(), two], &[], &[]);
        assert!(found[0].score >= SURE && !found[0].is_sure, "{found:?}");
        let alone = suggest(&line(100, "", "ROPE CO"), &[one], &[], &[]);
        assert!(alone[0].is_sure, "{alone:?}");
    }

    #[test]
    fn several_invoices_come_to_one_line() {
        let open = [invoice("INV-00001", "Rope", 100), invoice("INV-00002", "Rope", 30), invoice("INV-00003", "Rope", 70), invoice("INV-00004", "Iron", 30)];
        let found = suggest(&line(170, "INV-00001 and INV-00003", "Rope"), &open, &[], &[]);
        assert!(found[0].is_sure && found[0].items.len() == 2, "{found:?}");
        let guessed = suggest(&line(200, "all", "Rope"), &open, &[], &[]);
        assert!(!guessed[0].is_sure && guessed[0].items.len() == 3, "{guessed:?}");
        assert!(suggest(&line(-170, "", "Rope"), &open, &[], &[]).is_empty(), "money out pays none of ours");
    }

    #[test]
    fn a_gateway_keeps_its_fee_and_a_part_is_a_part() {
        let mut paid = line(97, "INV-00001", "");
        paid.amount = "97.50".parse().unwrap();
        paid.fee = Some(("2.5".parse().unwrap(), "fees".into()));
        let found = suggest(&paid, &[invoice("INV-00001", "Rope", 100)], &[], &[]);
        assert_eq!(found[0].items, [json!({ "invoice_id": "INV-00001" }), json!({ "account_id": "fees", "amount": "-2.5" })]);
        let part = suggest(&line(40, "INV-00001", ""), &[invoice("INV-00001", "Rope", 100)], &[], &[]);
        assert_eq!(part[0].items, [json!({ "invoice_id": "INV-00001", "amount": "40" })]);
        assert!(!part[0].is_sure);
    }

    #[test]
    fn what_is_entered_already_comes_before_what_is_open() {
        let paid = Entered { id: "p".into(), kind: "payment_id", number: "PAY-00001".into(), numbers: vec!["INV-00001".into()], amount: 100.into(), on: "2026-03-09".into(), ..Entered::default() };
        let found = suggest(&line(100, "INV-00001", ""), &[], &[paid], &[]);
        assert!(found[0].is_sure && found[0].items == [json!({ "payment_id": "p" })], "{found:?}");
    }

    #[test]
    fn creditor_references_have_check_digits() {
        assert!(is_creditor_reference("RF18539007547034"));
        assert!(!is_creditor_reference("RF19539007547034") && !is_creditor_reference("RF") && !is_creditor_reference("ÄRF18"));
        assert!(words(&[Some("RF18 5390 0754")]).contains("RF1853900754"));
    }

    #[test]
    fn names_are_alike_whatever_the_company_is_called_by_law() {
        assert!(alike("ТОО «Алатау Маркет»", "АЛАТАУ МАРКЕТ, ТОО") && alike("Rope & Co Ltd", "ROPE"));
        assert!(!alike("ТОО Алатау", "ТОО Есиль") && !alike("", "Rope") && !alike("GmbH", "GmbH"));
    }
}
