use miniz_oxide::deflate::compress_to_vec_zlib;
use pdf_writer::{Filter, Finish, Name, Pdf, Ref};
use std::io::Cursor;

/// A logo, ready to be put into a file.
pub(super) struct Image {
    pub(super) width: u32,
    pub(super) height: u32,
    bytes: Vec<u8>,
    filter: Filter,
    gray: bool,
    /// One byte for each pixel, packed.
    mask: Option<Vec<u8>>,
}

/// Longer sides would only make every document large.
const LONGEST_SIDE: u32 = 4000;

impl Image {
    /// `None` for what is no PNG or JPEG that a document can show.
    pub(super) fn read(bytes: &[u8]) -> Option<Image> {
        let image = if bytes.starts_with(b"\x89PNG") { png(bytes) } else { jpeg(bytes) }?;
        let sides = 1..=LONGEST_SIDE;
        (sides.contains(&image.width) && sides.contains(&image.height)).then_some(image)
    }

    pub(super) fn embed(&self, pdf: &mut Pdf, at: Ref, mask: Ref) {
        let (width, height) =
            (i32::try_from(self.width).unwrap_or(0), i32::try_from(self.height).unwrap_or(0));
        let mut image = pdf.image_xobject(at, &self.bytes);
        image.filter(self.filter);
        image.width(width).height(height).bits_per_component(8);
        image.color_space_name(Name(if self.gray { b"DeviceGray" } else { b"DeviceRGB" }));
        if self.mask.is_some() {
            image.s_mask(mask);
        }
        image.finish();
        if let Some(packed) = &self.mask {
            let mut image = pdf.image_xobject(mask, packed);
            image.filter(Filter::FlateDecode);
            image.width(width).height(height).bits_per_component(8);
            image.color_space_name(Name(b"DeviceGray"));
        }
    }
}

/// A JPEG goes in as it is, if it is of one or three colours.
fn jpeg(bytes: &[u8]) -> Option<Image> {
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut at = 2;
    bytes.starts_with(&[0xff, 0xd8]).then_some(())?;
    loop {
        (*bytes.get(at)? == 0xff).then_some(())?;
        match *bytes.get(at + 1)? {
            0xff => at += 1,
            0xc0..=0xc2 => break,
            _ => at += 2 + usize::from(word(at + 2)?),
        }
    }
    let (height, width, colors) = (word(at + 5)?, word(at + 7)?, *bytes.get(at + 9)?);
    let gray = match colors {
        1 => true,
        3 => false,
        _ => return None,
    };
    let bytes = bytes.to_vec();
    Some(Image {
        width: width.into(),
        height: height.into(),
        bytes,
        filter: Filter::DctDecode,
        gray,
        mask: None,
    })
}

fn png(bytes: &[u8]) -> Option<Image> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: 128 << 20 });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = (reader.info().width, reader.info().height);
    if width > LONGEST_SIDE || height > LONGEST_SIDE {
        return None;
    }
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(frame.buffer_size());
    let (colors, alpha) = match frame.color_type {
        png::ColorType::Grayscale => (1, false),
        png::ColorType::GrayscaleAlpha => (1, true),
        png::ColorType::Rgb => (3, false),
        png::ColorType::Rgba => (3, true),
        png::ColorType::Indexed => return None,
    };
    let mut mask = None;
    if alpha {
        let each = colors + 1;
        let opacity: Vec<u8> = pixels.chunks_exact(each).map(|p| p[colors]).collect();
        pixels = pixels.chunks_exact(each).flat_map(|p| p[..colors].to_vec()).collect();
        mask = Some(compress_to_vec_zlib(&opacity, 6));
    }
    let bytes = compress_to_vec_zlib(&pixels, 6);
    Some(Image { width, height, bytes, filter: Filter::FlateDecode, gray: colors == 1, mask })
}
