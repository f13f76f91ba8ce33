use crate::{Error, Result};
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha2::Sha256;
use std::{io::Write, path::Path};

/// The server's master key, kept in a file of its own. What it encrypts is bound to its place by `about`, so that a
/// value moved to another row does not open.
#[derive(Clone)]
pub struct Secrets {
    key: [u8; 32],
}

const FORMAT: u8 = 1;

impl Secrets {
    /// Reads the key file, or makes it (mode 0600) when it is not there.
    pub fn open(file: &Path) -> Result<Secrets> {
        let wrong =
            |e: &dyn std::fmt::Display| Error::broken(format!("The key file {}: {e}", file.display()));
        match std::fs::read(file) {
            Ok(bytes) => {
                let key = bytes
                    .try_into()
                    .map_err(|_| wrong(&"it should have exactly 32 bytes; restore it from your backup"))?;
                Ok(Secrets { key })
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                rand::rng().fill_bytes(&mut key);
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut out = options.open(file).map_err(|e| wrong(&e))?;
                out.write_all(&key).and_then(|()| out.sync_all()).map_err(|e| wrong(&e))?;
                Ok(Secrets { key })
            }
            Err(e) => Err(wrong(&e)),
        }
    }

    /// Random for tests and for programs that keep nothing.
    pub fn passing() -> Secrets {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        Secrets { key }
    }

    /// A key for one purpose, so that no two purposes share one.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut mac = match <Hmac<Sha256> as Mac>::new_from_slice(&self.key) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// `about` says whose value it is: organization, table, column, row.
    pub fn seal(&self, about: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; 12];
        rand::rng().fill_bytes(&mut nonce);
        let cipher = Aes256Gcm::new(&self.derive("secrets").into());
        let sealed = cipher
            .encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: about.as_bytes() })
            .map_err(|_| Error::broken("could not encrypt"))?;
        Ok([&[FORMAT][..], &nonce, &sealed].concat())
    }

    /// The key of one company, which this key has sealed.
    pub fn company(&self, about: &str, sealed: &[u8]) -> Result<Secrets> {
        let key = self.open_sealed(about, sealed)?;
        Ok(Secrets { key: key.try_into().map_err(|_| Error::broken("a key of the wrong length"))? })
    }

    pub fn open_sealed(&self, about: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let (Some(&FORMAT), Some(nonce), Some(body)) = (sealed.first(), sealed.get(1..13), sealed.get(13..))
        else {
            return Err(Error::broken("a secret of an unknown format"));
        };
        Aes256Gcm::new(&self.derive("secrets").into())
            .decrypt(Nonce::from_slice(nonce), Payload { msg: body, aad: about.as_bytes() })
            .map_err(|_| {
                Error::broken("a secret does not open: the master key is not the one it was made with")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_where_it_belongs() {
        let secrets = Secrets::passing();
        let sealed = secrets.seal("a", b"salary").unwrap();
        assert_eq!(secrets.open_sealed("a", &sealed).unwrap(), b"salary");
        assert!(secrets.open_sealed("b", &sealed).is_err());
        assert!(Secrets::passing().open_sealed("a", &sealed).is_err());
    }
}
