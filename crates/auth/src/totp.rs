use crate::{Auth, Result, Session, code};
use data_encoding::BASE32_NOPAD;
use kernel::{Error, sql, system};
use serde::Serialize;
use totp_rs::{Algorithm, TOTP};
use uuid::Uuid;

const SECONDS: u64 = 30;

/// What the person scans with his telephone.
#[derive(Clone, Debug, Serialize)]
pub struct Enrolment {
    pub secret: String,
    pub uri: String,
}

impl Auth {
    pub async fn totp_begin(&self, session: &Session) -> Result<Enrolment> {
        session.person()?;
        let user = &session.user;
        let secret = code::random::<20>();
        let sealed = self.store.secrets().seal(&about(user.id), &secret)?;
        let begun = system!(self.store, tx => {
            let sql = sql!("update iam.users set totp_secret = $2, totp_last_step = null where id = $1 and totp_enabled_at is null");
            Ok(tx.execute(sql, &[&user.id, &sealed]).await?)
        })?;
        if begun == 0 {
            return Err(Error::refused("The second factor is on already.").into());
        }
        let secret = BASE32_NOPAD.encode(&secret);
        let uri = format!("otpauth://totp/Fondaco:{}?secret={secret}&issuer=Fondaco", user.email);
        Ok(Enrolment { secret, uri })
    }

    /// The first code proves that the telephone has the secret. Answers the recovery codes, shown once.
    pub async fn totp_enable(&self, session: &Session, code: &str) -> Result<Vec<String>> {
        session.person()?;
        let user = session.user.id;
        let key = format!("totp {user}");
        self.limits.take(&key)?;
        if !self.is_time_code(user, code, false).await? {
            return Err(Error::malformed_at("code", "The code is wrong.").into());
        }
        self.limits.forget(&key);
        let codes = code::recovery();
        let hashes: Vec<Vec<u8>> = codes.iter().map(|c| self.recovery_hash(user, c)).collect();
        system!(self.store, tx => {
            let sql = sql!("update iam.users set totp_enabled_at = now(), recovery_codes = $2 where id = $1 and totp_enabled_at is null");
            Ok(tx.execute(sql, &[&user, &hashes]).await?)
        })?;
        self.forget_user(user);
        Ok(codes)
    }

    pub async fn totp_disable(&self, session: &Session, password: &str) -> Result<()> {
        session.person()?;
        self.confirm_password(session, "password", password).await?;
        system!(self.store, tx => {
            let sql = sql!("update iam.users set totp_enabled_at = null, totp_secret = null, totp_last_step = null, recovery_codes = '{}' where id = $1");
            Ok(tx.execute(sql, &[&session.user.id]).await?)
        })?;
        self.forget_user(session.user.id);
        Ok(())
    }

    /// A code of the telephone, or one of the ten on paper. Either works once.
    pub(crate) async fn is_second_factor(&self, user: Uuid, code: &str) -> Result<bool> {
        if self.is_time_code(user, code, true).await? {
            return Ok(true);
        }
        let hash = self.recovery_hash(user, code);
        let used = system!(self.store, tx => {
            let sql = sql!("update iam.users set recovery_codes = array_remove(recovery_codes, $2) where id = $1 and $2 = any (recovery_codes)");
            Ok(tx.execute(sql, &[&user, &hash]).await?)
        })?;
        Ok(used > 0)
    }

    async fn is_time_code(&self, user: Uuid, code: &str, enabled: bool) -> Result<bool> {
        Ok(system!(self.store, tx => {
            let sql = sql!("select totp_secret from iam.users where id = $1 and totp_secret is not null and (totp_enabled_at is not null) = $2");
            let Some(row) = tx.query_opt(sql, &[&user, &enabled]).await? else { return Ok(false) };
            let secret = self.store.secrets().open_sealed(&about(user), row.get(0))?;
            let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
            let Some(step) = step_of(&secret, code, now)? else { return Ok(false) };
            // Whoever else comes with the code of this step, or of one before it, is too late.
            let sql = sql!("update iam.users set totp_last_step = $2 where id = $1 and (totp_last_step is null or totp_last_step < $2)");
            Ok(tx.execute(sql, &[&user, &step]).await? > 0)
        })?)
    }

    fn recovery_hash(&self, user: Uuid, code: &str) -> Vec<u8> {
        self.keyed(&format!("recovery {user}"), &code::plain(code)).to_vec()
    }
}

fn about(user: Uuid) -> String {
    format!("iam.users totp_secret {user}")
}

/// Which time step the code belongs to: this one or a neighbour, as clocks differ.
fn step_of(secret: &[u8], code: &str, now: u64) -> kernel::Result<Option<i64>> {
    let totp = TOTP::new(Algorithm::SHA1, 6, 1, SECONDS, secret.to_vec())
        .map_err(|e| Error::broken(format!("totp: {e}")))?;
    let code = code::plain(code);
    let step = now / SECONDS;
    let found =
        [step, step.saturating_sub(1), step + 1].into_iter().find(|s| totp.generate(s * SECONDS) == code);
    Ok(found.and_then(|s| i64::try_from(s).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_standard_and_of_neighbouring_steps() {
        // RFC 6238, appendix B, the last six digits.
        let secret = b"12345678901234567890";
        let step = |code: &str, now: u64| step_of(secret, code, now).unwrap();
        assert_eq!(step("287082", 59), Some(1));
        assert_eq!(step("28 7082", 59), Some(1));
        assert_eq!(step("287082", 89), Some(1));
        assert_eq!(step("287082", 90), None);
        assert_eq!(step("081804", 1_111_111_109), Some(37_037_036));
        assert_eq!(step("", 59), None);
        assert_eq!(step("287083", 59), None);
    }
}
