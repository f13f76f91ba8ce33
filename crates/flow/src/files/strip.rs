//! Takes out of an image what it says about where and by whom it was made. Pixels are not touched.

/// `None` when there is nothing to take out.
///
/// # Errors
/// When the image is damaged.
pub(super) fn strip(content_type: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let clean = match content_type {
        "image/jpeg" => jpeg(bytes),
        "image/png" => png(bytes),
        "image/webp" => webp(bytes),
        _ => return Ok(None),
    };
    let clean = clean.ok_or(())?;
    Ok((clean != bytes).then_some(clean))
}

/// Two bytes, the first the higher.
fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) << 8 | usize::from(*bytes.get(at + 1)?))
}

fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..2).filter(|s| *s == [0xff, 0xd8])?.to_vec();
    let (mut at, mut turned) = (2, None);
    // Where the line about the orientation goes: after JFIF, which has to be first.
    let mut place = 2;
    loop {
        // Between segments there may be any number of 0xff.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        let Some(marker) = bytes.get(at + 1) else { break };
        if bytes[at] != 0xff {
            return None;
        }
        match marker {
            0xd9 => {
                // What follows the image is no image.
                out.extend_from_slice(&[0xff, 0xd9]);
                break;
            }
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let length = word(bytes, at + 2)?;
                let segment = bytes.get(at..at + 2 + length)?;
                at += segment.len();
                let body = segment.get(4..)?;
                match marker {
                    0xe0 => {
                        out.extend_from_slice(segment);
                        if place == 2 && out.len() == 2 + segment.len() {
                            place = out.len();
                        }
                    }
                    0xe1 => turned = turned.or_else(|| orientation(body.strip_prefix(b"Exif\0\0")?)),
                    0xe2 if body.starts_with(b"ICC_PROFILE\0") => out.extend_from_slice(segment),
                    0xee => out.extend_from_slice(segment),
                    0xe2..=0xef | 0xfe => {}
                    _ => out.extend_from_slice(segment),
                }
                if *marker == 0xda {
                    // The pixels go on until a marker that is neither a stuffed byte nor a restart.
                    let start = at;
                    while at < bytes.len()
                        && !(bytes[at] == 0xff
                            && bytes.get(at + 1).is_some_and(|m| !matches!(m, 0 | 0xd0..=0xd7 | 0xff)))
                    {
                        at += 1;
                    }
                    out.extend_from_slice(&bytes[start..at]);
                }
            }
        }
    }
    if let Some(turned) = turned.filter(|t| (2..=8).contains(t)) {
        // An Exif block of one entry: orientation.
        let mut exif = vec![0xff, 0xe1, 0, 34];
        exif.extend_from_slice(b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
        exif.extend_from_slice(&[turned, 0, 0, 0, 0, 0, 0]);
        out.splice(place..place, exif);
    }
    Some(out)
}

