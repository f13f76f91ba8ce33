use super::image::Image;
use kernel::{Error, Result};
use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{
    Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, UnicodeCmap},
};
use std::collections::HashMap;
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};

/// Inter, as fonts/make.py prepares it.
static REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.ttf");
static SEMIBOLD: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.ttf");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Semibold,
}

pub(super) type Color = [f32; 3];

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) weight: Weight,
    pub(super) size: f32,
    pub(super) color: Color,
}

impl Pen {
    pub(super) fn leading(self) -> f32 {
        self.size * 1.35
    }
}

/// A font with the characters used so far. A character has a number of its own (CID) even when it shares its glyph with
/// another, as А and A may, so that the text can be copied out of the document exactly.
struct Font {
    data: &'static [u8],
    face: Face<'static>,
    scale: f32,
    numbers: HashMap<char, u16>,
    chars: Vec<char>,
}

impl Font {
    fn new(data: &'static [u8]) -> Result<Font> {
        let face = Face::parse(data, 0).map_err(|e| Error::broken(format!("the font: {e}")))?;
        let scale = 1000.0 / f32::from(face.units_per_em());
        Ok(Font { data, face, scale, numbers: HashMap::new(), chars: Vec::new() })
    }

    fn glyph(&self, c: char) -> GlyphId {
        let missing = || self.face.glyph_index('\u{fffd}');
        self.face.glyph_index(c).or_else(missing).unwrap_or(GlyphId(0))
    }

    /// In thousandths of the size.
    fn advance(&self, c: char) -> f32 {
        f32::from(self.face.glyph_hor_advance(self.glyph(c)).unwrap_or(0)) * self.scale
    }

    fn number(&mut self, c: char) -> u16 {
        if let Some(number) = self.numbers.get(&c) {
            return *number;
        }
        // 0 is the missing glyph.
        let number = u16::try_from(self.chars.len() + 1).unwrap_or(0);
        if number > 0 {
            self.chars.push(c);
            self.numbers.insert(c, number);
        }
        number
    }
}

/// Paper and what is drawn on it. Places are in points, from the upper left corner.
pub(super) struct Ink {
    pub(super) width: f32,
    pub(super) height: f32,
    fonts: [Font; 2],
    pages: Vec<Content>,
    image: Option<Image>,
}

/// Spaces are kept, other characters that cannot be seen are not drawn.
fn seen(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{fe0f}' | '\u{feff}'))
}

/// The commands of a path, each with its numbers; one that repeats has more numbers than it needs.
fn steps(path: &str) -> impl Iterator<Item = (char, Vec<f32>)> + '_ {
    let needs = |command| if command == 'Q' { 4 } else { 2 };
    let mut starts: Vec<usize> =
        path.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()).map(|(n, _)| n).collect();
    starts.push(path.len());
    let parts: Vec<&str> = starts.windows(2).filter_map(|w| path.get(w[0]..w[1])).collect();
    parts.into_iter().flat_map(move |part| {
        let command = part.chars().next().unwrap_or_default();
        let numbers = part.get(1..).unwrap_or_default().replace('-', " -");
        let numbers: Vec<f32> =
            numbers.split([' ', ',']).filter(|n| !n.is_empty()).map_while(|n| n.parse().ok()).collect();
        numbers.chunks(needs(command)).map(|n| (command, n.to_vec())).collect::<Vec<_>>()
    })
}

