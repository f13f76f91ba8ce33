//! What comes back: a rule of RFC 5545 as text, in the parts of it that people use, and the days that skip it.
//!
//! `FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261231`, and on a second line `EXDATE:20261109`. Days and times are those
//! of the wall clock where the company is, so that what begins at nine does so on both sides of a change of the clock.
//! Written here, since an iterator that looks for the next day of a rule that has none cannot be stopped from outside:
//! every step below is a period of the rule, taken from a budget.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Day(Date),
    Wall(DateTime),
    Instant(Timestamp),
}

/// A rule that was read and is sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recurrence {
    frequency: Frequency,
    interval: i32,
    count: Option<u32>,
    until: Option<Until>,
    /// With the number in its month, from the end where negative; 0 is each of them.
    days: Vec<(i8, Weekday)>,
    month_days: Vec<i8>,
    months: Vec<i8>,
    positions: Vec<i16>,
    week_begins: Weekday,
    except: Vec<Date>,
}

const NAMES: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];
const LONGEST: usize = 8_000;
const MOST_TIMES: u32 = 1_000;
const MOST_EXCEPTIONS: usize = 500;
const NO: &str = "Write a recurrence as FREQ=WEEKLY;BYDAY=MO,WE.";

impl Recurrence {
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Recurrence, String> {
        if text.len() > LONGEST {
            return Err(format!("At most {LONGEST} characters."));
        }
        let text = text.to_ascii_uppercase();
        let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
        let rule = lines.next().ok_or(NO)?;
        let mut made = Recurrence::rule(rule.strip_prefix("RRULE:").unwrap_or(rule))?;
        for line in lines {
            let (name, days) = line.split_once(':').ok_or(NO)?;
            if name.split(';').next() != Some("EXDATE") {
                return Err("After the rule stand only days to skip, as EXDATE:20261231.".into());
            }
            for day in days.split(',') {
                let day = day.get(..8).and_then(date).ok_or("A day to skip is written as 20261231.")?;
                made.except.push(day);
            }
        }
        made.except.sort_unstable();
        made.except.dedup();
        if made.except.len() > MOST_EXCEPTIONS {
            return Err(format!("At most {MOST_EXCEPTIONS} days are skipped."));
        }
        Ok(made)
    }

