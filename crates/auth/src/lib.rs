//! Who somebody is, in which companies, and what he may do there. No HTTP in here: `web` hands over tokens and the
//! peer's address, and turns [`Problem`] into an answer.
//!
//! Invariants:
//! - Of a password, token or code only a hash is kept; a code works once, whoever races for it.
//! - A known and an unknown address get the same answer, after the same work.
//! - Nobody grants more than he has, and an organization always has an owner.
//! - What a person changes for others is written as that person, so that the history names him.

mod bin;
mod code;
mod email;
mod limit;
mod mail;
mod members;
mod network;
mod onboarding;
mod organizations;
mod password;
mod people;
mod profiles;
mod roles;
mod sessions;
mod settings;
mod shares;
mod sign_in;
mod tokens;
mod totp;
mod viewing;
mod workspaces;

pub use bin::is_bin;
pub use email::normalize_email;
pub use members::{Accepted, Invitation, MemberChange};
pub use organizations::{NewOrganization, Organization};
pub use password::check_password;
pub use people::{MeChange, NewUser, User};
pub use profiles::Profile;
pub use roles::{NewRole, RoleChange, WorkspaceRole};
pub use sessions::Session;
pub use settings::NewSetting;
pub use shares::{NewShare, Shared};
pub use sign_in::{Registration, SignedIn};
pub use tokens::NewToken;
pub use totp::Enrolment;
pub use viewing::{ViewAs, Viewing};
pub use workspaces::{NewWorkspace, WorkspaceChange};

use code::Hash;
use hmac::{Hmac, Mac};
use kernel::{Access, Actor, Error, Overlay, Role, Scope, Store, System};
use limit::Limits;
use password::Hasher;
use serde::{Deserialize, Deserializer};
use sessions::Cache;
use sha2::Sha256;
use std::{net::IpAddr, sync::Arc, time::Duration};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Config {
    /// Where people reach this server; links in mails start with it. Empty: mails with links are refused.
    pub base_url: String,
    /// Whether anybody may register, or only who is invited.
    pub open: bool,
    pub session_idle: Duration,
    pub session_absolute: Duration,
    /// How many attempts one address or account has in 15 minutes.
    pub attempts: u32,
    /// How many requests one person or key, and one network address, may make in ten seconds.
    pub requests: u32,
    pub requests_per_peer: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            base_url: String::new(),
            open: true,
            session_idle: Duration::from_secs(30 * 60),
            session_absolute: Duration::from_secs(12 * 60 * 60),
            attempts: 9,
            requests: 10_000,
            requests_per_peer: 50_000,
        }
    }
}

/// What can go wrong besides what can always go wrong.
#[derive(Debug)]
pub enum Problem {
    Kernel(Error),
    Unauthorized(String),
    /// The password was right; a one-time code is needed too.
    SecondFactor,
    TooMany(Duration),
}

pub type Result<T, E = Problem> = std::result::Result<T, E>;

impl From<Error> for Problem {
    fn from(e: Error) -> Self {
        Problem::Kernel(e)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Kernel(e) => e.fmt(f),
            Problem::Unauthorized(message) => f.write_str(message),
            Problem::SecondFactor => f.write_str("Enter the code of your second factor."),
            Problem::TooMany(_) => f.write_str("Too many attempts. Wait a little and try again."),
        }
    }
}

impl std::error::Error for Problem {}

/// Where a request comes from, as far as the server itself can tell.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    pub ip: Option<IpAddr>,
    pub agent: String,
    pub request: Uuid,
}

impl Visit {
    fn ip(&self) -> Option<String> {
        self.ip.map(|ip| ip.to_canonical().to_string())
    }

    /// A whole /64 of IPv6 is one customer of a provider.
    fn key(&self, what: &str) -> String {
        match self.ip.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = ip.segments();
                format!("{what} {a:x}:{b:x}:{c:x}:{d:x}::")
            }
            Some(ip) => format!("{what} {ip}"),
            None => format!("{what} nowhere"),
        }
    }

    fn agent(&self) -> String {
        self.agent.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

/// Over which requests are counted.
const MOMENT: Duration = Duration::from_secs(10);

pub struct Auth {
    store: Store,
    config: Config,
    limits: Limits,
    invitations: Limits,
    people: Limits,
    peers: Limits,
    hasher: Hasher,
    cache: Cache,
    /// Everything: for what this crate has itself found to be allowed.
    all: Arc<Access>,
    /// A person's own keys and links, which everybody has.
    own: Arc<Access>,
    codes: Hash,
    duties: Vec<[roles::Duty; 2]>,
}

impl Auth {
    pub fn new(store: Store, config: Config) -> Auth {
        let role = |name: &str| Role { name: name.to_owned(), ..Role::default() };
        let owner = Role { template: Some(roles::OWNER.to_owned()), ..role(roles::OWNER) };
        let keys = ["iam.api_tokens", "social.shares"].iter().flat_map(|entity| {
            ["read", "create", "update", "delete"]
                .map(|action| ((*entity).to_owned(), action.to_owned(), Scope::Own))
        });
        let own = Role { permissions: keys.collect(), ..role("self") };
        Auth {
            limits: Limits::new(config.attempts),
            invitations: Limits::new(config.attempts.saturating_mul(10)),
            people: Limits::over(MOMENT, config.requests),
            peers: Limits::over(MOMENT, config.requests_per_peer),
            hasher: Hasher::new(),
            cache: Cache::default(),
            all: Arc::new(Access::of(store.catalog(), &[owner])),
            own: Arc::new(Access::of(store.catalog(), &[own])),
            duties: roles::duties(store.catalog()),
            codes: store.secrets().derive("identity codes"),
            store,
            config,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Counts a request against the network address that it comes from; this machine's own is a proxy's, that is,
    /// everybody's.
    pub fn admit_peer(&self, visit: &Visit) -> Result<()> {
        match visit.ip {
            Some(ip) if !ip.to_canonical().is_loopback() => self.peers.take(&visit.key("")),
            _ => Ok(()),
        }
    }

    /// Counts a request against whoever makes it: a person, however many sessions he has, or a key.
    pub fn admit(&self, session: &Session) -> Result<()> {
        self.people.take(&session.token.unwrap_or(session.user.id).to_string())
    }

    /// The same person with other rights, for one act that was found to be allowed.
    fn with(&self, access: &Arc<Access>, actor: &Actor) -> Actor {
        Actor { access: access.clone(), overlay: Arc::new(Overlay::default()), ..actor.clone() }
    }

    /// Of something too short to be hashed without a key, and bound to whom it is about.
    fn keyed(&self, about: &str, text: &str) -> Hash {
        let mut mac = match <Hmac<Sha256> as Mac>::new_from_slice(&self.codes) {
            Ok(mac) => mac,
            Err(_) => unreachable!("HMAC takes keys of any length"),
        };
        mac.update(about.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// Names the person for whom the program itself writes, so that the history does too.
async fn on_behalf(tx: &System, organization: Uuid, user: Uuid, request: Uuid) -> kernel::Result<()> {
    tx.batch_execute(&format!("set local app.context = '{organization} {user} {request} '")).await?;
    Ok(())
}

/// Members, roles and keys let themselves be changed in this transaction; see sql/4_identity.sql.
async fn unlock(tx: &kernel::Tx) -> kernel::Result<()> {
    tx.batch_execute("set local app.identity = 'on'").await?;
    Ok(())
}

/// `null` is something else than absent.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
