//! What kind of file this is: format, encoding, delimiter. Guessed once, when the file arrives, and kept.

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Csv,
    Xlsx,
    Json,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Xlsx => "xlsx",
            Format::Json => "json",
        }
    }

    pub fn parse(name: &str) -> Option<Format> {
        [Format::Csv, Format::Xlsx, Format::Json].into_iter().find(|f| f.name() == name)
    }
}

/// How to read the file again: kept with the import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manner {
    pub(crate) format: Format,
    pub(crate) encoding: String,
    pub(crate) delimiter: char,
}

/// A row may take this much of a file, not more: an open quotation mark must not swallow the memory.
const MOST_IN_A_ROW: u64 = 16 << 20;
const HEAD: usize = 64 << 10;

/// Looks at the bytes first, and at the name only to tell text from text.
pub(crate) fn sniff(path: &Path, name: &str) -> Result<Manner> {
    let mut head = Vec::new();
    open(path)?.take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
    if head.is_empty() {
        return Err(Error::malformed("The file is empty."));
    }
    let manner = |format, encoding: &'static Encoding, delimiter| Manner {
        format,
        encoding: encoding.name().to_owned(),
        delimiter,
    };
    if head.starts_with(b"PK\x03\x04") {
        return Ok(manner(Format::Xlsx, UTF_8, ','));
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Error::malformed("This is a spreadsheet of the old kind. Save it as .xlsx or .csv."));
    }
    let encoding = encoding_of(path, &head)?;
    let (text, ..) = encoding.decode(&head);
    if encoding != UTF_16LE && encoding != UTF_16BE && head.contains(&0) {
        return Err(Error::malformed("This is neither CSV, XLSX nor JSON."));
    }
    let first = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).chars().next();
    let extension = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    let json = matches!(extension.as_str(), "json" | "ndjson" | "jsonl")
        || !matches!(extension.as_str(), "csv" | "tsv" | "txt") && matches!(first, Some('[' | '{'));
    if json {
        if [WINDOWS_1251, WINDOWS_1252].contains(&encoding) {
            return Err(Error::malformed("JSON is written in UTF-8."));
        }
        return Ok(manner(Format::Json, encoding, ','));
    }
    Ok(manner(Format::Csv, encoding, delimiter_of(&text)))
}

pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(unreadable)
}

pub(crate) fn unreadable(e: io::Error) -> Error {
    Error::broken(format!("reading an import's file: {e}"))
}

/// The whole file decides whether it is UTF-8; of the single-byte encodings, how its letters stand together.
fn encoding_of(path: &Path, head: &[u8]) -> Result<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(encoding);
    }
    // Without a mark, UTF-16 of Latin letters has a zero in every other place.
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    if head.len() >= 4 {
        if zeros(1) * 5 > head.len() * 2 && zeros(0) == 0 {
            return Ok(UTF_16LE);
        }
        if zeros(0) * 5 > head.len() * 2 && zeros(1) == 0 {
            return Ok(UTF_16BE);
        }
    }
    let mut file = open(path)?;
    let mut buffer = vec![0; HEAD];
    let (mut kept, mut valid) = (0, true);
    // High bytes beside each other and alone, in words.
    let (mut together, mut alone, mut was_high) = (0_u64, 0_u64, false);
    loop {
        let read = file.read(&mut buffer[kept..]).map_err(unreadable)?;
        let filled = kept + read;
        if valid {
            match std::str::from_utf8(&buffer[..filled]) {
                Ok(_) => kept = 0,
                Err(e) if e.error_len().is_none() && read > 0 => {
                    buffer.copy_within(e.valid_up_to()..filled, 0);
                    kept = filled - e.valid_up_to();
                    continue;
                }
                Err(_) => valid = false,
            }
        }
        if !valid {
            kept = 0;
            for byte in &buffer[..filled] {
                let high = *byte >= 0xc0;
                if high && was_high {
                    together += 1;
                } else if high {
                    alone += 1;
                }
                was_high = high;
            }
        }
        if read == 0 {
            break;
        }
    }
    Ok(match (valid, together > alone) {
        (true, _) => UTF_8,
        (false, true) => WINDOWS_1251,
        (false, false) => WINDOWS_1252,
    })
}

/// The one under which most rows have as many cells as the first, the more the better.
fn delimiter_of(text: &str) -> char {
    let whole = text.len() < HEAD;
    let score = |delimiter: char| {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(u8::try_from(delimiter).unwrap_or(b','))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut widths: Vec<usize> =
            reader.records().take(100).map_while(Result::ok).map(|r| r.len()).collect();
        if !whole && widths.len() > 1 && widths.len() < 100 {
            widths.pop();
        }
        let width = widths.first().copied().unwrap_or(0);
        if width < 2 {
            return (0, 0);
        }
        let same = widths.iter().filter(|w| **w == width).count();
        (same * 100 / widths.len(), width)
    };
    [',', ';', '\t', '|'].into_iter().rev().max_by_key(|d| score(*d)).unwrap_or(',')
}