    fn rule(text: &str) -> Result<Recurrence, String> {
        let mut made = Recurrence {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            days: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
            week_begins: Weekday::Monday,
            except: Vec::new(),
        };
        let mut seen: Vec<&str> = Vec::new();
        for part in text.split(';').filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(NO)?;
            if seen.contains(&name) {
                return Err(format!("{name} is given twice."));
            }
            seen.push(name);
            match name {
                "FREQ" => {
                    made.frequency = match value {
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return Err("A recurrence is daily, weekly, monthly or yearly.".into()),
                    }
                }
                "INTERVAL" => made.interval = number(value, 1, 999)?,
                "COUNT" => made.count = Some(number(value, 1, MOST_TIMES)?),
                "UNTIL" => made.until = Some(until(value).ok_or("The end is written as UNTIL=20261231.")?),
                "BYDAY" => made.days = list(value, day_name)?,
                "BYMONTHDAY" => made.month_days = list(value, |t| signed(t, 31))?,
                "BYMONTH" => made.months = list(value, |t| number(t, 1, 12))?,
                "BYSETPOS" => made.positions = list(value, |t| signed(t, 366))?,
                "WKST" => made.week_begins = day_name(value)?.1,
                _ => return Err(format!("A recurrence here does not go by {name}.")),
            }
        }
        if !seen.contains(&"FREQ") {
            return Err(NO.into());
        }
        made.check()?;
        Ok(made)
    }

    fn check(&self) -> Result<(), String> {
        if self.count.is_some() && self.until.is_some() {
            return Err("A recurrence ends on a day or after a number of times, not both.".into());
        }
        let by_month = matches!(self.frequency, Frequency::Monthly | Frequency::Yearly);
        if !by_month && self.days.iter().any(|(n, _)| *n != 0) {
            return Err("Only a month has a first or a last weekday.".into());
        }
        if self.frequency == Frequency::Weekly && !self.month_days.is_empty() {
            return Err("A weekly recurrence goes by weekdays.".into());
        }
        if self.frequency == Frequency::Yearly && !self.days.is_empty() && self.months.is_empty() {
            return Err("A yearly recurrence by weekdays names its months.".into());
        }
        if !self.positions.is_empty() && (self.frequency == Frequency::Daily || self.days.is_empty()) {
            return Err("BYSETPOS picks from the weekdays of a period.".into());
        }
        Ok(())
    }

    /// Where it begins, whether or not the rule says that day, and where it comes back: on the clock of `zone`, those
    /// that begin in `[from, to)`, in order. None, once the budget of steps is spent.
    pub(crate) fn between(
        &self,
        start: DateTime,
        from: DateTime,
        to: DateTime,
        zone: &TimeZone,
        budget: &mut u32,
    ) -> Option<Vec<DateTime>> {
        let mut found = Vec::new();
        let mut times = 0;
        let mut take = |at: DateTime| {
            times += 1;
            if at >= from && at < to && self.except.binary_search(&at.date()).is_err() {
                found.push(at);
            }
            self.count.is_some_and(|most| times >= most)
        };
        if take(start) {
            return Some(found);
        }
        // What counts its times is followed from its beginning.
        let mut n = if self.count.is_some() { 0 } else { self.periods(start.date(), from.date()) };
        loop {
            *budget = budget.checked_sub(1)?;
            let Some(first) = self.period(start.date(), n) else { break };
            if first.to_datetime(start.time()) >= to {
                break;
            }
            for day in self.within(start.date(), first) {
                let at = day.to_datetime(start.time());
                if at <= start {
                    continue;
                }
                if at >= to || self.is_over(at, zone) || take(at) {
                    return Some(found);
                }
            }
            n += 1;
        }
        Some(found)
    }

    fn is_over(&self, at: DateTime, zone: &TimeZone) -> bool {
        match self.until {
            None => false,
            Some(Until::Day(day)) => at.date() > day,
            Some(Until::Wall(end)) => at > end,
            Some(Until::Instant(end)) => zone.to_timestamp(at).is_ok_and(|at| at > end),
        }
    }

    /// How many whole periods lie before this day, at least.
    fn periods(&self, start: Date, day: Date) -> i32 {
        let months = |d: Date| i32::from(d.year()) * 12 + i32::from(d.month());
        let passed = match self.frequency {
            Frequency::Daily => days_between(start, day),
            Frequency::Weekly => days_between(start, day) / 7 - 1,
            Frequency::Monthly => months(day) - months(start) - 1,
            Frequency::Yearly => i32::from(day.year()) - i32::from(start.year()) - 1,
        };
        (passed / self.interval).max(0)
    }

    /// The first day of the nth period; none beyond the calendar.
    fn period(&self, start: Date, n: i32) -> Option<Date> {
        let n = n.checked_mul(self.interval)?;
        match self.frequency {
            Frequency::Daily => later(start, n),
            Frequency::Weekly => {
                let back = start.weekday().since(self.week_begins);
                later(start, n.checked_mul(7)?.checked_sub(i32::from(back))?)
            }
            Frequency::Monthly => {
                let month = (i32::from(start.year()) * 12 + i32::from(start.month()) - 1).checked_add(n)?;
                Date::new(i16::try_from(month / 12).ok()?, i8::try_from(month % 12 + 1).ok()?, 1).ok()
            }
            Frequency::Yearly => {
                Date::new(i16::try_from(i32::from(start.year()).checked_add(n)?).ok()?, 1, 1).ok()
            }
        }
    }

    /// Its days in the period that begins with `first`.
    fn within(&self, start: Date, first: Date) -> Vec<Date> {
        let month = |d: Date| self.months.is_empty() || self.months.contains(&d.month());
        let mut days = match self.frequency {
            Frequency::Daily => {
                let fits = self.days.is_empty() || self.days.iter().any(|(_, w)| *w == first.weekday());
                if fits && (self.month_days.is_empty() || self.on_month_day(first)) {
                    vec![first]
                } else {
                    Vec::new()
                }
            }
            Frequency::Weekly => {
                let wanted = |d: &Date| match self.days.is_empty() {
                    true => d.weekday() == start.weekday(),
                    false => self.days.iter().any(|(_, w)| *w == d.weekday()),
                };
                (0..7).filter_map(|n| later(first, n)).filter(wanted).collect()
            }
            Frequency::Monthly => self.of_month(start, first),
            Frequency::Yearly => {
                let bound = !self.months.is_empty() || !self.month_days.is_empty();
                let wanted = |m: &i8| bound || *m == start.month();
                let months = (1..=12).filter(wanted).filter_map(|m| Date::new(first.year(), m, 1).ok());
                months.filter(|m| month(*m)).flat_map(|m| self.of_month(start, m)).collect()
            }
        };
        days.retain(|d| month(*d));
        if self.positions.is_empty() {
            return days;
        }
        let at = |n: &i16| match *n > 0 {
            true => usize::try_from(*n - 1).ok(),
            false => days.len().checked_sub(usize::from(n.unsigned_abs())),
        };
        let mut picked: Vec<Date> =
            self.positions.iter().filter_map(at).filter_map(|n| days.get(n).copied()).collect();
        picked.sort_unstable();
        picked.dedup();
        picked
    }

    fn of_month(&self, start: Date, first: Date) -> Vec<Date> {
        let all = (0..first.days_in_month()).filter_map(|n| later(first, i32::from(n)));
        all.filter(|d| match (self.month_days.is_empty(), self.days.is_empty()) {
            (true, true) => d.day() == start.day(),
            (false, true) => self.on_month_day(*d),
            (true, false) => self.on_weekday(*d),
            (false, false) => self.on_month_day(*d) && self.on_weekday(*d),
        })
        .collect()
    }

    fn on_month_day(&self, d: Date) -> bool {
        self.month_days.contains(&d.day()) || self.month_days.contains(&(d.day() - d.days_in_month() - 1))
    }

    fn on_weekday(&self, d: Date) -> bool {
        let (nth, from_end) = ((d.day() - 1) / 7 + 1, -((d.days_in_month() - d.day()) / 7 + 1));
        self.days.iter().any(|(n, w)| *w == d.weekday() && (*n == 0 || *n == nth || *n == from_end))
    }
}

