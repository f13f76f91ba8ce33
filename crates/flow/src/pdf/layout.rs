use super::{
    Column, Document, Paper, Row,
    image::Image,
    ink::{
        Color, Ink, Pen,
        Weight::{Regular, Semibold},
    },
};
use kernel::Result;

const MARGIN: f32 = 42.0;
const BOTTOM: f32 = 58.0;
const GAP: f32 = 18.0;
/// Between the text of a cell and its edge.
const PAD: f32 = 5.0;
const INK: Color = [0.11, 0.12, 0.15];
const GRAY: Color = [0.40, 0.42, 0.47];
const LINE: Color = [0.86, 0.87, 0.90];

const BODY: Pen = Pen { weight: Regular, size: 9.0, color: INK };
const SMALL: Pen = Pen { weight: Regular, size: 8.0, color: GRAY };
const LABEL: Pen = Pen { weight: Semibold, size: 7.5, color: GRAY };

struct Layout<'d> {
    document: &'d Document,
    ink: Ink,
    /// Where the next thing may begin.
    y: f32,
    accent: Color,
    tint: Color,
}

pub(super) fn lay_out(document: &Document) -> Result<Vec<u8>> {
    let (width, height) = match document.paper {
        Paper::A4 => (595.28, 841.89),
        Paper::Letter => (612.0, 792.0),
    };
    let hue = f32::from(document.company.accent_hue.unwrap_or(215) % 360);
    let logo = document.company.logo.as_deref().and_then(Image::read);
    let ink = Ink::new(width, height, logo)?;
    let mut layout =
        Layout { document, ink, y: MARGIN, accent: color(hue, 0.55, 0.36), tint: color(hue, 0.45, 0.955) };
    layout.head();
    layout.parties();
    layout.lines();
    layout.sums();
    layout.blocks();
    layout.signatures();
    layout.feet();
    let title = format!("{} {}", document.title, document.number);
    layout.ink.finish(title.trim(), &document.company.name, &document.language)
}

fn color(hue: f32, saturation: f32, lightness: f32) -> Color {
    let spread = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|n: f32| {
        let k = (n + hue / 30.0) % 12.0;
        lightness - spread * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
    })
}

/// A table whose columns have found their widths.
struct Table<'d> {
    columns: &'d [Column],
    /// Left edge and width of each.
    places: Vec<(f32, f32)>,
    pen: Pen,
    left: f32,
    width: f32,
}