/// The tag 0x0112 of the first directory.
fn orientation(tiff: &[u8]) -> Option<u8> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let both: [u8; 2] = tiff.get(at..at + 2)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(both) } else { u16::from_be_bytes(both) })
    };
    let four: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let directory =
        usize::try_from(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }).ok()?;
    let count = usize::from(short(directory)?);
    let entry = (0..count).map(|n| directory + 2 + n * 12).find(|at| short(*at) == Some(0x0112))?;
    u8::try_from(short(entry + 8)?).ok()
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..8)?.to_vec();
    let mut at = 8;
    while at < bytes.len() {
        let length = usize::try_from(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()?;
        let chunk = bytes.get(at..at.checked_add(length)?.checked_add(12)?)?;
        at += chunk.len();
        let kind = chunk.get(4..8)?;
        if !matches!(kind, b"eXIf" | b"tEXt" | b"zTXt" | b"iTXt" | b"tIME") {
            out.extend_from_slice(chunk);
        }
        if kind == b"IEND" {
            break;
        }
    }
    Some(out)
}

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..12).filter(|h| h.starts_with(b"RIFF") && h.ends_with(b"WEBP"))?.to_vec();
    let mut at = 12;
    while at + 8 <= bytes.len() {
        let length = usize::try_from(u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?)).ok()?;
        let end = at.checked_add(8)?.checked_add(length)?;
        let kind: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let mut chunk = bytes.get(at..end)?.to_vec();
        if length % 2 == 1 {
            chunk.push(0);
        }
        at = end + length % 2;
        match &kind {
            b"EXIF" | b"XMP " => {}
            b"VP8X" => {
                // No EXIF and XMP from here on.
                *chunk.get_mut(8)? &= !0x0c;
                out.extend_from_slice(&chunk);
            }
            _ => out.extend_from_slice(&chunk),
        }
    }
    let size = u32::try_from(out.len() - 8).ok()?.to_le_bytes();
    out[4..8].copy_from_slice(&size);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &length, body].concat()
    }

    #[test]
    fn a_photograph_forgets_where_it_was_taken_and_keeps_which_way_is_up() {
        let exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x04\0\0\0GPS!\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0secret place";
        let scan = [segment(0xda, &[1, 1, 0, 0, 63, 0]), vec![1, 0xff, 0, 2, 0xff, 0xd0, 3]].concat();
        let photo = [
            &[0xff, 0xd8][..],
            &segment(0xe0, b"JFIF\0\x01\x01"),
            &segment(0xe1, exif),
            &segment(0xed, b"Photoshop secret author"),
            &segment(0xfe, b"secret comment"),
            &segment(0xdb, &[0; 5]),
            &scan,
            &segment(0xc4, &[7; 3]),
            &scan,
            &[0xff, 0xd9],
            b"secret trailer",
        ]
        .concat();
        let clean = strip("image/jpeg", &photo).unwrap().unwrap();
        assert!(!clean.windows(6).any(|w| w == b"secret" || w == b"GPS!\x12\x01"));
        assert!(clean.ends_with(&[1, 0xff, 0, 2, 0xff, 0xd0, 3, 0xff, 0xd9]));
        let exif = clean.windows(6).position(|w| w == b"Exif\0\0").unwrap();
        assert_eq!(orientation(&clean[exif + 6..]), Some(6));
        assert_eq!(word(&clean, exif - 2), Some(34));
        // The block of the orientation ends where the next begins.
        assert_eq!(&clean[exif - 2 + 34..][..2], &[0xff, 0xdb]);
        // Clean is clean.
        assert_eq!(strip("image/jpeg", &clean).unwrap(), None);
        assert!(strip("image/jpeg", &photo[..30]).is_err());
    }

    #[test]
    fn texts_of_other_images_go_too() {
        let chunk = |kind: &[u8], body: &[u8]| {
            [&u32::try_from(body.len()).unwrap().to_be_bytes()[..], kind, body, b"crc!"].concat()
        };
        let head = b"\x89PNG\r\n\x1a\n".to_vec();
        let kept =
            [head.clone(), chunk(b"IHDR", &[1; 13]), chunk(b"IDAT", &[2; 9]), chunk(b"IEND", b"")].concat();
        let full = [
            head,
            chunk(b"IHDR", &[1; 13]),
            chunk(b"eXIf", b"GPS"),
            chunk(b"tEXt", b"Author\0me"),
            chunk(b"IDAT", &[2; 9]),
            chunk(b"IEND", b""),
        ]
        .concat();
        assert_eq!(strip("image/png", &full).unwrap().unwrap(), kept);
        assert_eq!(strip("image/png", &kept).unwrap(), None);

        let chunk = |kind: &[u8], body: &[u8]| {
            [kind, &u32::try_from(body.len()).unwrap().to_le_bytes()[..], body].concat()
        };
        let riff = |parts: &[Vec<u8>]| {
            let body = [b"WEBP".to_vec(), parts.concat()].concat();
            chunk(b"RIFF", &body)
        };
        let with = riff(&[
            chunk(b"VP8X", &[0x2c, 0, 0, 0, 1, 0, 0, 1, 0, 0]),
            chunk(b"VP8 ", &[5; 8]),
            chunk(b"EXIF", b"GPS."),
        ]);
        let without = riff(&[chunk(b"VP8X", &[0x20, 0, 0, 0, 1, 0, 0, 1, 0, 0]), chunk(b"VP8 ", &[5; 8])]);
        assert_eq!(strip("image/webp", &with).unwrap().unwrap(), without);
    }
}