/// The words of a rule: how often by frequency (once, and with the interval), weekdays from Monday, the last day of a
/// month, a day of it, `of`, until, times, without.
struct Words {
    often: [(&'static str, &'static str); 4],
    weekdays: [&'static str; 7],
    months: [&'static str; 12],
    last_day: &'static str,
    day: &'static str,
    nth: [&'static str; 6],
    until: &'static str,
    times: &'static str,
    without: &'static str,
}

const WORDS: [(&str, Words); 3] = [
    (
        "en",
        Words {
            often: [
                ("Every day", "Every {} days"),
                ("Every week", "Every {} weeks"),
                ("Every month", "Every {} months"),
                ("Every year", "Every {} years"),
            ],
            weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
            months: [
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ],
            last_day: "the last day",
            day: "day {}",
            nth: ["first {}", "second {}", "third {}", "fourth {}", "fifth {}", "last {}"],
            until: "until {}",
            times: "{} times",
            without: "without {}",
        },
    ),
    (
        "ru",
        Words {
            often: [
                ("Каждый день", "Раз в {} дн."),
                ("Каждую неделю", "Раз в {} нед."),
                ("Каждый месяц", "Раз в {} мес."),
                ("Каждый год", "Раз в {} г."),
            ],
            weekdays: ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"],
            months: [
                "январь",
                "февраль",
                "март",
                "апрель",
                "май",
                "июнь",
                "июль",
                "август",
                "сентябрь",
                "октябрь",
                "ноябрь",
                "декабрь",
            ],
            last_day: "последний день",
            day: "{}-го числа",
            nth: [
                "{}, первый раз в месяце",
                "{}, второй раз в месяце",
                "{}, третий раз в месяце",
                "{}, четвёртый раз в месяце",
                "{}, пятый раз в месяце",
                "{}, последний раз в месяце",
            ],
            until: "до {}",
            times: "раз: {}",
            without: "кроме {}",
        },
    ),
    (
        "kk",
        Words {
            often: [
                ("Күн сайын", "Әр {} күн сайын"),
                ("Апта сайын", "Әр {} апта сайын"),
                ("Ай сайын", "Әр {} ай сайын"),
                ("Жыл сайын", "Әр {} жыл сайын"),
            ],
            weekdays: ["дүйсенбі", "сейсенбі", "сәрсенбі", "бейсенбі", "жұма", "сенбі", "жексенбі"],
            months: [
                "қаңтар",
                "ақпан",
                "наурыз",
                "сәуір",
                "мамыр",
                "маусым",
                "шілде",
                "тамыз",
                "қыркүйек",
                "қазан",
                "қараша",
                "желтоқсан",
            ],
            last_day: "соңғы күні",
            day: "{}-күні",
            nth: [
                "айдың бірінші {} күні",
                "айдың екінші {} күні",
                "айдың үшінші {} күні",
                "айдың төртінші {} күні",
                "айдың бесінші {} күні",
                "айдың соңғы {} күні",
            ],
            until: "{} дейін",
            times: "{} рет",
            without: "{} күндерінен басқа",
        },
    ),
];

impl Recurrence {
    /// The rule in words, for papers; `day` writes a date. What has no words stands as it is written.
    pub(crate) fn said(&self, language: &str, day: &impl Fn(&str, &str) -> String) -> String {
        let daily =
            self.frequency == Frequency::Daily && !(self.days.is_empty() && self.month_days.is_empty());
        let from_end = self.days.iter().any(|(n, _)| *n < -1) || self.month_days.iter().any(|n| *n < -1);
        if !self.positions.is_empty() || daily || from_end {
            return self.to_string();
        }
        let words = WORDS.iter().find(|(l, _)| *l == language).map_or(&WORDS[0].1, |(_, words)| words);
        let fill = |text: &str, with: &str| text.replace("{}", with);
        let (once, more) = words.often[self.frequency as usize];
        let mut said =
            if self.interval == 1 { once.to_owned() } else { fill(more, &self.interval.to_string()) };
        let name = |w: Weekday| words.weekdays[usize::from(w.to_monday_zero_offset().unsigned_abs())];
        let month_days = self.month_days.iter().map(|d| match d {
            -1 => words.last_day.to_owned(),
            d => fill(words.day, &d.to_string()),
        });
        let days = self.days.iter().map(|(n, w)| match n {
            0 => name(*w).to_owned(),
            n if *n < 0 => fill(words.nth[5], name(*w)),
            n => fill(words.nth[usize::from(n.unsigned_abs()).clamp(1, 5) - 1], name(*w)),
        });
        let months: Vec<&str> = self
            .months
            .iter()
            .map(|m| words.months[usize::from(m.unsigned_abs()).clamp(1, 12) - 1])
            .collect();
        let mut on: Vec<String> = month_days.chain(days).collect();
        if !months.is_empty() {
            on.push(format!("({})", months.join(", ")));
        }
        if !on.is_empty() {
            said = format!("{said}: {}", on.join(", "));
        }
        let last = match self.until {
            Some(Until::Day(last)) => Some(last),
            Some(Until::Wall(at)) => Some(at.date()),
            Some(Until::Instant(at)) => Some(at.to_zoned(TimeZone::UTC).date()),
            None => None,
        };
        let except: Vec<String> = self.except.iter().map(|d| day(&d.to_string(), language)).collect();
        let more = [
            self.count.map(|n| fill(words.times, &n.to_string())),
            last.map(|d| fill(words.until, &day(&d.to_string(), language))),
            (!except.is_empty()).then(|| fill(words.without, &except.join(", "))),
        ];
        more.into_iter().flatten().fold(said, |said, part| format!("{said}; {part}"))
    }
}

impl std::fmt::Display for Recurrence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let frequency = match self.frequency {
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        };
        write!(f, "FREQ={frequency}")?;
        if self.interval > 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        let named = |w: Weekday| NAMES.iter().find(|(_, day)| *day == w).map_or("", |(name, _)| *name);
        let day = |(n, w): &(i8, Weekday)| match n {
            0 => named(*w).to_owned(),
            n => format!("{n}{}", named(*w)),
        };
        let numbers = |all: &[i8]| all.iter().map(i8::to_string).collect::<Vec<_>>();
        for (name, list) in [
            ("BYMONTH", numbers(&self.months)),
            ("BYMONTHDAY", numbers(&self.month_days)),
            ("BYDAY", self.days.iter().map(day).collect()),
            ("BYSETPOS", self.positions.iter().map(i16::to_string).collect()),
        ] {
            if !list.is_empty() {
                write!(f, ";{name}={}", list.join(","))?;
            }
        }
        if self.week_begins != Weekday::Monday {
            write!(f, ";WKST={}", named(self.week_begins))?;
        }
        match (self.count, self.until) {
            (Some(count), _) => write!(f, ";COUNT={count}")?,
            (None, Some(Until::Day(day))) => write!(f, ";UNTIL={}", day.strftime("%Y%m%d"))?,
            (None, Some(Until::Wall(at))) => write!(f, ";UNTIL={}", at.strftime("%Y%m%dT%H%M%S"))?,
            (None, Some(Until::Instant(at))) => write!(f, ";UNTIL={}", at.strftime("%Y%m%dT%H%M%SZ"))?,
            (None, None) => {}
        }
        for (n, day) in self.except.iter().enumerate() {
            f.write_str(if n == 0 { "\nEXDATE:" } else { "," })?;
            write!(f, "{}", day.strftime("%Y%m%d"))?;
        }
        Ok(())
    }
}

fn later(day: Date, days: i32) -> Option<Date> {
    day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

fn list<T>(text: &str, one: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let all: Vec<T> = text.split(',').map(one).collect::<Result<_, _>>()?;
    if all.len() > 60 { Err("A recurrence names too many days.".into()) } else { Ok(all) }
}

fn number<T: std::str::FromStr + PartialOrd + std::fmt::Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, String> {
    let good = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<T>() {
        Ok(n) if good && n >= least && n <= most => Ok(n),
        _ => Err(format!("In a recurrence, {text} should be a number from {least} to {most}.")),
    }
}

fn signed<T: TryFrom<i16>>(text: &str, most: i16) -> Result<T, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |t| (-1, t));
    let n = number::<i16>(digits.strip_prefix('+').unwrap_or(digits), 1, most)?;
    T::try_from(sign * n).map_err(|_| NO.to_owned())
}

