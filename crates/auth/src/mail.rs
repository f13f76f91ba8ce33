//! The letters of identity, in the reader's language. They are queued by the transaction that is their reason.

use crate::Auth;
use kernel::{Error, Result};
use tokio_postgres::Client;

pub(crate) struct Letter {
    subject: String,
    body: String,
}

impl Letter {
    pub(crate) async fn send(&self, client: &Client, to: &str) -> Result<()> {
        let sql = kernel::sql!("select app.send_mail($1, $2, $3)");
        client.query_one(sql, &[&to, &self.subject, &self.body]).await?;
        Ok(())
    }
}

impl Auth {
    /// A link into our own pages: starts with what the operator configured, never with what a request says.
    pub(crate) fn link(&self, page: &str, values: &[(&str, &str)]) -> Result<String> {
        if self.config.base_url.is_empty() {
            return Err(Error::Unavailable(
                "This server does not know its own address (FONDACO_URL), so it sends no mail.".into(),
            ));
        }
        let values: Vec<String> =
            values.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        Ok(format!("{}/{page}?{}", self.config.base_url.trim_end_matches('/'), values.join("&")))
    }
}

fn encode(value: &str) -> String {
    value
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// What somebody chose as a name, on one line of a letter.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn letter(locale: &str, en: (&str, String), ru: (&str, String), kk: (&str, String)) -> Letter {
    let (subject, body) = match kernel::spoken(locale) {
        "kk" => kk,
        "ru" => ru,
        _ => en,
    };
    Letter { subject: subject.to_owned(), body }
}

/// The code stands alone on its line, the link on another.
pub(crate) fn registration(locale: &str, code: &str, link: &str) -> Letter {
    letter(
        locale,
        (
            "Confirm your e-mail address",
            format!(
                "Welcome to Fondaco. Your code:\n\n{code}\n\nor open\n\n{link}\n\nIt works for 24 hours. \
                 If you did not register, ignore this letter: without the code nobody can use your address.\n"
            ),
        ),
        (
            "Подтвердите адрес электронной почты",
            format!(
                "Добро пожаловать в Fondaco. Ваш код:\n\n{code}\n\nили откройте\n\n{link}\n\nКод действует 24 часа. \
                 Если вы не регистрировались, не отвечайте на это письмо: без кода вашим адресом никто не воспользуется.\n"
            ),
        ),
        (
            "Электрондық пошта мекенжайын растаңыз",
            format!(
                "Fondaco-ға қош келдіңіз. Кодыңыз:\n\n{code}\n\nнемесе мына сілтемені ашыңыз\n\n{link}\n\nКод 24 сағат жарамды. \
                 Егер сіз тіркелмеген болсаңыз, бұл хатқа көңіл бөлмеңіз: кодсыз мекенжайыңызды ешкім пайдалана алмайды.\n"
            ),
        ),
    )
}

pub(crate) fn known_already(locale: &str, link: &str) -> Letter {
    letter(
        locale,
        (
            "You already have an account",
            format!(
                "Somebody, probably you, tried to register with this address, which has an account already. \
                 To sign in, or to choose a new password, open\n\n{link}\n\nIf it was not you, there is nothing to do.\n"
            ),
        ),
        (
            "У вас уже есть учётная запись",
            format!(
                "Кто-то, вероятно вы, пытался зарегистрироваться с этим адресом, а учётная запись с ним уже есть. \
                 Чтобы войти или выбрать новый пароль, откройте\n\n{link}\n\nЕсли это были не вы, ничего делать не нужно.\n"
            ),
        ),
        (
            "Тіркелгіңіз бұрыннан бар",
            format!(
                "Біреу, сірә өзіңіз, осы мекенжаймен тіркелгісі келді, бірақ онымен ашылған тіркелгі бұрыннан бар. \
                 Кіру немесе жаңа құпиясөз таңдау үшін мына сілтемені ашыңыз\n\n{link}\n\nЕгер бұл сіз болмасаңыз, ештеңе істеудің қажеті жоқ.\n"
            ),
        ),
    )
}

pub(crate) fn reset(locale: &str, link: &str) -> Letter {
    letter(
        locale,
        (
            "Choose a new password",
            format!(
                "To choose a new password, open\n\n{link}\n\nThe link works once, for 30 minutes. If you did not ask for it, ignore this letter.\n"
            ),
        ),
        (
            "Выберите новый пароль",
            format!(
                "Чтобы выбрать новый пароль, откройте\n\n{link}\n\nСсылка действует один раз, 30 минут. Если вы её не запрашивали, не отвечайте на это письмо.\n"
            ),
        ),
        (
            "Жаңа құпиясөз таңдаңыз",
            format!(
                "Жаңа құпиясөз таңдау үшін мына сілтемені ашыңыз\n\n{link}\n\nСілтеме бір рет, 30 минут жарамды. Егер оны сұрамаған болсаңыз, бұл хатқа көңіл бөлмеңіз.\n"
            ),
        ),
    )
}