impl Ink {
    pub(super) fn new(width: f32, height: f32, image: Option<Image>) -> Result<Ink> {
        let fonts = [Font::new(REGULAR)?, Font::new(SEMIBOLD)?];
        Ok(Ink { width, height, fonts, pages: vec![Content::new()], image })
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    pub(super) fn turn(&mut self) {
        self.pages.push(Content::new());
    }

    pub(super) fn measure(&self, pen: Pen, text: &str) -> f32 {
        let font = &self.fonts[pen.weight as usize];
        seen(text).map(|c| font.advance(c)).sum::<f32>() * pen.size / 1000.0
    }

    /// Lines that fit, broken between words; a word that is longer than a line is cut.
    pub(super) fn wrap(&self, pen: Pen, text: &str, width: f32) -> Vec<String> {
        let font = &self.fonts[pen.weight as usize];
        let most = width.max(pen.size * 2.0) * 1000.0 / pen.size + 0.5;
        let mut lines = Vec::new();
        for paragraph in text.trim_end().lines() {
            let (mut line, mut used) = (String::new(), 0.0);
            for word in paragraph.split_inclusive([' ', '\t', '/', '-', '\u{2013}', '\u{2014}']) {
                let full: f32 = seen(word).map(|c| font.advance(c)).sum();
                let bare: f32 = seen(word.trim_end()).map(|c| font.advance(c)).sum();
                if used > 0.0 && used + bare > most {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                if bare <= most {
                    line.push_str(word);
                    used += full;
                    continue;
                }
                for c in seen(word) {
                    let advance = font.advance(c);
                    if used > 0.0 && used + advance > most {
                        lines.push(std::mem::take(&mut line));
                        used = 0.0;
                    }
                    line.push(c);
                    used += advance;
                }
            }
            lines.push(line);
        }
        lines
    }

    /// `y` is where the letters stand. `page` counts from 0.
    fn write(&mut self, page: usize, pen: Pen, x: f32, y: f32, text: &str) {
        let font = &mut self.fonts[pen.weight as usize];
        let bytes: Vec<u8> = seen(text.trim_end()).flat_map(|c| font.number(c).to_be_bytes()).collect();
        let Some(content) = self.pages.get_mut(page).filter(|_| !bytes.is_empty()) else { return };
        let [r, g, b] = pen.color;
        let name = if pen.weight == Weight::Regular { Name(b"R") } else { Name(b"S") };
        content.begin_text().set_font(name, pen.size).set_fill_rgb(r, g, b);
        content.next_line(x, self.height - y).show(Str(&bytes)).end_text();
    }

    pub(super) fn text(&mut self, pen: Pen, x: f32, y: f32, text: &str) {
        self.write(self.pages.len() - 1, pen, x, y, text);
    }

    /// Ends at `right`.
    pub(super) fn text_right(&mut self, pen: Pen, right: f32, y: f32, text: &str) {
        self.write_right(self.pages.len() - 1, pen, right, y, text);
    }

    pub(super) fn write_right(&mut self, page: usize, pen: Pen, right: f32, y: f32, text: &str) {
        let x = right - self.measure(pen, text.trim_end());
        self.write(page, pen, x, y, text);
    }

    pub(super) fn write_left(&mut self, page: usize, pen: Pen, x: f32, y: f32, text: &str) {
        self.write(page, pen, x, y, text);
    }

    pub(super) fn fill(&mut self, color: Color, x: f32, y: f32, width: f32, height: f32) {
        let (top, [r, g, b]) = (self.height, color);
        if let Some(content) = self.pages.last_mut() {
            content.set_fill_rgb(r, g, b).rect(x, top - y - height, width, height).fill_nonzero();
        }
    }

    pub(super) fn rule(&mut self, color: Color, thickness: f32, x: f32, y: f32, width: f32) {
        self.fill(color, x, y - thickness / 2.0, width, thickness);
    }

    /// Lines of a path of `M`, `L` and `Q` with absolute places, the upper left corner at `x`, `y`. What is no path is
    /// drawn as far as it is one.
    pub(super) fn strokes(&mut self, color: Color, thickness: f32, x: f32, y: f32, scale: f32, path: &str) {
        let (height, [r, g, b]) = (self.height, color);
        let Some(content) = self.pages.last_mut().filter(|_| !path.is_empty()) else { return };
        content.save_state().set_stroke_rgb(r, g, b).set_line_width(thickness);
        content.set_line_cap(LineCapStyle::RoundCap).set_line_join(LineJoinStyle::RoundJoin);
        let (mut at, mut begun) = ((0.0, 0.0), false);
        for step in steps(path) {
            let place = |n: usize| (x + step.1[n] * scale, height - y - step.1[n + 1] * scale);
            match (step.0, step.1.len()) {
                ('M', 2..) => {
                    at = place(0);
                    content.move_to(at.0, at.1);
                    begun = true;
                }
                ('L', 2..) if begun => {
                    at = place(0);
                    content.line_to(at.0, at.1);
                }
                ('Q', 4..) if begun => {
                    // A quadratic curve as the cubic one that is the same.
                    let (by, to) = (place(0), place(2));
                    let near = |a: f32, b: f32| a + (b - a) * 2.0 / 3.0;
                    let (one, two) =
                        ((near(at.0, by.0), near(at.1, by.1)), (near(to.0, by.0), near(to.1, by.1)));
                    content.cubic_to(one.0, one.1, two.0, two.1, to.0, to.1);
                    at = to;
                }
                _ => break,
            }
        }
        content.stroke().restore_state();
    }

    /// The logo, as large as fits; answers its height.
    pub(super) fn logo(&mut self, x: f32, y: f32, width: f32, height: f32) -> f32 {
        let (Some(image), Some(content)) = (&self.image, self.pages.last_mut()) else { return 0.0 };
        let (w, h) = (image.width as f32, image.height as f32);
        let scale = (width / w).min(height / h);
        let (w, h) = (w * scale, h * scale);
        content.save_state().transform([w, 0.0, 0.0, h, x, self.height - y - h]);
        content.x_object(Name(b"L")).restore_state();
        h
    }

    pub(super) fn has_logo(&self) -> bool {
        self.image.is_some()
    }

    /// The file.
    pub(super) fn finish(self, title: &str, author: &str, language: &str) -> Result<Vec<u8>> {
        let mut next = 0;
        let mut id = || {
            next += 1;
            Ref::new(next)
        };
        let (catalog, tree, info, logo, mask) = (id(), id(), id(), id(), id());
        let fonts = [id(), id()];
        let mut pdf = Pdf::new();
        let mut root = pdf.catalog(catalog);
        root.pages(tree);
        root.viewer_preferences().display_doc_title(true);
        if !language.is_empty() {
            root.lang(TextStr(language));
        }
        root.finish();
        pdf.document_info(info).title(TextStr(title)).author(TextStr(author)).producer(TextStr("Fondaco"));
        let pages: Vec<(Ref, Ref)> = self.pages.iter().map(|_| (id(), id())).collect();
        pdf.pages(tree)
            .kids(pages.iter().map(|(page, _)| *page))
            .count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
        for ((page, stream), content) in pages.iter().zip(self.pages) {
            let mut page = pdf.page(*page);
            page.parent(tree).media_box(Rect::new(0.0, 0.0, self.width, self.height)).contents(*stream);
            let mut resources = page.resources();
            resources.fonts().pair(Name(b"R"), fonts[0]).pair(Name(b"S"), fonts[1]);
            if self.image.is_some() {
                resources.x_objects().pair(Name(b"L"), logo);
            }
            resources.finish();
            page.finish();
            let packed = compress_to_vec_zlib(&content.finish(), 6);
            pdf.stream(*stream, &packed).filter(Filter::FlateDecode);
        }
        for (font, (reference, name)) in
            self.fonts.iter().zip(fonts.into_iter().zip(["FNDACO+Inter-Regular", "FNDACO+Inter-SemiBold"]))
        {
            embed(&mut pdf, font, reference, name, &mut id)?;
        }
        if let Some(image) = &self.image {
            image.embed(&mut pdf, logo, mask);
        }
        Ok(pdf.finish())
    }
}

fn embed(pdf: &mut Pdf, font: &Font, reference: Ref, name: &str, id: &mut impl FnMut() -> Ref) -> Result<()> {
    const SYSTEM: SystemInfo<'static> =
        SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    let (cid, descriptor, file, unicode, map) = (id(), id(), id(), id(), id());
    let name = Name(name.as_bytes());
    let mut remapper = GlyphRemapper::new();
    let mut glyphs = vec![0_u8, 0];
    let mut cmap = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
    for (c, number) in font.chars.iter().zip(1_u16..) {
        glyphs.extend_from_slice(&remapper.remap(font.glyph(*c).0).to_be_bytes());
        cmap.pair(number, *c);
    }
    let subset =
        subsetter::subset(font.data, 0, &remapper).map_err(|e| Error::broken(format!("the font: {e}")))?;

    pdf.type0_font(reference)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(unicode);
    let mut descendant = pdf.cid_font(cid);
    descendant.subtype(CidFontType::Type2).base_font(name).system_info(SYSTEM).font_descriptor(descriptor);
    descendant.default_width(0.0).cid_to_gid_map_stream(map);
    descendant
        .widths()
        .consecutive(0, std::iter::once(0.0).chain(font.chars.iter().map(|c| font.advance(*c))));
    descendant.finish();
    let scaled = |n: i16| f32::from(n) * font.scale;
    let bounds = font.face.global_bounding_box();
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(
            scaled(bounds.x_min),
            scaled(bounds.y_min),
            scaled(bounds.x_max),
            scaled(bounds.y_max),
        ))
        .italic_angle(0.0)
        .ascent(scaled(font.face.ascender()))
        .descent(scaled(font.face.descender()))
        .cap_height(scaled(font.face.capital_height().unwrap_or(1490)))
        .stem_v(95.0)
        .font_file2(file);
    let length = i32::try_from(subset.len()).unwrap_or(i32::MAX);
    let packed = compress_to_vec_zlib(&subset, 6);
    pdf.stream(file, &packed).filter(Filter::FlateDecode).pair(Name(b"Length1"), length);
    let packed = compress_to_vec_zlib(&cmap.finish(), 6);
    pdf.stream(unicode, &packed).filter(Filter::FlateDecode);
    let packed = compress_to_vec_zlib(&glyphs, 6);
    pdf.stream(map, &packed).filter(Filter::FlateDecode);
    Ok(())
}