/// `MO`, `1MO`, `-1FR`.
fn day_name(text: &str) -> Result<(i8, Weekday), String> {
    let (number, name) = text.split_at_checked(text.len().saturating_sub(2)).ok_or(NO)?;
    let day = NAMES.iter().find(|(n, _)| *n == name).ok_or("A weekday is MO, TU, WE, TH, FR, SA or SU.")?;
    Ok((if number.is_empty() { 0 } else { signed(number, 5)? }, day.1))
}

fn date(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| text.get(range).filter(|_| digits);
    let day =
        Date::new(part(0..4)?.parse().ok()?, part(4..6)?.parse().ok()?, part(6..8)?.parse().ok()?).ok()?;
    Some(day).filter(|d| (1900..=2200).contains(&d.year()))
}

fn until(text: &str) -> Option<Until> {
    let Some((day, time)) = text.split_once('T') else { return date(text).map(Until::Day) };
    let (time, utc) = time.strip_suffix('Z').map_or((time, false), |t| (t, true));
    let part = |at: usize| time.get(at..at + 2)?.parse().ok();
    let wall =
        DateTime::from_parts(date(day)?, jiff::civil::Time::new(part(0)?, part(2)?, part(4)?, 0).ok()?);
    if time.len() != 6 {
        return None;
    }
    if utc { TimeZone::UTC.to_timestamp(wall).ok().map(Until::Instant) } else { Some(Until::Wall(wall)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    fn found(rule: &str, start: &str, from: &str, to: &str) -> Vec<String> {
        let rule = Recurrence::parse(rule).unwrap();
        let mut budget = 100_000;
        let all = rule.between(wall(start), wall(from), wall(to), &TimeZone::UTC, &mut budget).unwrap();
        all.iter().map(|at| at.strftime("%m-%d").to_string()).collect()
    }

    #[test]
    fn what_people_say_comes_back_when_they_mean() {
        let year = ("2026-01-01T00:00", "2027-01-01T00:00");
        for (rule, start, days) in [
            ("FREQ=DAILY;COUNT=3", "2026-01-30T09:00", "01-30 01-31 02-01"),
            ("FREQ=DAILY;INTERVAL=10;UNTIL=20260201", "2026-01-02T09:00", "01-02 01-12 01-22 02-01"),
            ("FREQ=DAILY;UNTIL=20260103T090000Z", "2026-01-02T09:00", "01-02 01-03"),
            ("FREQ=DAILY;UNTIL=20260103T085959", "2026-01-02T09:00", "01-02"),
            ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", "2026-11-02T09:00", "11-02 11-04 11-09 11-11"),
            // A start that the rule does not name is there all the same.
            ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-11-03T09:00", "11-03 11-09"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;COUNT=4", "2026-11-02T09:00", "11-02 11-08 11-16 11-22"),
            (
                "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=4",
                "2026-11-02T09:00",
                "11-02 11-15 11-16 11-29",
            ),
            // Who has no thirty-first has none.
            ("FREQ=MONTHLY;COUNT=4", "2026-01-31T09:00", "01-31 03-31 05-31 07-31"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2026-01-31T09:00", "01-31 02-28 03-31"),
            ("FREQ=MONTHLY;BYDAY=2TU;COUNT=3", "2026-01-13T09:00", "01-13 02-10 03-10"),
            ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "2026-01-30T09:00", "01-30 02-27 03-27"),
            (
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3",
                "2026-01-30T09:00",
                "01-30 02-27 03-31",
            ),
            ("FREQ=YEARLY;BYMONTH=3,9;BYDAY=1SU", "2026-03-01T09:00", "03-01 09-06"),
            ("FREQ=DAILY;COUNT=4\nEXDATE:20260131,20260201", "2026-01-30T09:00", "01-30 02-02"),
        ] {
            assert_eq!(found(rule, start, year.0, year.1).join(" "), days, "{rule}");
        }
        // What began years ago, and leap days.
        assert_eq!(
            found("FREQ=DAILY;INTERVAL=3", "1950-01-01T09:00", "2026-05-01T00:00", "2026-05-08T00:00").len(),
            3
        );
        assert_eq!(
            found("FREQ=YEARLY", "2024-02-29T09:00", "2025-01-01T00:00", "2033-01-01T00:00"),
            ["02-29", "02-29"]
        );
    }

    #[test]
    fn a_rule_is_read_and_written_alike_and_what_is_none_is_refused() {
        for rule in [
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261231",
            "FREQ=MONTHLY;BYDAY=-1FR;COUNT=12",
            "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8\nEXDATE:20270308,20280308",
            "FREQ=DAILY;UNTIL=20261231T090000Z",
        ] {
            assert_eq!(Recurrence::parse(rule).unwrap().to_string(), rule);
        }
        let loose =
            "rrule:freq=weekly;wkst=mo;byday=mo\nEXDATE;TZID=Asia/Almaty:20261116T090000,20261109T090000";
        assert_eq!(
            Recurrence::parse(loose).unwrap().to_string(),
            "FREQ=WEEKLY;BYDAY=MO\nEXDATE:20261109,20261116"
        );
        for bad in [
            "",
            "every day",
            "BYDAY=MO",
            "FREQ=SECONDLY",
            "FREQ=HOURLY",
            "FREQ=DAILY;BYHOUR=1,2,3",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=99999999999",
            "FREQ=DAILY;COUNT=1000000",
            "FREQ=DAILY;COUNT=2;UNTIL=20261231",
            "FREQ=DAILY;COUNT=2;COUNT=3",
            "FREQ=DAILY;UNTIL=20261331",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;BYDAY=2MO",
            "FREQ=MONTHLY;BYDAY=9MO",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=YEARLY;BYDAY=MO",
            "FREQ=DAILY\nRDATE:20261231",
            "FREQ=DAILY\nEXDATE:tomorrow",
            "FREQ=DAILY;é=1",
        ] {
            assert!(Recurrence::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rule_is_said_on_paper_in_every_language() {
        let day = |text: &str, _: &str| text.to_owned();
        let said = |rule: &str, language| Recurrence::parse(rule).unwrap().said(language, &day);
        let rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;UNTIL=20261231\nEXDATE:20261109";
        assert_eq!(
            said(rule, "en"),
            "Every 2 weeks: Monday, Wednesday; until 2026-12-31; without 2026-11-09"
        );
        assert_eq!(
            said("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "ru"),
            "Каждый месяц: пятница, последний раз в месяце; раз: 3"
        );
        assert_eq!(said("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8", "kk"), "Жыл сайын: 8-күні, (наурыз)");
    }

    #[test]
    fn a_rule_that_never_comes_true_costs_its_budget_and_no_more() {
        let rule = Recurrence::parse("FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2;COUNT=5").unwrap();
        let mut budget = 1_000;
        let (start, from, to) =
            (wall("1900-01-01T09:00"), wall("2200-01-01T00:00"), wall("2200-02-01T00:00"));
        assert_eq!(rule.between(start, from, to, &TimeZone::UTC, &mut budget), None);
        let rule = Recurrence::parse("FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=2").unwrap();
        assert_eq!(rule.between(start, from, to, &TimeZone::UTC, &mut 10), Some(vec![]));
    }
}
