//! Identity against the database. The names N.., Z.. are those of the safety requirements.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod companies;
mod divisions;
mod people;
mod signing_in;

use auth::{Auth, Config, NewOrganization, NewUser, Problem, Session, SignedIn, Visit};
use kernel::{Error, Module};
use std::net::Ipv6Addr;
use testkit::Scene;
use uuid::Uuid;

static BOOKS: Module = Module {
    name: "books",
    schema: include_str!("books.sql"),
    meta: include_str!("books.toml"),
    readme: "",
    texts: &[("ru", "[roles]\ncashier = 'Кассир'"), ("kk", "[roles]\ncashier = 'Кассир'")],
    changes: &[],
    rules: &[],
    actions: &[],
    calls: &[],
};
static MODULES: &[&Module] = &[&BOOKS];

pub(crate) const PASSWORD: &str = "seven little boats";
pub(crate) const OTHER: &str = "eight little boats";

pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) auth: Auth,
}

/// Somebody with an account, signed in.
pub(crate) struct Somebody {
    pub(crate) email: String,
    pub(crate) id: Uuid,
    pub(crate) token: String,
}

pub(crate) async fn world() -> World {
    world_with(|_| {}).await
}

pub(crate) async fn world_with(change: impl FnOnce(&mut Config)) -> World {
    let scene = testkit::scene(MODULES).await;
    let mut config = Config { base_url: "https://erp.test/".into(), ..Config::default() };
    change(&mut config);
    World { auth: Auth::new(scene.store.clone(), config), scene }
}

/// From an address of its own.
pub(crate) fn visit() -> Visit {
    Visit {
        ip: Some(Ipv6Addr::from(Uuid::new_v4().as_u128()).into()),
        agent: "test".into(),
        request: Uuid::now_v7(),
    }
}

pub(crate) fn address(name: &str) -> String {
    format!("{name}.{}@acme.test", Uuid::new_v4().simple())
}

impl World {
    pub(crate) async fn account(&self, name: &str) -> (String, Uuid) {
        let email = address(name);
        let new = NewUser {
            email: email.clone(),
            password: PASSWORD.into(),
            first_name: name.into(),
            ..NewUser::default()
        };
        (email, self.auth.create_user(&new).await.unwrap())
    }

    pub(crate) async fn login(&self, email: &str) -> SignedIn {
        self.auth.login(email, PASSWORD, None, &visit()).await.unwrap()
    }

    pub(crate) async fn session(&self, token: &str) -> Session {
        self.auth.session(token, Uuid::now_v7()).await.unwrap()
    }

    pub(crate) async fn of(&self, who: &Somebody) -> Session {
        self.session(&who.token).await
    }

    /// An owner of a new company, signed in to it.
    pub(crate) async fn owner(&self) -> (Somebody, Uuid) {
        let (email, id) = self.account("owner").await;
        let organization = self.company(id).await;
        let token = self.login(&email).await.token;
        (Somebody { email, id, token }, organization)
    }

    pub(crate) async fn company(&self, owner: Uuid) -> Uuid {
        let new = NewOrganization {
            name: "Acme".into(),
            country: "DE".into(),
            currency: "EUR".into(),
            time_zone: "Europe/Berlin".into(),
            ..NewOrganization::default()
        };
        self.auth.create_organization(owner, &new, Uuid::now_v7()).await.unwrap().id
    }

    pub(crate) async fn colleague(&self, organization: Uuid, roles: &[&str]) -> Somebody {
        let (email, id) = self.account("colleague").await;
        let roles: Vec<String> = roles.iter().map(|r| (*r).to_owned()).collect();
        self.auth.add_member_with_roles(organization, id, &roles, Uuid::now_v7()).await.unwrap();
        let token = self.login(&email).await.token;
        Somebody { email, id, token }
    }

    /// The last mail to an address.
    pub(crate) async fn mail(&self, to: &str) -> String {
        let sql = "select body from app.mails where recipient = $1 order by created_at desc, id desc limit 1";
        self.scene.strings(sql, &[&to]).await.pop().unwrap_or_default()
    }

    /// What stands alone on a line of the last mail: the code, or the value of `code` in the link.
    pub(crate) async fn code(&self, to: &str) -> String {
        let body = self.mail(to).await;
        let alone =
            |l: &&str| l.len() == 8 && l.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        match body.lines().find(alone) {
            Some(code) => code.to_owned(),
            None => body.split("code=").nth(1).unwrap().lines().next().unwrap().to_owned(),
        }
    }

    pub(crate) async fn sql(&self, sql: &str, values: &[&(dyn tokio_postgres::types::ToSql + Sync)]) -> u64 {
        self.scene.admin().execute(sql, values).await.unwrap()
    }
}

/// The class of an answer, as `web` would say it.
pub(crate) fn status<T>(answer: &Result<T, Problem>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(Problem::Unauthorized(_) | Problem::SecondFactor) => 401,
        Err(Problem::TooMany(_)) => 429,
        Err(Problem::Kernel(Error::Malformed(_))) => 400,
        Err(Problem::Kernel(Error::Forbidden(_))) => 403,
        Err(Problem::Kernel(Error::NotFound)) => 404,
        Err(Problem::Kernel(Error::Refused(_))) => 422,
        Err(Problem::Kernel(Error::Unavailable(_))) => 503,
        Err(_) => 500,
    }
}

pub(crate) fn said<T>(answer: &Result<T, Problem>) -> String {
    answer.as_ref().err().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn every_statement_is_understood() {
    let world = world().await;
    let mut wrong = Vec::new();
    for sql in kernel::Sql::all() {
        if let Err(e) = world.scene.understands(sql.text).await {
            wrong.push(format!("{}:{}: {e}", sql.file, sql.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