impl Layout<'_> {
    fn right(&self) -> f32 {
        self.ink.width - MARGIN
    }

    fn width(&self) -> f32 {
        self.ink.width - 2.0 * MARGIN
    }

    fn bottom(&self) -> f32 {
        self.ink.height - BOTTOM
    }

    /// Goes to the next page when less than this is left.
    fn need(&mut self, height: f32) {
        if self.y + height > self.bottom() && self.y > MARGIN + GAP + 1.0 {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.ink.turn();
        let title = format!("{} {}", self.document.title, self.document.number);
        let right = self.right();
        self.ink.text(SMALL, MARGIN, MARGIN, title.trim());
        self.ink.text_right(SMALL, right, MARGIN, &self.document.company.name);
        self.y = MARGIN + GAP;
    }

    /// Text in a column of this width; answers where it ends.
    fn column(&mut self, pen: Pen, x: f32, mut y: f32, width: f32, text: &str) -> f32 {
        for line in self.ink.wrap(pen, text, width) {
            y += pen.leading();
            self.ink.text(pen, x, y - pen.leading() + pen.size, &line);
        }
        y
    }

    fn head(&mut self) {
        let (document, right) = (self.document, self.right());
        let (accent, page) = (self.accent, self.ink.width);
        self.ink.fill(accent, 0.0, 0.0, page, 5.0);
        let half = self.width() / 2.0;

        let title = Pen { weight: Semibold, size: 20.0, color: INK };
        let number = Pen { weight: Semibold, size: 11.0, color: accent };
        let mut y = MARGIN;
        for line in self.ink.wrap(title, &document.title, half - GAP) {
            y += title.size * 1.2;
            self.ink.text_right(title, right, y - title.size * 0.35, &line);
        }
        for line in self.ink.wrap(number, &document.number, half - GAP) {
            y += number.leading();
            self.ink.text_right(number, right, y, &line);
        }
        if !document.stamp.is_empty() {
            let pen = Pen { weight: Semibold, size: 8.5, color: accent };
            let width = self.ink.measure(pen, &document.stamp) + 12.0;
            y += 8.0;
            let tint = self.tint;
            self.ink.fill(tint, right - width, y, width, 16.0);
            self.ink.text_right(pen, right - 6.0, y + 11.0, &document.stamp);
            y += 16.0;
        }

        let mut left = MARGIN;
        if self.ink.has_logo() {
            left += self.ink.logo(MARGIN, MARGIN, 170.0, 46.0) + 8.0;
        }
        let name = Pen { weight: Semibold, size: if self.ink.has_logo() { 10.5 } else { 14.0 }, color: INK };
        left = self.column(name, MARGIN, left, half - GAP, &document.company.name);
        left = self.column(SMALL, MARGIN, left + 2.0, half - GAP, &document.company.details);
        self.y = left.max(y) + GAP;
    }

    fn parties(&mut self) {
        let document = self.document;
        let (accent, width, top) = (self.accent, self.width(), self.y);
        if document.parties.is_empty() && document.facts.is_empty() {
            return;
        }
        self.ink.rule(accent, 1.0, MARGIN, top, width);
        let top = top + 10.0;
        let parts = document.parties.len().min(3) + usize::from(!document.facts.is_empty());
        let each = (width - GAP * f32::from(u8::try_from(parts).unwrap_or(1) - 1))
            / f32::from(u8::try_from(parts).unwrap_or(1));
        let name = Pen { weight: Semibold, size: 9.5, color: INK };
        let (mut x, mut lowest) = (MARGIN, top);
        for party in document.parties.iter().take(3) {
            let mut y = self.column(LABEL, x, top, each, &party.label) + 1.0;
            y = self.column(name, x, y, each, &party.name) + 1.0;
            y = self.column(Pen { color: INK, ..SMALL }, x, y, each, &party.details);
            lowest = lowest.max(y);
            x += each + GAP;
        }
        let value = Pen { weight: Semibold, ..BODY };
        let widest = document
            .facts
            .iter()
            .map(|f| self.ink.measure(SMALL, &f.label))
            .fold(0.0, f32::max)
            .min(each * 0.55)
            + 8.0;
        let mut y = top;
        for fact in &document.facts {
            let label = self.column(SMALL, x, y + 0.8, widest - 8.0, &fact.label);
            let mut end = y;
            for line in self.ink.wrap(value, &fact.value, each - widest) {
                self.ink.text_right(value, x + each, end + value.size, &line);
                end += value.leading();
            }
            y = end.max(label) + 2.0;
        }
        self.y = lowest.max(y) + GAP;
    }

    /// Columns of numbers are as wide as their widest, the others share what is left.
    fn table<'t>(&self, columns: &'t [Column], rows: &[Row], pen: Pen, left: f32, width: f32) -> Table<'t> {
        let natural = |n: usize, column: &Column| {
            let head =
                column.label.split_whitespace().map(|w| self.ink.measure(LABEL, w)).fold(0.0, f32::max);
            let cells = rows
                .iter()
                .filter_map(|r| r.cells.get(n))
                .map(|c| self.ink.measure(pen, c))
                .fold(0.0, f32::max);
            head.max(cells) + 2.0 * PAD
        };
        let wide: Vec<f32> = columns.iter().enumerate().map(|(n, c)| natural(n, c)).collect();
        let numbers: f32 = columns.iter().zip(&wide).filter(|(c, _)| c.number).map(|(_, w)| w).sum();
        let texts: f32 = columns.iter().zip(&wide).filter(|(c, _)| !c.number).map(|(_, w)| w).sum();
        // Texts keep a third of the table; beyond that, numbers are broken too.
        let least = if texts > 0.0 { texts.min(width / 3.0) } else { 0.0 };
        let shrink = ((width - least) / numbers.max(1.0)).min(1.0);
        let rest = width - numbers * shrink;
        // A short text column (a unit) keeps its width, the longest takes what is left.
        let short: f32 =
            columns.iter().zip(&wide).filter(|(c, w)| !c.number && **w < 70.0).map(|(_, w)| w).sum();
        let long = texts - short;
        let (keep, grow) = if long > 0.0 && short < rest * 0.5 {
            (1.0, (rest - short) / long)
        } else {
            (rest / texts.max(1.0), rest / texts.max(1.0))
        };
        let stretch = if texts > 0.0 { 1.0 } else { width / (numbers * shrink).max(1.0) };
        let mut x = left;
        let places = columns
            .iter()
            .zip(&wide)
            .map(|(column, wide)| {
                let width = match column.number {
                    true => wide * shrink * stretch,
                    false if *wide < 70.0 => wide * keep,
                    false => wide * grow,
                };
                x += width;
                (x - width, width)
            })
            .collect();
        Table { columns, places, pen, left, width }
    }

    fn table_head(&mut self, table: &Table<'_>) {
        let pen = LABEL;
        let cells: Vec<Vec<String>> = table
            .columns
            .iter()
            .zip(&table.places)
            .map(|(c, (_, w))| self.ink.wrap(pen, &c.label, w - 2.0 * PAD))
            .collect();
        let lines = cells.iter().map(Vec::len).max().unwrap_or(1);
        let height = lines as f32 * pen.leading() + 2.0 * PAD;
        let tint = self.tint;
        self.ink.fill(tint, table.left, self.y, table.width, height);
        for ((column, (x, width)), lines) in table.columns.iter().zip(&table.places).zip(cells) {
            let mut y = self.y + height - PAD - lines.len() as f32 * pen.leading() + pen.size;
            for line in lines {
                match column.number {
                    true => self.ink.text_right(pen, x + width - PAD, y, &line),
                    false => self.ink.text(pen, x + PAD, y, &line),
                }
                y += pen.leading();
            }
        }
        self.y += height;
    }

    fn table_rows(&mut self, table: &Table<'_>, rows: &[Row]) {
        let pen = table.pen;
        let first = table.columns.iter().position(|c| !c.number).unwrap_or(0);
        for row in rows {
            // Text, and how it is written, for each line of each cell.
            let mut cells: Vec<Vec<(Pen, String)>> = Vec::new();
            for (n, (_, width)) in table.places.iter().enumerate() {
                let room = width - 2.0 * PAD;
                let text = row.cells.get(n).map_or("", String::as_str);
                let mut lines: Vec<(Pen, String)> =
                    self.ink.wrap(pen, text, room).into_iter().map(|l| (pen, l)).collect();
                if n == first {
                    lines.extend(self.ink.wrap(SMALL, &row.detail, room).into_iter().map(|l| (SMALL, l)));
                }
                cells.push(lines);
            }
            let height = |lines: &[(Pen, String)]| lines.iter().map(|(p, _)| p.leading()).sum::<f32>();
            let tallest = cells.iter().map(|c| height(c)).fold(pen.leading(), f32::max) + 2.0 * PAD;
            // A row stays in one piece where a page can hold it.
            let page = self.bottom() - MARGIN - GAP - 60.0;
            if self.y + tallest.min(page) > self.bottom() {
                self.turn();
                self.table_head(table);
            }
            loop {
                let top = self.y + PAD;
                let room = self.bottom() - PAD;
                let mut lowest = top + pen.leading();
                for ((column, (x, width)), lines) in table.columns.iter().zip(&table.places).zip(&mut cells) {
                    let mut y = top;
                    let mut done = 0;
                    for (pen, line) in lines.iter() {
                        if y + pen.leading() > room {
                            break;
                        }
                        match column.number {
                            true => self.ink.text_right(*pen, x + width - PAD, y + pen.size, line),
                            false => self.ink.text(*pen, x + PAD, y + pen.size, line),
                        }
                        y += pen.leading();
                        done += 1;
                    }
                    lines.drain(..done);
                    lowest = lowest.max(y);
                }
                self.y = lowest + PAD;
                if cells.iter().all(Vec::is_empty) {
                    break;
                }
                self.turn();
                self.table_head(table);
            }
            self.ink.rule(LINE, 0.5, table.left, self.y, table.width);
        }
    }

    fn lines(&mut self) {
        let document = self.document;
        if document.columns.is_empty() {
            return;
        }
        let table = self.table(&document.columns, &document.rows, BODY, MARGIN, self.width());
        self.need(60.0);
        self.table_head(&table);
        self.table_rows(&table, &document.rows);
        self.y += 12.0;
    }

    /// Taxes at the left, totals at the right, both on one page.
    fn sums(&mut self) {
        let document = self.document;
        let plain = BODY;
        let strong = Pen { weight: Semibold, size: 11.5, color: self.accent };
        let pen = |s: bool| if s { strong } else { plain };
        let step = |s: bool| pen(s).leading() + if s { 8.0 } else { 3.0 };
        let value =
            document.totals.iter().map(|t| self.ink.measure(pen(t.strong), &t.value)).fold(0.0, f32::max);
        let label =
            document.totals.iter().map(|t| self.ink.measure(pen(t.strong), &t.label)).fold(0.0, f32::max);
        let width = (value + label.min(180.0) + 26.0).clamp(200.0, self.width());
        let height: f32 = document.totals.iter().map(|t| step(t.strong)).sum();
        let small = Pen { size: 8.0, ..BODY };
        let taxes = if document.tax_columns.is_empty() {
            0.0
        } else {
            (document.tax_rows.len() as f32 + 2.0) * (small.leading() + 2.0 * PAD)
        };
        let page = self.bottom() - MARGIN - GAP;
        self.need(height.max(taxes).min(page));
        let (top, start) = (self.y, self.ink.pages());

        let left = self.right() - width;
        let mut y = top;
        for total in &document.totals {
            let p = pen(total.strong);
            if total.strong {
                let tint = self.tint;
                self.ink.fill(tint, left, y + 1.0, width, p.leading() + 6.0);
                y += 3.0;
            }
            let base = y + p.size + 1.5;
            let label_width = width - self.ink.measure(p, &total.value) - 24.0;
            let lines = self.ink.wrap(
                Pen { color: if total.strong { p.color } else { GRAY }, ..p },
                &total.label,
                label_width,
            );
            self.ink.text_right(p, self.ink.width - MARGIN - PAD, base, &total.value);
            let mut at = base;
            for line in &lines {
                self.ink.text(
                    Pen { color: if total.strong { p.color } else { GRAY }, ..p },
                    left + PAD,
                    at,
                    line,
                );
                at += p.leading();
            }
            y += step(total.strong) - if total.strong { 3.0 } else { 0.0 }
                + lines.len().saturating_sub(1) as f32 * p.leading();
        }
        let totals = y;
        if !document.tax_columns.is_empty() {
            self.y = top;
            let width = self.width() - width - GAP;
            let beside = width > 180.0;
            if !beside {
                self.y = totals + GAP / 2.0;
            }
            let width = if beside { width.min(280.0) } else { self.width() };
            let table = self.table(&document.tax_columns, &document.tax_rows, small, MARGIN, width);
            self.table_head(&table);
            self.table_rows(&table, &document.tax_rows);
        }
        self.y = if self.ink.pages() == start { self.y.max(totals) } else { self.y };
        self.y += GAP;
    }

    fn blocks(&mut self) {
        let (document, width) = (self.document, self.width());
        for block in document.blocks.iter().filter(|b| !b.text.trim().is_empty()) {
            let pen = Pen { size: 8.5, ..BODY };
            self.need(LABEL.leading() + 3.0 * pen.leading());
            if !block.label.is_empty() {
                self.y = self.column(LABEL, MARGIN, self.y, width, &block.label) + 1.0;
            }
            for line in self.ink.wrap(pen, &block.text, width) {
                self.need(pen.leading());
                self.ink.text(pen, MARGIN, self.y + pen.size, &line);
                self.y += pen.leading();
            }
            self.y += 10.0;
        }
    }

    fn signatures(&mut self) {
        let (document, width) = (self.document, self.width());
        for pair in document.signatures.chunks(2) {
            let drawn = pair.iter().any(|s| !s.path.is_empty());
            let room = if drawn { 54.0 } else { 34.0 };
            self.need(room + 12.0);
            self.y += room;
            let each = (width - GAP * 2.0) / 2.0;
            let mut lowest = self.y;
            for (signature, x) in pair.iter().zip([MARGIN, MARGIN + each + GAP * 2.0]) {
                self.ink.strokes(
                    INK,
                    0.9,
                    x + 4.0,
                    self.y - room + 2.0,
                    (room - 4.0) / 100.0,
                    &signature.path,
                );
                let written = Pen { size: 12.0, ..BODY };
                self.ink.text(written, x + 4.0, self.y - 5.0, &signature.text);
                self.ink.rule(GRAY, 0.6, x, self.y, each);
                lowest = lowest.max(self.column(SMALL, x, self.y + 3.0, each, &signature.label));
            }
            self.y = lowest;
        }
    }

    fn feet(&mut self) {
        let (pages, right, y) = (self.ink.pages(), self.right(), self.ink.height - 30.0);
        let footer = self.ink.wrap(SMALL, &self.document.footer, self.width() - 60.0);
        for page in 0..pages {
            self.ink.write_right(page, SMALL, right, y, &format!("{} / {pages}", page + 1));
            for (line, up) in footer.iter().take(2).rev().zip([0.0, SMALL.leading()]) {
                self.ink.write_left(page, SMALL, MARGIN, y - up, line);
            }
        }
    }
}
