use flow::pdf::{Document, render};
use serde_json::json;
use std::{path::Path, process::Command};

fn logo() -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (240_u32, 64_u32);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| {
            (0..width).flat_map(move |x| {
                [20, 60 + (x / 2) as u8, 120, if (x / 8 + y / 8) % 2 == 0 { 255 } else { 90 }]
            })
        })
        .collect();
    writer.write_image_data(&pixels).unwrap();
    drop(writer);
    bytes
}

fn invoice(lines: usize) -> Document {
    let mut document: Document = serde_json::from_value(json!({
        "title": "Счёт на оплату",
        "number": "INV-2026-00042",
        "stamp": "Черновик",
        "language": "ru",
        "company": {
            "name": "ТОО «Прометрик Трейд»",
            "details": "Республика Казахстан, г. Алматы, пр. Әл-Фараби 77/8, оф. 14\nБИН 180340021957 · +7 727 355 01 02\nprometric.test",
            "accent_hue": 160
        },
        "parties": [
            {"label": "Поставщик", "name": "ТОО «Прометрик Трейд»", "details": "БИН 180340021957\nЖәңгір хан көшесі, 12"},
            {"label": "Покупатель", "name": "АО «Қазақстан Темір Жолы — Грузовые перевозки и логистика»", "details": "БИН 020540003431\nг. Астана, ул. Қонаев 6"}
        ],
        "facts": [
            {"label": "Дата", "value": "21.11.2026"},
            {"label": "Срок оплаты", "value": "05.12.2026"},
            {"label": "Договор", "value": "№ 17/26 от 01.02.2026"},
            {"label": "Валюта", "value": "KZT (₸)"}
        ],
        "columns": [
            {"label": "№", "number": true}, {"label": "Наименование"}, {"label": "Ед."}, {"label": "Кол-во", "number": true},
            {"label": "Цена, ₸", "number": true}, {"label": "НДС", "number": true}, {"label": "Сумма, ₸", "number": true}
        ],
        "tax_columns": [{"label": "Ставка"}, {"label": "База", "number": true}, {"label": "Налог", "number": true}],
        "tax_rows": [{"cells": ["НДС 16 %", "12 500 000,00", "2 000 000,00"]}, {"cells": ["Без НДС", "90 000,00", "0,00"]}],
        "totals": [
            {"label": "Итого без НДС", "value": "12 590 000,00 ₸"},
            {"label": "НДС", "value": "2 000 000,00 ₸"},
            {"label": "К оплате", "value": "14 590 000,00 ₸", "strong": true},
            {"label": "Эквивалент", "value": "€ 24 316,67 · £ 20 810,00 · $ 28 050,00"}
        ],
        "blocks": [
            {"label": "Сумма прописью", "text": "Четырнадцать миллионов пятьсот девяносто тысяч тенге 00 тиын"},
            {"label": "Банковские реквизиты", "text": "АО «Халык Банк», БИК HSBKKZKX\nИИК KZ86 125K ZT20 0000 1234, КБе 17, КНП 710"},
            {"label": "Ескерту", "text": "Ә ә Ғ ғ Қ қ Ң ң Ө ө Ұ ұ Ү ү Һ һ І і — төлем мерзімі 14 күн. Оплата данного счёта означает согласие с условиями поставки товара; уведомление об оплате обязательно, в противном случае не гарантируется наличие товара на складе."}
        ],
        "signatures": [{ "label": "Руководитель", "path": "M10 60Q40 10 80 50 L120 40-10 90" }, { "label": "Главный бухгалтер", "text": "А. Садыкова" }],
        "footer": "ТОО «Прометрик Трейд» · prometric.test"
    }))
    .unwrap();
    document.company.logo = Some(logo());
    for n in 1..=lines {
        let mut row = flow::pdf::Row::default();
        let name = if n % 3 == 0 {
            "Кабель силовой ВВГнг(А)-LS 3×2,5 мм² для стационарной прокладки в помещениях, бухта 100 м"
        } else {
            "Труба стальная 57×3,5"
        };
        row.cells = [&n.to_string(), name, "шт", "1 250,5", "7 990,00", "16 %", "1 000 000,00"]
            .map(str::to_owned)
            .to_vec();
        if n % 4 == 0 {
            row.detail = "Артикул 00-7781 · партия L-2026-11 · Қостанай қоймасы".into();
        }
        document.rows.push(row);
    }
    document
}

fn run(program: &str, args: &[&str]) -> Option<Vec<u8>> {
    let out = Command::new(program).args(args).output().ok()?;
    assert!(out.status.success(), "{program}: {}", String::from_utf8_lossy(&out.stderr));
    Some(out.stdout)
}

fn text(folder: &Path, name: &str, bytes: &[u8]) -> Option<String> {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    let text = run("pdftotext", &["-layout", file.to_str().unwrap(), "-"]);
    text.map(|t| String::from_utf8(t).unwrap())
}

#[test]
fn an_invoice_says_what_it_was_told_in_every_script() {
    let folder = match std::env::var("FLOW_PDF_OUT") {
        Ok(folder) => std::path::PathBuf::from(folder),
        Err(_) => std::env::temp_dir(),
    };
    for (lines, pages) in [(4, 1), (60, 4)] {
        let document = invoice(lines);
        let bytes = render(&document).unwrap();
        assert_eq!(bytes, render(&document).unwrap(), "the same document, the same bytes");
        assert!(bytes.starts_with(b"%PDF-") && bytes.len() < 200_000, "{}", bytes.len());
        let Some(text) = text(&folder, &format!("flow-test-{lines}.pdf"), &bytes) else {
            eprintln!("pdftotext is not installed; the text is not compared");
            return;
        };
        for part in [
            "Счёт на оплату",
            "INV-2026-00042",
            "пр. Әл-Фараби",
            "Қазақстан",
            "14 590 000,00 ₸",
            "€ 24 316,67",
            "£ 20 810,00",
            "Ә ә Ғ ғ Қ қ Ң ң Ө ө Ұ ұ Ү ү Һ һ І і",
            "KZ86 125K ZT20",
            "№ 17/26",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        let close = text.replace(' ', "");
        for page in 1..=pages {
            assert!(close.contains(&format!("{page}/{pages}\n")), "{text}");
        }
        assert_eq!(
            text.matches("Наименование").count() as i32,
            if lines > 20 { 3 } else { 1 },
            "the head of the table is on every page"
        );
    }
}

#[test]
fn whatever_people_write_makes_a_document() {
    let long = "ы".repeat(5000);
    let mut document = invoice(1);
    document.title = long.clone();
    document.rows[0].cells = vec![long.clone(); 12];
    document.rows[0].detail = "\u{0}\u{1}\t\u{202e}🚚 多 ".repeat(3000);
    document.facts[0].value = long.clone();
    document.totals[0].label = long.clone();
    document.company.logo = Some(b"\x89PNG not really".to_vec());
    assert!(render(&document).unwrap().len() > 1000);
    assert!(render(&Document::default()).is_ok());
    let only_texts = serde_json::from_value(
        json!({"columns": [{"label": "a"}, {"label": "b"}], "rows": [{"cells": []}, {"cells": ["x"]}]}),
    );
    assert!(render(&only_texts.unwrap()).is_ok());
    let only_numbers = serde_json::from_value(
        json!({"columns": [{"label": "a", "number": true}], "rows": [{"cells": ["1"]}]}),
    );
    assert!(render(&only_numbers.unwrap()).is_ok());
}
