//! Random conditions × random rows: PostgreSQL and the evaluator in memory must come to the same verdict on every one.

use crate::fields::{Fields, KINDS, ME, context};
use conditions::{Condition, Kind, Param, Row};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

const SEED: u64 = 20_240_331;
const CONDITIONS: usize = 2000;
const ROWS: usize = 300;
const AT_ONCE: usize = 50;

/// SplitMix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// Values near each other and at the edges, so that comparisons hold about as often as not.
fn pool(kind: Kind) -> Value {
    let huge = "12345678901234567890123456789012345.678901234567890123456789";
    let huger = "12345678901234567890123456789012345.678901234567890123456788";
    match kind {
        Kind::Text => json!([
            "",
            "a",
            "A",
            "ab",
            "AB",
            "b",
            "%",
            "_",
            "a%",
            " a",
            "a ",
            "\\",
            "'",
            "\n",
            "10",
            "9",
            "é",
            "e\u{301}",
            "É",
            "Straße",
            "STRASSE",
            "İstanbul",
            "istanbul",
            "ΣΑΣ",
            "σας",
            "σασ",
            "Ёлка",
            "ёлка",
            "Қазақстан",
            "қазақстан",
            "日本",
            "日",
            "😀",
            "😀a",
            "\u{ffff}",
            "null",
            "true"
        ]),
        Kind::Number => {
            let mut numbers =
                json!([0, -0.0, 1, -1, 1.5, -1.5, 0.1, 0.3, 100, 99.99, -100, 9007199254740993_u64]);
            let more = ["1.50", "1e2", "1E-30", "0.30000000000000004", "-0.000", huge, huger];
            numbers.as_array_mut().unwrap().extend(more.map(|text| serde_json::from_str(text).unwrap()));
            numbers
        }
        Kind::Date => json!([
            "1900-01-01",
            "2023-12-31",
            "2024-01-01",
            "2024-02-29",
            "2024-03-24",
            "2024-03-25",
            "2024-03-30",
            "2024-03-31",
            "2024-04-01",
            "2024-04-07",
            "2024-04-30",
            "2024-05-01",
            "2025-01-01",
            "2200-12-31"
        ]),
        Kind::Instant => json!([
            "1900-01-01T12:00:00Z",
            "2023-12-31T22:59:59.999999Z",
            "2023-12-31T23:00:00Z",
            "2024-03-30T22:59:59.999999Z",
            "2024-03-30T23:00:00Z",
            "2024-03-31T00:59:59Z",
            "2024-03-31T01:00:00+00:00",
            "2024-03-31T03:00:00+02:00",
            "2024-03-31T08:20:30Z",
            "2024-03-31T08:20:30.000001Z",
            "2024-03-31T21:59:59.999999Z",
            "2024-03-31T22:00:00Z",
            "2024-04-01T00:00:00-05:30",
            "2024-04-30T22:00:00.5Z",
            "2200-12-31T00:00:00Z"
        ]),
        Kind::Bool => json!([true, false]),
        Kind::Id => {
            json!([ME, "0190C5A2-0000-7000-8000-0000000000AA", "0190c5a2-0000-7000-8000-0000000000ab"])
        }
        Kind::TextList => {
            json!([[], ["a"], ["b"], ["a", "b"], ["a", "a"], ["A"], [""], ["a", "b", "日本"], ["x", "y"]])
        }
        Kind::Json => {
            let mut documents = json!(["", "x", [], {}, 0, false, [0], {"a": 1}, [""], {"a": {}}, [[]]]);
            let places = json!([
                {"lat": 43.238, "lon": 76.945}, {"lat": 43.3, "lon": 77.0}, {"lat": -43.238, "lon": -103.055}, {"lat": 51.169, "lon": 71.449},
                {"lat": 90, "lon": 0}, {"lat": 0, "lon": 180}, {"lat": 0, "lon": 181}, {"lat": "43", "lon": 76}, {"lat": null, "lon": 0}
            ]);
            let places = places.as_array().unwrap().iter().cloned().chain([
                serde_json::from_str(r#"{"lat": 1e-300, "lon": 43.2380000000000001}"#).unwrap(),
                serde_json::from_str(r#"{"lat": 1e300, "lon": 0}"#).unwrap(),
            ]);
            documents.as_array_mut().unwrap().extend(places);
            documents
        }
    }
}

fn value(random: &mut Random, kind: Kind) -> Value {
    random.pick(pool(kind).as_array().unwrap())
}

/// Values that no column can hold, but a custom field can.
fn nonsense(random: &mut Random) -> Value {
    let odd = json!([
        "2024-02-30", "2024-13-01", "0000-01-01", "2024-3-1", "24-03-31", "2024-03-31 ", "infinity", "now", "today", "NaN", "1e5", "12", "-1.5",
        "2024-03-31T08:20:30", "2024-03-31 08:20:30Z", "2024-03-31T24:00:00Z", "2024-03-31T08:20:60Z", "2024-02-30T00:00:00Z",
        "2024-03-31T08:20:30.1234567Z", "2024-03-31T08:20:30+16:00", "2024-03-31T08:20:30z", "true", "{}", "not-an-id",
        "0190c5a2000070008000000000000000aa", "{0190c5a2-0000-7000-8000-0000000000aa}", ["a", 1], ["a", null], [null], {"a": "b"}, [["a"]],
        "0001-01-01", "9999-12-31", "9998-12-31T23:59:59+15:59", "0001-01-02T00:00:00Z"
    ]);
    random.pick(odd.as_array().unwrap())
}

fn row(random: &mut Random) -> Value {
    let mut row = json!({"doc": {}});
    for (name, kind) in KINDS {
        for column in [name.to_owned(), format!("{name}2")] {
            row[column] = if random.one_in(5) { Value::Null } else { value(random, kind) };
        }
        if kind == Kind::TextList && random.one_in(6) {
            row[name] = random.pick(&[json!([null]), json!(["a", null])]);
        }
        if kind == Kind::Date && random.one_in(10) {
            row[name] = random.pick(&[json!("0001-01-01"), json!("9999-12-31")]);
        }
        row["doc"][name] = match random.below(8) {
            0 => continue,
            1 => Value::Null,
            2 => nonsense(random),
            3 => {
                let kind = random.pick(&KINDS).1;
                value(random, kind)
            }
            _ => value(random, kind),
        };
    }
    row
}

fn condition(random: &mut Random, depth: usize) -> Value {
    if depth == 0 || random.one_in(5) {
        return rule(random);
    }
    condition_of_several(random, depth)
}

/// A group, or what is asked of lines.
fn condition_of_several(random: &mut Random, depth: usize) -> Value {
    if random.one_in(6) {
        let quantifier = random.pick(&["any", "all", "none"]);
        if random.one_in(3) {
            let mut rule = of_a_line(random);
            rule["field"] = format!("lines.{}", rule["field"].as_str().unwrap()).into();
            rule["quantifier"] = quantifier.into();
            return rule;
        }
        return json!({"field": "lines", "quantifier": quantifier, "where": of_lines(random)});
    }
    let rules: Vec<Value> = (0..=random.below(3)).map(|_| condition(random, depth - 1)).collect();
    json!({"operator": random.pick(&["AND", "OR", "NOT", "or", "not"]), "rules": rules})
}

fn of_lines(random: &mut Random) -> Value {
    let rules: Vec<Value> = (0..random.below(3)).map(|_| of_a_line(random)).collect();
    json!({"operator": random.pick(&["AND", "OR", "NOT"]), "rules": rules})
}

/// Changes are asked of a record, not of its lines.
fn of_a_line(random: &mut Random) -> Value {
    loop {
        let rule = rule(random);
        if !rule["operator"].as_str().unwrap().contains("creased")
            && !rule["operator"].as_str().unwrap().contains("changed")
        {
            return rule;
        }
    }
}

/// Regular expressions out of parts that meet the texts of the pool, whatever they are joined to.
fn pattern(random: &mut Random) -> String {
    let parts = [
        "a",
        "A",
        "b",
        ".",
        "\\d",
        "\\w",
        "\\s",
        "[ab]",
        "[^a]",
        "^",
        "$",
        "(?:ab|9|)",
        "(a|b)*",
        "a{1,2}",
        "b?",
        "\\p{Cyrillic}",
        "[а-я]",
        "%",
        "\\\\",
        "(?i:straße)",
        "(?i)қ",
        "日",
        "\\u{1F600}",
        "😀|a",
        "(?s:.)",
        "(?m:^)",
        "(?m:$)",
        "\\z",
        "\\A",
        "[\\]\\-\\\\^]",
        "(?:(?:a|)b){0,2}",
        "x*?",
        "",
        "[[:punct:]]",
        "_",
        "'",
        "\\x{ffff}",
        "\\W",
        "\\S+",
    ];
    (0..=random.below(3)).map(|_| random.pick(&parts)).collect()
}

fn path(random: &mut Random, name: &str) -> String {
    let forms = [name.to_owned(), format!("{name}2"), format!("cf.{name}"), format!("cf.{name}")];
    random.pick(&forms)
}

fn rule(random: &mut Random) -> Value {
    let (name, kind) = random.pick(&KINDS);
    let equal = ["equals", "not_equals", "in", "not_in", "changed_to", "changed_from"].as_slice();
    let order = ["gt", "lt", "gte", "lte", "between"].as_slice();
    let dates = [
        "before",
        "after",
        "on_or_before",
        "on_or_after",
        "within_last",
        "within_next",
        "is_today",
        "this_week",
        "this_month",
        "this_quarter",
        "this_year",
        "increased",
    ];
    let texts = [
        "contains",
        "not_contains",
        "starts_with",
        "ends_with",
        "equals_ci",
        "contains_ci",
        "length_eq",
        "length_lt",
        "matches",
        "matches",
        "matches_fts",
    ];
    let lists =
        ["contains", "not_contains", "has_any", "has_all", "has_none", "length_eq", "length_gt", "changed"];
    let always = ["is_empty", "is_not_empty"].as_slice();
    let ops: Vec<&str> = match kind {
        Kind::Text => [equal, order, &texts, always].concat(),
        Kind::Number => [equal, order, &["increased", "decreased", "changed"], always].concat(),
        Kind::Date | Kind::Instant => [equal, order, &dates, always].concat(),
        Kind::Bool => [equal, &["is_true", "is_false", "changed"], always].concat(),
        Kind::Id => [equal, &["is_current_user", "in_my_department", "changed"], always].concat(),
        Kind::TextList => [lists.as_slice(), always].concat(),
        Kind::Json => [always, &["within_km", "within_km"]].concat(),
    };
    let op = random.pick(&ops);
    let changes = matches!(op, "changed" | "changed_to" | "changed_from" | "increased" | "decreased");
    let field = if changes { name.to_owned() } else { path(random, name) };
    let timed = matches!(kind, Kind::Date | Kind::Instant);
    let relative = [
        "today",
        "yesterday",
        "now",
        "-7d",
        "start_of_month",
        "end_of_quarter+1d",
        "start_of_week-2h",
        "+1mo",
    ];
    let wanted = match op {
        "contains" | "not_contains" => Kind::Text,
        "length_eq" | "length_gt" | "length_lt" => {
            return json!({"field": field, "operator": op, "value": random.below(4)});
        }
        "matches" => return json!({"field": field, "operator": op, "value": pattern(random)}),
        "matches_fts" => {
            let words =
                random.pick(&["a", "AB a", "strasse", "стр*", "Ёлка", "é", "i*", "日本", "10 9", "σασ"]);
            return json!({"field": field, "operator": op, "value": words});
        }
        "within_km" => {
            let place = json!({"lat": 43.25, "lon": 76.95, "km": random.pick(&[0.5, 12.0, 1000.0, 19000.0, 20100.0])});
            return json!({"field": field, "operator": op, "value": place});
        }
        "within_last" | "within_next" => {
            return json!({"field": field, "operator": op, "value": random.pick(&["7d", "1h", "1y", "30min", "2q"])});
        }
        _ => kind,
    };
    let one = |random: &mut Random| match random.below(4) {
        0 if kind == Kind::Instant => value(random, Kind::Date),
        _ => value(random, wanted),
    };
    match (op, random.below(4)) {
        ("between", 0) if timed => {
            json!({"field": field, "operator": op, "valueType": "relative", "value": [random.pick(&relative), random.pick(&relative)]})
        }
        ("between", _) => {
            json!({"field": field, "operator": op, "value": [one(random), one(random)]})
        }
        ("in" | "not_in", 0) if kind == Kind::Text => {
            json!({"field": field, "operator": op, "valueType": "field", "value": path(random, "list")})
        }
        ("in" | "not_in", _) => {
            let values: Vec<Value> = (0..random.below(4)).map(|_| one(random)).collect();
            json!({"field": field, "operator": op, "value": values})
        }
        (_, 0) => {
            let other = KINDS.iter().find(|(_, k)| *k == wanted).unwrap().0;
            json!({"field": field, "operator": op, "valueType": "field", "value": path(random, other)})
        }
        (_, 1) if timed => {
            json!({"field": field, "operator": op, "valueType": "relative", "value": random.pick(&relative)})
        }
        _ => json!({"field": field, "operator": op, "value": one(random)}),
    }
}

/// A row as the records layer has it: what PostgreSQL made of it, as JSON.
struct Stored {
    json: Value,
    /// Decimals come as strings from some queries, as numbers from others.
    decimals_as_text: bool,
}

impl Row for Stored {
    fn value(&self, path: &str) -> Value {
        if let Some(key) = path.strip_prefix("cf.") {
            let value = self.json["doc"].get(key).cloned().unwrap_or_default();
            return if key == "number" && !value.is_number() { Value::Null } else { value };
        }
        let path = path.strip_prefix("$new.").unwrap_or(path);
        match path.strip_prefix("$old.") {
            Some(name) => Row::value(self, &format!("{name}2")),
            None if path == "lines" => {
                let line = |json: &Value| by_path(&Stored { json: json.clone(), decimals_as_text: false });
                self.json["lines"].as_array().unwrap().iter().map(line).collect()
            }
            None => match &self.json[path] {
                Value::Number(number) if self.decimals_as_text && !path.starts_with("json") => {
                    number.to_string().into()
                }
                value => value.clone(),
            },
        }
    }
}

/// A line's values under the paths that conditions name them by.
fn by_path(row: &Stored) -> Value {
    let paths =
        KINDS.iter().flat_map(|(name, _)| [name.to_string(), format!("{name}2"), format!("cf.{name}")]);
    paths.map(|path| (path.clone(), Row::value(row, &path))).collect::<serde_json::Map<_, _>>().into()
}

async fn session(config: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(config, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn load(client: &Client, rows: &[Value]) -> Vec<Stored> {
    client.batch_execute(include_str!("rows.sql")).await.unwrap();
    let rows = Value::from(rows.to_vec()).to_string();
    let insert = "insert into r select row_number() over (), x.* from jsonb_to_recordset($1::text::jsonb) as x (text text, text2 text,
        number numeric, number2 numeric, date date, date2 date, instant timestamptz, instant2 timestamptz, bool boolean, bool2 boolean,
        id uuid, id2 uuid, list text[], list2 text[], json jsonb, json2 jsonb, doc jsonb)";
    client.execute(insert, &[&rows]).await.unwrap();
    // Rows have none to four lines, which are copies of other rows.
    let lines = "insert into lines select p.nr, l.* from r p join r l on (l.nr * 7 + p.nr) % 150 < (p.nr % 5) and l.nr % 2 = p.nr % 2";
    client.execute(lines, &[]).await.unwrap();
    let whole = "select (to_jsonb(r) || jsonb_build_object('lines', coalesce((select jsonb_agg(to_jsonb(l)) from lines l where l.parent = r.nr), '[]')))::text
        from r order by nr";
    let stored = client.query(whole, &[]).await.unwrap();
    let read = |(i, row): (usize, &tokio_postgres::Row)| Stored {
        json: serde_json::from_str(row.get(0)).unwrap(),
        decimals_as_text: i % 2 == 1,
    };
    stored.iter().enumerate().map(read).collect()
}

async fn verdicts(client: &Client, conditions: &[String], params: &[Param]) -> Vec<Vec<bool>> {
    let each: Vec<String> = conditions.iter().map(|sql| format!("coalesce({sql}, false)")).collect();
    let sql = format!("select array[{}] from r order by nr", each.join(", "));
    let params: Vec<Box<dyn ToSql + Sync>> = params.iter().map(sent).collect();
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(AsRef::as_ref).collect();
    let rows = client.query(&sql, &params).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    rows.iter().map(|row| row.get(0)).collect()
}

fn sent(param: &Param) -> Box<dyn ToSql + Sync> {
    match param {
        Param::Text(text) => Box::new(text.clone()),
        Param::Number(text) | Param::Date(text) | Param::Instant(text) | Param::Id(text) => {
            Box::new(text.clone())
        }
        Param::Bool(yes) => Box::new(yes.to_string()),
        Param::List(texts) => Box::new(texts.clone()),
    }
}

#[test]
fn sql_and_memory_agree() {
    let cluster;
    let config = match std::env::var("TEST_DATABASE_SERVER") {
        Ok(server) => format!("{server} dbname=postgres"),
        Err(_) => {
            cluster = cluster::Cluster::temporary().unwrap();
            cluster.config("postgres", "postgres")
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(compare(&config));
}

async fn compare(config: &str) {
    let seed = std::env::var("TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let mut random = Random(seed);
    let client = session(config).await;
    let rows: Vec<Value> = (0..ROWS).map(|_| row(&mut random)).collect();
    let rows = load(&client, &rows).await;
    let conditions: Vec<Value> = (0..CONDITIONS).map(|_| condition(&mut random, 3)).collect();
    let (mut differences, mut held) = (vec![], 0);
    for batch in conditions.chunks(AT_ONCE) {
        let checked = batch.iter().map(|json| {
            let condition = Condition::parse(json).unwrap_or_else(|e| panic!("{e:?}\n{json}"));
            condition.check(&mut Fields, &context()).unwrap_or_else(|e| panic!("{e:?}\n{json}"))
        });
        let checked: Vec<_> = checked.collect();
        let mut params = vec![];
        let sql: Vec<String> = checked.iter().map(|condition| condition.sql(&mut params, 1)).collect();
        let verdicts = verdicts(&client, &sql, &params).await;
        for (row, verdicts) in rows.iter().zip(&verdicts) {
            for (i, condition) in checked.iter().enumerate() {
                held += usize::from(verdicts[i]);
                if condition.matches(row) != verdicts[i] {
                    differences.push(format!(
                        "SQL says {}: {}\n{}\n{}",
                        verdicts[i],
                        sql[i],
                        batch[i],
                        condition.explain(row)
                    ));
                }
            }
        }
    }
    let all = CONDITIONS * ROWS;
    println!("{all} verdicts, {held} rows held, {} differences", differences.len());
    assert!(differences.is_empty(), "{}", differences[..differences.len().min(5)].join("\n\n"));
    // Else the rows and conditions would prove little.
    assert!(held > all / 5 && held < all * 4 / 5, "{held} of {all} rows held");
}
