//! What a type of field needs to know beside choices.

use kernel::{Actor, Entity, Error, Kind, Result};
use serde_json::Value;

/// # Errors
/// Malformed, at `settings`: what the type does not know, or cannot be.
pub(crate) fn check(actor: &Actor, entity: &Entity, kind: Kind, settings: &Value) -> Result<()> {
    match kind {
        Kind::Autonumber => autonumber(settings),
        Kind::Button => button(actor, entity, settings),
        _ => Ok(()),
    }
}

fn wrong(message: &str) -> Result<()> {
    Err(Error::malformed_at("settings", message))
}

fn known(settings: &Value, names: &[&str]) -> bool {
    settings.as_object().is_some_and(|s| s.keys().all(|k| names.contains(&k.as_str())))
}

/// `V-0007`: what stands before the number, how many digits it has at least, where it starts.
fn autonumber(settings: &Value) -> Result<()> {
    let whole = |name: &str, most: u64| {
        settings[name].is_null() || settings[name].as_u64().is_some_and(|n| n <= most)
    };
    let prefix = &settings["prefix"];
    let short = prefix.is_null() || prefix.as_str().is_some_and(|p| p.chars().count() <= 20);
    if known(settings, &["prefix", "digits", "start"])
        && short
        && whole("digits", 12)
        && whole("start", 1_000_000_000)
    {
        return Ok(());
    }
    wrong("A number has a prefix of at most 20 characters, at most 12 digits, and a start.")
}

/// What is written on it, and what it does: `url`, a web address with {{field}} in it, or `action`, a move of the record.
fn button(actor: &Actor, entity: &Entity, settings: &Value) -> Result<()> {
    if !known(settings, &["label", "url", "action"]) {
        return wrong("A button has a label, and a url or an action.");
    }
    let label = &settings["label"];
    if !label.is_null() && label.as_str().is_none_or(|l| l.chars().count() > 40) {
        return wrong("A button says at most 40 characters.");
    }
    match (settings["url"].as_str(), settings["action"].as_str()) {
        (Some(url), None) => {
            if url.len() > 2_000 || !(url.starts_with("https://") || url.starts_with("http://")) {
                return wrong("A web address starts with http:// or https://.");
            }
            for name in url.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or_default().trim())
            {
                let own = name.strip_prefix("cf.").and_then(|own| actor.overlay.field(&entity.name, own));
                if own.is_none() && entity.column(name).is_none_or(|c| c.kind == Kind::Hidden) {
                    return wrong(&format!("There is no field {name}."));
                }
            }
            Ok(())
        }
        (None, Some(action)) if entity.transitions.iter().any(|t| t.action == action && action != "auto") => {
            Ok(())
        }
        (None, Some(action)) => wrong(&format!("There is no move {action}.")),
        _ => wrong("A button opens a web address or makes a move of the record."),
    }
}
