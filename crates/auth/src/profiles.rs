//! What people tell of themselves, and whom.

use crate::{Auth, Result, Session};
use kernel::{Error, sql, system};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What is shown to colleagues unless the person says `self` for it in `visibility`.
const FIELDS: [&str; 4] = ["title", "phone", "bio", "skills"];

/// Pictures of at most so many bytes.
const PICTURE: usize = 512 << 10;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    pub title: String,
    pub phone: String,
    pub bio: String,
    pub skills: Vec<String>,
    /// Field → `self` or `organization`.
    pub visibility: Map<String, Value>,
}

impl Auth {
    /// One's own whole profile; of a colleague in the active company, what he shows.
    ///
    /// # Errors
    /// NotFound for whoever is no member of it.
    pub async fn profile(&self, session: &Session, person: Uuid) -> Result<Value> {
        let own = person == session.user.id;
        let organization = session.organization.as_ref().map(|o| o.id);
        let found = system!(self.store, tx => {
            let sql = sql!(
                "select jsonb_build_object('id', u.id, 'first_name', u.first_name, 'last_name', u.last_name, 'title', coalesce(p.title, ''),
                     'phone', coalesce(p.phone, ''), 'bio', coalesce(p.bio, ''), 'skills', coalesce(to_jsonb(p.skills), '[]'),
                     'visibility', coalesce(p.visibility, '{}'), 'picture', p.picture is not null)
                 from iam.users u left join iam.user_profiles p on p.id = u.id
                 where u.id = $1 and ($2 or exists (select from iam.memberships m where m.organization_id = $3 and m.id = u.id
                     and m.status in ('active', 'suspended') and m.deleted_at is null))"
            );
            Ok(tx.query_opt(sql, &[&person, &own, &organization]).await?)
        })?;
        let mut told: Value = found.ok_or(Error::NotFound)?.get(0);
        let visibility = told["visibility"].take();
        if own {
            told["visibility"] = visibility;
        } else if let Some(told) = told.as_object_mut() {
            told.retain(|field, _| field != "visibility" && visibility[field] != "self");
        }
        Ok(told)
    }

    pub async fn set_profile(&self, session: &Session, profile: &Profile) -> Result<Value> {
        session.person()?;
        for (field, text, most) in
            [("title", &profile.title, 100), ("phone", &profile.phone, 50), ("bio", &profile.bio, 2000)]
        {
            if text.chars().count() > most {
                return Err(Error::refused_at(field, format!("At most {most} characters.")).into());
            }
        }
        if profile.skills.len() > 50
            || profile.skills.iter().any(|s| s.trim().is_empty() || s.chars().count() > 50)
        {
            return Err(Error::refused_at("skills", "At most 50 skills of 1 to 50 characters.").into());
        }
        for (field, whom) in &profile.visibility {
            if !FIELDS.contains(&field.as_str())
                || !["self", "organization"].contains(&whom.as_str().unwrap_or_default())
            {
                return Err(Error::malformed_at("visibility", "For each field self or organization.").into());
            }
        }
        system!(self.store, tx => {
            let sql = sql!(
                "insert into iam.user_profiles as p (id, title, phone, bio, skills, visibility) values ($1, trim($2::text), trim($3::text), trim($4::text), $5, $6)
                 on conflict (id) do update set (title, phone, bio, skills, visibility, updated_at)
                     = (excluded.title, excluded.phone, excluded.bio, excluded.skills, excluded.visibility, now())"
            );
            let visibility = json!(profile.visibility);
            Ok(tx.execute(sql, &[&session.user.id, &profile.title, &profile.phone, &profile.bio, &profile.skills, &visibility]).await?)
        })?;
        self.profile(session, session.user.id).await
    }

    /// A picture of the person, or none any more.
    ///
    /// # Errors
    /// Refused where the bytes are neither PNG, JPEG nor WebP, or too many.
    pub async fn set_picture(&self, session: &Session, picture: Option<&[u8]>) -> Result<()> {
        session.person()?;
        if let Some(bytes) = picture
            && (bytes.len() > PICTURE || kind(bytes).is_none())
        {
            return Err(Error::refused_at("picture", "A PNG, JPEG or WebP picture of at most 512 kB.").into());
        }
        system!(self.store, tx => {
            let sql = sql!(
                "insert into iam.user_profiles as p (id, picture) values ($1, $2)
                 on conflict (id) do update set (picture, updated_at) = (excluded.picture, now())"
            );
            Ok(tx.execute(sql, &[&session.user.id, &picture]).await?)
        })?;
        Ok(())
    }

    /// Type and bytes of somebody's picture.
    ///
    /// # Errors
    /// NotFound as [`Auth::profile`], and where there is none.
    pub async fn picture(&self, session: &Session, person: Uuid) -> Result<(&'static str, Vec<u8>)> {
        self.profile(session, person).await?;
        let row = system!(self.store, tx => {
            Ok(tx.query_opt(sql!("select picture from iam.user_profiles where id = $1"), &[&person]).await?)
        })?;
        let bytes: Vec<u8> = row.and_then(|r| r.get::<_, Option<Vec<u8>>>(0)).ok_or(Error::NotFound)?;
        Ok((kind(&bytes).ok_or(Error::NotFound)?, bytes))
    }
}

fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
