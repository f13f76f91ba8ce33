//! Spreadsheets, honest and hostile. The child that reads them is this very program.

use super::{all, bring, counts, file, null, scene, try_bring};
use records::import::{self, Mode};
use std::{
    io::{Cursor, Write},
    time::{Duration, Instant},
};
use zip::write::SimpleFileOptions;

pub(crate) fn use_this_program() {
    let program = std::env::current_exe().unwrap().into_os_string();
    let words = ["spreadsheets::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    import::set_xlsx_child([program].into_iter().chain(words.map(Into::into)).collect());
}

#[test]
#[ignore = "is run by the other tests, as the child"]
fn child() {
    let path = std::env::args().next_back().unwrap();
    let _ = import::xlsx_child(path.as_ref());
}

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const BOOK_RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// A workbook of one sheet, whose XML is written by `sheet`.
fn book(sheet: impl Fn(&mut dyn Write)) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (name, text) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.start_file("xl/worksheets/sheet1.xml", options).unwrap();
    sheet(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn sheet(data: &str) -> Vec<u8> {
    book(|out| {
        write!(out, r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{data}</sheetData></worksheet>"#).unwrap()
    })
}

const HEADING: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1" t="inlineStr"><is><t>code</t></is></c></row>"#;

#[tokio::test]
async fn a_spreadsheet_comes_in() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let book = sheet(&format!(
        r#"{HEADING}<row r="2"><c r="A2" t="inlineStr"><is><t>=not a formula</t></is></c><c r="B2"><v>10248</v></c></row>
           <row r="4"><c r="A4" t="inlineStr"><is><t>Second</t></is></c></row>
           <row r="1048576"><c r="A1048576" t="inlineStr"><is><t>Last</t></is></c><c r="B1048576"><v>0.30000000000000004</v></c></row>"#
    ));
    let import = bring(&owner, "products.categories", file(book).path(), null(), None).await;
    assert_eq!(counts(&import), [3, 0, 0, 0], "{}", import["errors"]);
    let names: Vec<String> = all(&owner, "products.categories", &[("sort", "id")])
        .await
        .iter()
        .map(|c| format!("{} {}", c["name"], c["code"]))
        .collect();
    assert_eq!(names, [r#""=not a formula" "10248""#, r#""Second" null"#, r#""Last" "0.3""#]);
}

#[tokio::test]
async fn bombs_are_refused_at_once() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let bombs: Vec<(&str, &str, Vec<u8>)> = vec![
        (
            "row 999999999",
            "more than 1,048,576 rows",
            sheet(&format!(r#"{HEADING}<row r="999999999"><c r="A999999999"><v>1</v></c></row>"#)),
        ),
        (
            "column XFD",
            "more than 1,000 columns",
            sheet(&format!(r#"{HEADING}<row r="2"><c r="XFD2"><v>1</v></c></row>"#)),
        ),
        (
            "110 MB of spaces",
            "too large when unpacked",
            book(|out| {
                let blank = vec![b' '; 1 << 20];
                (0..110).for_each(|_| out.write_all(&blank).unwrap());
            }),
        ),
        (
            "rows out of order",
            "not in order",
            sheet(&format!(
                r#"{HEADING}<row r="5"><c r="A5"><v>1</v></c></row><row r="4"><c r="A4"><v>1</v></c></row>"#
            )),
        ),
        (
            "entities of its own",
            "declares entities",
            book(|out| {
                write!(
                    out,
                    r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>"#
                )
                .unwrap();
            }),
        ),
        ("no zip", "it is damaged", b"PK\x03\x04 nothing more".to_vec()),
        (
            "one cell of 30 MB",
            "32,767",
            book(|out| {
                write!(
                    out,
                    r#"<?xml version="1.0"?><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>"#
                )
                .unwrap();
                let mut noise = vec![0_u8; 1 << 20];
                let mut state = 1_u32;
                for n in 0..30 {
                    for byte in &mut noise {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223 + n);
                        *byte = b'a' + u8::try_from(state >> 28).unwrap();
                    }
                    out.write_all(&noise).unwrap();
                }
                write!(out, "</t></is></c></row></sheetData></worksheet>").unwrap();
            }),
        ),
    ];
    for (what, why, bytes) in bombs {
        let file = file(&bytes);
        let began = Instant::now();
        let refused =
            try_bring(&owner, "products.categories", file.path(), null(), None, Mode::Run).await.unwrap_err();
        assert!(
            matches!(refused, kernel::Error::Malformed(_)) && refused.to_string().contains(why),
            "{what}: {refused}"
        );
        assert!(began.elapsed() < Duration::from_secs(4), "{what}: {:?}", began.elapsed());
    }
}

/// Cells far apart cost what they are, not the rectangle around them.
#[tokio::test]
async fn a_sparse_sheet_is_small() {
    let s = scene().await;
    let owner = s.person("Acme", "owner").await;
    let rows: String = (1..=200)
        .map(|n| {
            format!(r#"<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>n{n}</t></is></c></row>"#, n * 5_000)
        })
        .collect();
    let import =
        bring(&owner, "products.categories", file(sheet(&format!("{HEADING}{rows}"))).path(), null(), None)
            .await;
    assert_eq!(counts(&import), [200, 0, 0, 0], "{}", import["errors"]);
}
