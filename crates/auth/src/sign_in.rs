use crate::{
    Auth, Problem, Result, Session, Visit, check_password, code, mail, normalize_email,
    people::{User, check_name},
    sessions::end_sessions,
};
use data_encoding::HEXLOWER;
use kernel::{Error, System, sql, system};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub email: String,
    pub password: String,
    pub first_name: String,
    pub last_name: String,
    /// What the browser prefers.
    #[serde(skip)]
    pub locale: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct SignedIn {
    pub user: User,
    pub organizations: Vec<Value>,
    pub token: String,
}

/// Failures after which an account rests for a quarter of an hour.
const PASSWORDS: i64 = 10;
const CODES: i64 = 5;
/// A code of eight characters is tried this often.
const TRIES: i32 = 5;

/// Somebody who signs in, as far as the database knows him.
struct Known {
    user: User,
    status: String,
    password: Option<String>,
}

impl Auth {
    /// Sends a code to the address; a known one hears that it is known. The answer is the same.
    pub async fn register(&self, new: &Registration, visit: &Visit) -> Result<()> {
        if !self.config.open {
            return Err(Error::Forbidden("Registration is closed here. Ask for an invitation.".into()).into());
        }
        let email = normalize_email(&new.email)?;
        check_password(&new.password, &email)?;
        check_name("first_name", Some(&new.first_name))?;
        check_name("last_name", Some(&new.last_name))?;
        let locale = kernel::spoken(&new.locale);
        self.limits.take(&visit.key("register"))?;
        self.limits.take(&self.account("register", &email))?;
        let hash = self.hasher.hash(&new.password).await?;
        let code = code::short();
        let verify = self.link("verify", &[("email", &email), ("code", &code)])?;
        let sign_in = self.link("login", &[("email", &email)])?;
        system!(self.store, tx => {
            self.note(&tx, &email, visit, "register").await?;
            let known = tx.query_opt(sql!("select locale from iam.users where email_key = $1 and status <> 'pending'"), &[&email]).await?;
            if let Some(known) = known {
                return mail::known_already(known.get(0), &sign_in).send(&tx, &email).await;
            }
            let sql = sql!(
                "insert into iam.users (email, first_name, last_name, locale) values ($1, trim($2::text), trim($3::text), $4)
                 on conflict (email_key) do update set first_name = excluded.first_name, last_name = excluded.last_name, locale = excluded.locale
                 where users.status = 'pending' returning id"
            );
            let made = tx.query_opt(sql, &[&email, &new.first_name, &new.last_name, &locale]).await?;
            if let Some(made) = made {
                self.send_code(&tx, made.get(0), &email, &code, Some(&hash)).await?;
                mail::registration(locale, &code, &verify).send(&tx, &email).await?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The password goes with the code: of two who registered one address, the one who reads its mail wins with his own.
    async fn send_code(
        &self,
        tx: &System,
        user: Uuid,
        email: &str,
        code: &str,
        hash: Option<&str>,
    ) -> kernel::Result<()> {
        let code = self.keyed(&user.to_string(), code);
        let sql = sql!(
            "insert into iam.email_verifications (user_id, kind, email, code_hash, password_hash, expires_at)
             values ($1, 'registration', $2, $3, $4, now() + interval '24 hours')"
        );
        tx.execute(sql, &[&user, &email, &&code[..], &hash]).await?;
        Ok(())
    }

    /// Another code for who lost the first.
    pub async fn resend(&self, email: &str, visit: &Visit) -> Result<()> {
        let email = normalize_email(email)?;
        self.limits.take(&visit.key("resend"))?;
        self.limits.take(&self.account("resend", &email))?;
        let code = code::short();
        let verify = self.link("verify", &[("email", &email), ("code", &code)])?;
        system!(self.store, tx => {
            self.note(&tx, &email, visit, "resend").await?;
            let sql = sql!(
                "select u.id, u.locale, v.password_hash from iam.users u join iam.email_verifications v on v.user_id = u.id
                 where u.email_key = $1 and u.status = 'pending' and v.kind = 'registration' and v.used_at is null
                    and v.expires_at > now() order by v.created_at desc limit 1"
            );
            if let Some(row) = tx.query_opt(sql, &[&email]).await? {
                self.send_code(&tx, row.get(0), &email, &code, row.get(2)).await?;
                mail::registration(row.get(1), &code, &verify).send(&tx, &email).await?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// The code came back: the address is his, and he is signed in.
    pub async fn verify(&self, email: &str, code: &str, visit: &Visit) -> Result<SignedIn> {
        self.limits.take(&visit.key("verify"))?;
        let email = normalize_email(email)?;
        let code = code::plain(code);
        let done = system!(self.store, tx => {
            // Counts the try and holds the rows: of two who come with the right code, one finds it used.
            let sql = sql!(
                "update iam.email_verifications v set attempts = v.attempts + 1 from iam.users u
                 where u.email_key = $1 and u.status = 'pending' and v.user_id = u.id and v.kind = 'registration'
                    and v.used_at is null and v.expires_at > now() and v.attempts < $2
                 returning u.id, v.code_hash, v.password_hash"
            );
            let tried = tx.query(sql, &[&email, &TRIES]).await?;
            let right = tried.iter().find(|row| {
                let (user, hash): (Uuid, &[u8]) = (row.get(0), row.get(1));
                self.keyed(&user.to_string(), &code) == hash
            });
            let Some(row) = right else { return Ok(None) };
            let user: Uuid = row.get(0);
            retire_codes(&tx, user, "registration").await?;
            let sql = sql!(
                "update iam.users set status = 'active', registration_status = 'onboarding_pending', password_hash = $2,
                    password_changed_at = now(), updated_at = now()
                 where id = $1 and status = 'pending' returning id"
            );
            if tx.query_opt(sql, &[&user, &row.get::<_, Option<&str>>(2)]).await?.is_none() {
                return Ok(None);
            }
            Ok(Some(self.open_session(&tx, user, visit).await?))
        })?;
        let signed_in = done.ok_or_else(wrong_code)?;
        self.limits.give_back(&visit.key("verify"));
        Ok(signed_in)
    }

    pub async fn login(
        &self,
        email: &str,
        password: &str,
        code: Option<&str>,
        visit: &Visit,
    ) -> Result<SignedIn> {
        let peer = visit.key("login");
        self.limits.take(&peer)?;
        // What is no address belongs to nobody, and that is found out at the same price.
        let email = normalize_email(email).unwrap_or_else(|_| email.trim().to_lowercase());
        let account = self.account("login", &email);
        self.limits.take(&account)?;
        let (known, attempt) = self.begin_login(&email, visit).await?;
        let (user, status, hash) = match known {
            Some(Known { user, status, password }) => (Some(user), status, password),
            None => (None, String::new(), None),
        };
        let right = self.hasher.verify(password, hash).await?;
        let Some(user) = user.filter(|_| right) else {
            return Err(Problem::Unauthorized("The e-mail address or the password is wrong.".into()));
        };
        if status != "active" {
            return Err(Error::Forbidden("This account is suspended.".into()).into());
        }
        if user.totp_enabled {
            let Some(code) = code.filter(|c| !c.trim().is_empty()) else {
                self.mark(attempt, "second_factor").await?;
                self.limits.give_back(&peer);
                self.limits.give_back(&account);
                return Err(Problem::SecondFactor);
            };
            if !self.is_second_factor(user.id, code).await? {
                self.mark(attempt, "code").await?;
                return Err(Problem::Unauthorized("The code is wrong or was used already.".into()));
            }
        }
        let signed_in = system!(self.store, tx => {
            tx.execute(sql!("update iam.login_attempts set succeeded = true, reason = null where id = $1"), &[&attempt]).await?;
            self.open_session(&tx, user.id, visit).await
        })?;
        self.limits.give_back(&peer);
        self.limits.forget(&account);
        Ok(signed_in)
    }

    /// Counts the attempt as failed until it succeeds, so that a crowd of them cannot slip through together.
    async fn begin_login(&self, email: &str, visit: &Visit) -> Result<(Option<Known>, Uuid)> {
        let begun = system!(self.store, tx => {
            let sql = sql!(
                "select count(*) filter (where reason = 'password'), count(*) filter (where reason = 'code'),
                    coalesce(extract(epoch from min(at) + interval '15 minutes' - now()), 0)::double precision
                 from iam.login_attempts
                 where email_hash = $1 and not succeeded and at > now() - interval '15 minutes'
                    and at > coalesce((select max(x.at) from iam.login_attempts x where x.email_hash = $1 and x.succeeded), '-infinity')"
            );
            let failed = tx.query_one(sql, &[&&self.keyed("email", email)[..]]).await?;
            if failed.get::<_, i64>(0) >= PASSWORDS || failed.get::<_, i64>(1) >= CODES {
                return Ok(Err(Duration::from_secs_f64(failed.get::<_, f64>(2).max(1.0))));
            }
            let attempt = self.note(&tx, email, visit, "password").await?;
            let sql = sql!(concat!(
                "select u.status, u.password_hash, ",
                crate::people::user_columns!(),
                " from iam.users u where u.email_key = $1 and u.status <> 'pending'"
            ));
            let known = tx.query_opt(sql, &[&email]).await?.map(|row| Known {
                user: User::of(&row),
                status: row.get(0),
                password: row.get(1),
            });
            Ok(Ok((known, attempt)))
        })?;
        begun.map_err(Problem::TooMany)
    }

    /// What was tried, on which account: everything about it is kept but the address itself.
    async fn note(&self, tx: &System, email: &str, visit: &Visit, reason: &str) -> kernel::Result<Uuid> {
        let sql = sql!(
            "insert into iam.login_attempts (email_hash, ip, succeeded, reason) values ($1, $2, false, $3) returning id"
        );
        let hash = self.keyed("email", email);
        Ok(tx.query_one(sql, &[&&hash[..], &visit.ip(), &reason]).await?.get(0))
    }

    async fn mark(&self, attempt: Uuid, reason: &str) -> Result<()> {
        system!(self.store, tx => {
            let sql = sql!("update iam.login_attempts set reason = $2 where id = $1");
            Ok(tx.execute(sql, &[&attempt, &reason]).await?)
        })?;
        Ok(())
    }

    fn account(&self, what: &str, email: &str) -> String {
        format!("{what} {}", HEXLOWER.encode(&self.keyed("email", email)))
    }

    /// Into the company where he was last, if he is in any.
    pub(crate) async fn open_session(
        &self,
        tx: &System,
        user: Uuid,
        visit: &Visit,
    ) -> kernel::Result<SignedIn> {
        let token = code::token();
        let (ip, agent) = (visit.ip(), visit.agent());
        let sql = sql!(
            "insert into iam.sessions (token_hash, user_id, ip, user_agent, expires_at, active_organization_id)
             values ($1, $2, $3, $4, now() + make_interval(secs => $5), (
                select m.organization_id from iam.memberships m join tenancy.organizations o on o.id = m.organization_id
                where m.id = $2 and m.status = 'active' and m.deleted_at is null and o.status <> 'inactive'
                order by (select max(s.last_seen_at) from iam.sessions s
                          where s.user_id = $2 and s.active_organization_id = m.organization_id) desc nulls last, m.joined_at
                limit 1))
             returning active_organization_id"
        );
        let seconds = self.config.session_absolute.as_secs_f64();
        let made = tx.query_one(sql, &[&&code::hash(&token)[..], &user, &ip, &agent, &seconds]).await?;
        let sql = sql!(concat!(
            "update iam.users u set last_login_at = now(), last_login_ip = $2, last_user_agent = $3 where u.id = $1 returning ",
            crate::people::user_columns!()
        ));
        let user = User::of(&tx.query_one(sql, &[&user, &ip, &agent]).await?);
        if let Some(organization) = made.get::<_, Option<Uuid>>(0) {
            log_visit(tx, organization, user.id, "sign_in", visit).await?;
        }
        let organizations = crate::organizations::names(tx, user.id).await?;
        Ok(SignedIn { user, organizations, token })
    }

    pub async fn logout(&self, session: &Session, visit: &Visit) -> Result<()> {
        session.person()?;
        system!(self.store, tx => {
            let sql = sql!("update iam.sessions set ended_at = now() where id = $1 and ended_at is null");
            let ended = tx.execute(sql, &[&session.id]).await?;
            if ended > 0 && let Ok(organization) = session.organization() {
                log_visit(&tx, organization.id, session.user.id, "sign_out", visit).await?;
            }
            Ok(())
        })?;
        self.forget_user(session.user.id);
        Ok(())
    }

    /// Mails a link with which a new password can be chosen, to whom it concerns.
    pub async fn forgot(&self, email: &str, visit: &Visit) -> Result<()> {
        let email = normalize_email(email)?;
        self.limits.take(&visit.key("forgot"))?;
        self.limits.take(&self.account("forgot", &email))?;
        let token = code::token();
        let link = self.link("reset", &[("email", &email), ("code", &token)])?;
        system!(self.store, tx => {
            self.note(&tx, &email, visit, "forgot").await?;
            let sql = sql!("select id, locale from iam.users where email_key = $1 and status = 'active'");
            let Some(row) = tx.query_opt(sql, &[&email]).await? else { return Ok(()) };
            let user: Uuid = row.get(0);
            retire_codes(&tx, user, "password_reset").await?;
            let sql = sql!(
                "insert into iam.email_verifications (user_id, kind, email, code_hash, expires_at)
                 values ($1, 'password_reset', $2, $3, now() + interval '30 minutes')"
            );
            tx.execute(sql, &[&user, &email, &&code::hash(&token)[..]]).await?;
            mail::reset(row.get(1), &link).send(&tx, &email).await
        })?;
        Ok(())
    }

    /// A new password for who has the link. Signs nobody in: a second factor is still asked for.
    pub async fn reset(&self, email: &str, code: &str, password: &str) -> Result<()> {
        let email = normalize_email(email)?;
        check_password(password, &email)?;
        let code = code::hash(code);
        let known = system!(self.store, tx => {
            let sql = sql!(
                "select v.id from iam.email_verifications v join iam.users u on u.id = v.user_id
                 where v.code_hash = $1 and v.kind = 'password_reset' and v.used_at is null and v.expires_at > now()
                    and u.email_key = $2 and u.status = 'active'"
            );
            Ok(tx.query_opt(sql, &[&&code[..], &email]).await?)
        })?;
        let id: Uuid = known.ok_or_else(wrong_code)?.get(0);
        let hash = self.hasher.hash(password).await?;
        let link = self.link("forgot", &[("email", &email)])?;
        let user = system!(self.store, tx => {
            let sql = sql!("update iam.email_verifications set used_at = now() where id = $1 and used_at is null returning user_id");
            let Some(row) = tx.query_opt(sql, &[&id]).await? else { return Ok(None) };
            let user: Uuid = row.get(0);
            set_password(&tx, user, &hash, None, &link).await?;
            Ok(Some(user))
        })?;
        self.forget_user(user.ok_or_else(wrong_code)?);
        self.limits.forget(&self.account("login", &email));
        Ok(())
    }

    pub async fn change_password(&self, session: &Session, current: &str, new: &str) -> Result<()> {
        session.person()?;
        check_password(new, &session.user.email).map_err(|e| at("new_password", e))?;
        self.confirm_password(session, "current_password", current).await?;
        let hash = self.hasher.hash(new).await?;
        let link = self.link("forgot", &[("email", &session.user.email)])?;
        system!(self.store, tx => set_password(&tx, session.user.id, &hash, Some(session.id), &link).await)?;
        self.forget_user(session.user.id);
        Ok(())
    }

    /// The person, not just his open browser.
    pub(crate) async fn confirm_password(
        &self,
        session: &Session,
        field: &str,
        password: &str,
    ) -> Result<()> {
        let key = format!("password {}", session.user.id);
        self.limits.take(&key)?;
        let known = system!(self.store, tx => {
            Ok(tx.query_one(sql!("select password_hash from iam.users where id = $1"), &[&session.user.id]).await?)
        })?;
        if !self.hasher.verify(password, known.get(0)).await? {
            return Err(Error::refused_at(field, "The password is wrong.").into());
        }
        self.limits.forget(&key);
        Ok(())
    }

    /// The new address has to confirm; the old one hears of it.
    pub async fn change_email(&self, session: &Session, email: &str, password: &str) -> Result<()> {
        session.person()?;
        let email = normalize_email(email)?;
        self.confirm_password(session, "password", password).await?;
        self.limits.take(&format!("email {}", session.user.id))?;
        let (user, token) = (&session.user, code::token());
        let confirm = self.link("confirm-email", &[("code", &token)])?;
        let forgot = self.link("forgot", &[("email", &user.email)])?;
        let sign_in = self.link("login", &[("email", &email)])?;
        system!(self.store, tx => {
            retire_codes(&tx, user.id, "email_change").await?;
            mail::address_leaves(&user.locale, &email, &forgot).send(&tx, &user.email).await?;
            let taken = sql!("select locale from iam.users where email_key = $1 and status <> 'pending'");
            if let Some(other) = tx.query_opt(taken, &[&email]).await? {
                return mail::known_already(other.get(0), &sign_in).send(&tx, &email).await;
            }
            let sql = sql!(
                "insert into iam.email_verifications (user_id, kind, email, code_hash, expires_at)
                 values ($1, 'email_change', $2, $3, now() + interval '24 hours')"
            );
            tx.execute(sql, &[&user.id, &email, &&code::hash(&token)[..]]).await?;
            mail::new_address(&user.locale, &confirm).send(&tx, &email).await
        })?;
        Ok(())
    }

    /// Whoever reads the new address's mail has the link, signed in or not.
    pub async fn confirm_email(&self, code: &str) -> Result<()> {
        let user = system!(self.store, tx => {
            let sql = sql!(
                "update iam.email_verifications set used_at = now()
                 where code_hash = $1 and kind = 'email_change' and used_at is null and expires_at > now() returning user_id, email"
            );
            let Some(row) = tx.query_opt(sql, &[&&code::hash(code)[..]]).await? else { return Ok(None) };
            let (user, email): (Uuid, &str) = (row.get(0), row.get(1));
            // Somebody who registered the address and never confirmed it does not keep it from its owner.
            tx.execute(sql!("delete from iam.users where email_key = $1 and status = 'pending'"), &[&email]).await?;
            retire_codes(&tx, user, "password_reset").await?;
            let sql = sql!("update iam.users set email = $2, updated_at = now() where id = $1 and status = 'active' returning id");
            Ok(tx.query_opt(sql, &[&user, &email]).await?.map(|_| user))
        })?;
        self.forget_user(user.ok_or_else(wrong_code)?);
        Ok(())
    }
}

/// Sets the password, ends all sessions but one, and makes links that were sent before useless.
async fn set_password(
    tx: &System,
    user: Uuid,
    hash: &str,
    but: Option<Uuid>,
    link: &str,
) -> kernel::Result<()> {
    let sql = sql!(
        "update iam.users set password_hash = $2, password_changed_at = now(), updated_at = now() where id = $1 returning email, locale"
    );
    let row = tx.query_one(sql, &[&user, &hash]).await?;
    end_sessions(tx, user, but).await?;
    retire_codes(tx, user, "password_reset").await?;
    mail::password_changed(row.get(1), link).send(tx, row.get(0)).await
}

pub(crate) async fn retire_codes(tx: &System, user: Uuid, kind: &str) -> kernel::Result<()> {
    let sql = sql!(
        "update iam.email_verifications set used_at = now() where user_id = $1 and kind = $2 and used_at is null"
    );
    tx.execute(sql, &[&user, &kind]).await?;
    Ok(())
}

pub(crate) async fn log_visit(
    tx: &System,
    organization: Uuid,
    user: Uuid,
    action: &str,
    visit: &Visit,
) -> kernel::Result<()> {
    let sql = sql!(
        "select iam.log_event($1, 'iam.memberships', $2, $3, $2, $4, null, jsonb_build_object('ip', $5::text, 'user_agent', $6::text))"
    );
    tx.query_one(sql, &[&organization, &user, &action, &visit.request, &visit.ip(), &visit.agent()]).await?;
    Ok(())
}

pub(crate) fn wrong_code() -> Error {
    Error::malformed_at("code", "This code is wrong, was used already or is too old.")
}

fn at(field: &str, e: Error) -> Error {
    match e {
        Error::Refused(faults) => {
            Error::refused_at(field, faults.into_iter().map(|f| f.message).collect::<String>())
        }
        e => e,
    }
}
