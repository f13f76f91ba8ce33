use kernel::{Error, Result};

/// One spelling for one mailbox. Only printable ASCII: what looks like another address cannot be one.
pub fn normalize_email(email: &str) -> Result<String> {
    let email = email.trim().to_ascii_lowercase();
    let wrong = || Error::malformed_at("email", "This is not an e-mail address.");
    let (name, host) = email.split_once('@').ok_or_else(wrong)?;
    let sound = email.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>[\\]".contains(&b))
        && (1..=64).contains(&name.len())
        && email.len() <= 254
        && !host.contains('@')
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if sound { Ok(email) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(normalize_email(" Owner@PRS.test ").unwrap(), "owner@prs.test");
        assert_eq!(normalize_email("a.b+c@x").unwrap(), "a.b+c@x");
        let twins = [
            "",
            "a",
            "@x",
            "a@",
            "a@x.",
            "a@.x",
            "a@@x",
            "a@x@y",
            "a b@x",
            "a\u{0}@x",
            "а@x.test",
            "a@x\u{200b}.test",
            "a@x,b@y",
            "a@-x.test",
            "a@x_y",
            "<a@x>",
        ];
        for twin in twins {
            assert!(normalize_email(twin).is_err(), "{twin:?}");
        }
        assert!(normalize_email(&format!("{}@x", "a".repeat(65))).is_err());
    }
}
