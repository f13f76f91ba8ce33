/// The languages that the product speaks; what is said in no other is said in the first.
pub const LANGUAGES: [&str; 3] = ["en", "ru", "kk"];

/// Of what somebody asks for, `kk-KZ` or `de, kk;q=0.9, ru;q=0.8`, the first that we speak.
pub fn spoken(asked: &str) -> &'static str {
    let known = |tag: &str| {
        let language = tag.split([';', '-', '_']).next().unwrap_or_default().trim();
        LANGUAGES.into_iter().find(|l| l.eq_ignore_ascii_case(language))
    };
    asked.split(',').find_map(known).unwrap_or(LANGUAGES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_we_speak_is_spoken() {
        for (asked, spoken_here) in [
            ("kk", "kk"),
            ("kk-KZ,kk;q=0.9,ru;q=0.8", "kk"),
            ("de-DE, KK;q=0.9, en;q=0.8", "kk"),
            ("ru_RU", "ru"),
            ("kkj", "en"),
            ("fr", "en"),
            ("", "en"),
        ] {
            assert_eq!(spoken(asked), spoken_here, "{asked}");
        }
    }
}