pub(crate) fn password_changed(locale: &str, link: &str) -> Letter {
    letter(
        locale,
        (
            "Your password was changed",
            format!(
                "Your password was changed and all other sessions were ended. If it was not you, choose a new one at once:\n\n{link}\n"
            ),
        ),
        (
            "Ваш пароль изменён",
            format!(
                "Ваш пароль изменён, остальные сеансы завершены. Если это были не вы, сразу выберите новый:\n\n{link}\n"
            ),
        ),
        (
            "Құпиясөзіңіз өзгертілді",
            format!(
                "Құпиясөзіңіз өзгертілді, қалған сеанстардың бәрі аяқталды. Егер бұл сіз болмасаңыз, бірден жаңасын таңдаңыз:\n\n{link}\n"
            ),
        ),
    )
}

pub(crate) fn new_address(locale: &str, link: &str) -> Letter {
    letter(
        locale,
        (
            "Confirm your new e-mail address",
            format!(
                "To use this address from now on, open\n\n{link}\n\nThe link works once, for 24 hours. If you did not ask for it, ignore this letter.\n"
            ),
        ),
        (
            "Подтвердите новый адрес электронной почты",
            format!(
                "Чтобы пользоваться этим адресом, откройте\n\n{link}\n\nСсылка действует один раз, 24 часа. Если вы её не запрашивали, не отвечайте на это письмо.\n"
            ),
        ),
        (
            "Жаңа электрондық пошта мекенжайын растаңыз",
            format!(
                "Осы мекенжайды пайдалану үшін мына сілтемені ашыңыз\n\n{link}\n\nСілтеме бір рет, 24 сағат жарамды. Егер оны сұрамаған болсаңыз, бұл хатқа көңіл бөлмеңіз.\n"
            ),
        ),
    )
}

pub(crate) fn address_leaves(locale: &str, new: &str, link: &str) -> Letter {
    letter(
        locale,
        (
            "Your e-mail address is about to change",
            format!(
                "Somebody, probably you, asked to change the address of your account to {new}. If it was not you, choose a new password at once:\n\n{link}\n"
            ),
        ),
        (
            "Адрес вашей учётной записи меняется",
            format!(
                "Кто-то, вероятно вы, попросил сменить адрес вашей учётной записи на {new}. Если это были не вы, сразу выберите новый пароль:\n\n{link}\n"
            ),
        ),
        (
            "Тіркелгіңіздің мекенжайы өзгереді",
            format!(
                "Біреу, сірә өзіңіз, тіркелгіңіздің мекенжайын {new} мекенжайына ауыстыруды сұрады. Егер бұл сіз болмасаңыз, бірден жаңа құпиясөз таңдаңыз:\n\n{link}\n"
            ),
        ),
    )
}

pub(crate) fn invitation(locale: &str, by: &str, organization: &str, link: &str) -> Letter {
    let (by, organization) = (one_line(by), one_line(organization));
    letter(
        locale,
        (
            "You are invited",
            format!(
                "{by} invites you to work in {organization}. To accept, open\n\n{link}\n\nThe link works once, for 7 days.\n"
            ),
        ),
        (
            "Вас приглашают",
            format!(
                "{by} приглашает вас работать в компании {organization}. Чтобы принять приглашение, откройте\n\n{link}\n\nСсылка действует один раз, 7 дней.\n"
            ),
        ),
        (
            "Сізді шақырады",
            format!(
                "{by} сізді {organization} компаниясында жұмыс істеуге шақырады. Шақыруды қабылдау үшін мына сілтемені ашыңыз\n\n{link}\n\nСілтеме бір рет, 7 күн жарамды.\n"
            ),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_the_link_stand_alone() {
        let mut subjects = std::collections::BTreeSet::new();
        for locale in kernel::LANGUAGES {
            let Letter { subject, body } = registration(locale, "ABCD2345", "https://x/verify?code=ABCD2345");
            let alone = |line: &str| body.lines().any(|l| l == line);
            assert!(alone("ABCD2345") && alone("https://x/verify?code=ABCD2345"));
            subjects.insert(subject);
        }
        assert_eq!(subjects.len(), kernel::LANGUAGES.len());
        assert_eq!(encode("a+b@x.test"), "a%2Bb%40x.test");
    }
}