/// Turns any encoding into UTF-8 while it is read, refuses what is no text, and takes the mark at the start away.
pub(crate) struct Decoding<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
    finished: bool,
}

impl<R: Read> Decoding<R> {
    pub(crate) fn new(inner: R, encoding: &str) -> Decoding<R> {
        let encoding = Encoding::for_label(encoding.as_bytes()).unwrap_or(UTF_8);
        Decoding {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; HEAD],
            at: 0,
            filled: 0,
            ended: false,
            finished: false,
        }
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.finished {
            return Ok(0);
        }
        loop {
            if self.at == self.filled && !self.ended {
                self.filled = self.inner.read(&mut self.raw)?;
                self.at = 0;
                self.ended = self.filled == 0;
            }
            let input = &self.raw[self.at..self.filled];
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(input, out, self.ended);
            self.at += read;
            if let encoding_rs::DecoderResult::Malformed(..) = result {
                self.finished = true;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not written in one encoding"));
            }
            self.finished = self.ended && matches!(result, encoding_rs::DecoderResult::InputEmpty);
            if written > 0 || self.finished {
                return Ok(written);
            }
        }
    }
}

/// Counts what is read between two rows.
pub(crate) struct Bounded<R> {
    inner: R,
    since: Arc<AtomicU64>,
}

/// Told when a row is complete.
#[derive(Clone)]
pub(crate) struct RowDone(Arc<AtomicU64>);

impl RowDone {
    pub(crate) fn tell(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<R: Read> Bounded<R> {
    pub(crate) fn new(inner: R) -> (Bounded<R>, RowDone) {
        let since = Arc::new(AtomicU64::new(0));
        (Bounded { inner, since: since.clone() }, RowDone(since))
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.since.load(Ordering::Relaxed) > MOST_IN_A_ROW {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a row is longer than 16 MB; perhaps a quotation mark is not closed",
            ));
        }
        let read = self.inner.read(out)?;
        self.since.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn sniffed(bytes: &[u8], name: &str) -> (Manner, String) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let manner = sniff(file.path(), name).unwrap();
        let mut text = String::new();
        Decoding::new(File::open(file.path()).unwrap(), &manner.encoding).read_to_string(&mut text).unwrap();
        (manner, text)
    }

    #[test]
    fn files_are_known_by_their_bytes() {
        let utf16 = |text: &str, big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let (cyrillic, ..) = WINDOWS_1251.encode("код;название\n1;Молоко топлёное\n");
        let (western, ..) = WINDOWS_1252.encode("code\tname\n1\tPâté chinois\n2\tCôte de Blaye\n");
        let with = |mark: &[u8], text: &[u8]| [mark, text].concat();
        type Case = (Vec<u8>, &'static str, Format, &'static str, char, &'static str);
        let cases: [Case; 9] = [
            (b"a,b\n1,2\n".to_vec(), "x.csv", Format::Csv, "UTF-8", ',', "a,b\n"),
            (with(b"\xef\xbb\xbf", b"a;b\n1,5;2\n"), "x.csv", Format::Csv, "UTF-8", ';', "a;b\n"),
            (
                with(b"\xff\xfe", &utf16("a\tb\n1\t2\n", false)),
                "x.txt",
                Format::Csv,
                "UTF-16LE",
                '\t',
                "a\tb\n",
            ),
            (with(b"\xfe\xff", &utf16("a|b\n1|2\n", true)), "x.csv", Format::Csv, "UTF-16BE", '|', "a|b\n"),
            (utf16("name,city\nann,rome\n", false), "x.csv", Format::Csv, "UTF-16LE", ',', "name,city\n"),
            (cyrillic.into_owned(), "x.csv", Format::Csv, "windows-1251", ';', "код;название\n"),
            (western.into_owned(), "x.csv", Format::Csv, "windows-1252", '\t', "code\tname\n"),
            (b" [{\"a\":1}]".to_vec(), "upload", Format::Json, "UTF-8", ',', " [{"),
            (
                b"name,note\n\"a, b\",\"x;y;z\"\nc,\"d;e\"\n".to_vec(),
                "x.csv",
                Format::Csv,
                "UTF-8",
                ',',
                "name",
            ),
        ];
        for (bytes, name, format, encoding, delimiter, starts) in cases {
            let (manner, text) = sniffed(&bytes, name);
            assert_eq!(manner, Manner { format, encoding: encoding.into(), delimiter }, "{starts}");
            assert!(text.starts_with(starts), "{text:?}");
        }
    }

    #[test]
    fn an_open_quotation_mark_does_not_swallow_the_memory() {
        let (bounded, _) = Bounded::new(io::repeat(b'x'));
        let mut reader = csv::ReaderBuilder::new().from_reader(io::Read::chain(&b"a,b\n1,\""[..], bounded));
        let error = reader.records().next().unwrap().unwrap_err();
        assert!(error.to_string().contains("16 MB"), "{error}");
    }
}
