//! The built-in validators, run by `entity.save`. Here because interpreter, native code and import tools must refuse the
//! same records with the same sentences. Must stay true: fields are checked in declared order, types before rules; the
//! first rule that fails is reported; all rules but `required` pass on none.

use flin_bytecode::{Entity, EntityField, EntityTypeId, Rule, TypeDesc};

use crate::fault::{Fault, Res};
use crate::heap::{EntityState, Obj, list_len};
use crate::host::Host;
use crate::machine::Machine;
use crate::semantics::{convert, print, types, unlinking};
use crate::value::{View, Word};

/// Checks all fields; gives the words to be stored (ints widened where a float is declared).
pub(crate) fn check(m: &mut Machine, host: &mut dyn Host, entity: Obj) -> Res<Vec<Word>> {
    let program = m.program.clone();
    let description = &program.module().entities[entity.meta() as usize];
    let mut words = Vec::with_capacity(description.fields.len());
    for (index, field) in description.fields.iter().enumerate() {
        let word = unlinking::as_kept(m, entity, index)?;
        let word = typed(m, description, field, word)?;
        check_field(m, description, field, word)?;
        words.push(word);
    }
    check_immutable(m, host, entity, description, &words)?;
    Ok(words)
}

/// A failed rule.
#[cold]
fn failed(entity: &Entity, field: &EntityField, rule: &str, sentence: String) -> Fault {
    Fault::validation(
        &entity.name,
        &field.name,
        rule,
        format!("{} {sentence}", field.name),
    )
}

/// The value if it is of the declared type.
fn typed(m: &mut Machine, entity: &Entity, field: &EntityField, word: Word) -> Res<Word> {
    if word.is_none() {
        return Ok(word);
    }
    let program = m.program.clone();
    let desc = match &program.module().types[field.ty.index()] {
        TypeDesc::Optional(inner) => &program.module().types[inner.index()],
        desc => desc,
    };
    match (desc, word.view()) {
        (TypeDesc::Float, View::Int(value)) => return m.heap.float_word(value as f64),
        (TypeDesc::Entity(ty), View::Entity(target))
            if target.entity_state() == EntityState::Unsaved && target.meta() == ty.0 =>
        {
            let sentence = format!(
                "is a {} that was not saved yet; save it first",
                types::found(m, word)
            );
            return Err(failed(entity, field, "reference", sentence));
        }
        // A link to a record of the past is one to the record.
        (TypeDesc::Entity(ty), View::Entity(target))
            if target.entity_past().is_some() && target.meta() == ty.0 =>
        {
            let link = m.heap.entity_link(ty.0, target.entity_id())?;
            return Ok(Word::object(link));
        }
        _ => {}
    }
    if types::accepts(m, word, field.ty)? {
        return Ok(word);
    }
    let message = format!(
        "{}.{} should be {}, but it is {}",
        entity.name,
        field.name,
        types::describe(m, field.ty),
        types::found(m, word)
    );
    Err(Fault::field_type(&entity.name, &field.name, message))
}

fn check_field(m: &mut Machine, entity: &Entity, field: &EntityField, word: Word) -> Res<()> {
    let required = field.rules.contains(&Rule::Required);
    if word.is_none() {
        if required || !field.optional {
            return Err(failed(entity, field, "required", "is required".to_owned()));
        }
        return Ok(());
    }
    if required && matches!(word.view(), View::Text(text) if text.meta() == 0) {
        return Err(failed(entity, field, "required", "is required".to_owned()));
    }
    for rule in &field.rules {
        if let Some((name, sentence)) = broken(m, rule, word)? {
            return Err(failed(entity, field, name, sentence));
        }
    }
    Ok(())
}

/// Name and sentence of a rule that the value breaks.
fn broken(m: &mut Machine, rule: &Rule, word: Word) -> Res<Option<(&'static str, String)>> {
    let broken = match rule {
        Rule::Required | Rule::Immutable => None,
        Rule::Min(min) => below(m, word, *min).map(|unit| ("min", at_least(*min, unit))),
        Rule::Max(max) => above(m, word, *max).map(|unit| ("max", at_most(*max, unit))),
        Rule::MinLength(min) => below_length(m, word, f64::from(*min))
            .map(|unit| ("minLength", at_least(f64::from(*min), unit))),
        Rule::MaxLength(max) => above_length(m, word, f64::from(*max))
            .map(|unit| ("maxLength", at_most(f64::from(*max), unit))),
        Rule::Positive => {
            let positive = measure(m, word).is_none_or(|(amount, _)| amount > 0.0);
            (!positive).then(|| ("positive", "must be greater than 0".to_owned()))
        }
        Rule::Email => text_rule(word, is_email, "email", "must be an e-mail address"),
        Rule::Url => text_rule(
            word,
            is_url,
            "url",
            "must be a web address (http:// or https://)",
        ),
        Rule::Pattern(pattern) => pattern_rule(m, word, pattern)?,
        Rule::OneOf(options) => {
            let text = print::to_string(m, word)?;
            (!options.contains(&text))
                .then(|| ("one_of", format!("must be one of {}", options.join(", "))))
        }
    };
    Ok(broken)
}

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Value,
    Characters,
    Elements,
}

/// Numbers by value, texts and lists by length.
fn measure(m: &Machine, word: Word) -> Option<(f64, Unit)> {
    match word.view() {
        View::Int(value) => Some((value as f64, Unit::Value)),
        View::Float(value) => Some((value, Unit::Value)),
        View::Duration(ms) => Some((ms as f64, Unit::Value)),
        View::Text(text) => Some((m.heap.text_len(text) as f64, Unit::Characters)),
        View::List(list) => Some((list_len(list) as f64, Unit::Elements)),
        _ => None,
    }
}

fn below(m: &Machine, word: Word, min: f64) -> Option<Unit> {
    let (amount, unit) = measure(m, word)?;
    // NaN is within no limits.
    (amount < min || amount.is_nan()).then_some(unit)
}

fn above(m: &Machine, word: Word, max: f64) -> Option<Unit> {
    let (amount, unit) = measure(m, word)?;
    (amount > max || amount.is_nan()).then_some(unit)
}

fn below_length(m: &Machine, word: Word, min: f64) -> Option<Unit> {
    below(m, word, min).filter(|unit| *unit != Unit::Value)
}

fn above_length(m: &Machine, word: Word, max: f64) -> Option<Unit> {
    above(m, word, max).filter(|unit| *unit != Unit::Value)
}

fn number(value: f64) -> String {
    let text = print::float_string(value);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn at_least(min: f64, unit: Unit) -> String {
    limit("at least", min, unit)
}

fn at_most(max: f64, unit: Unit) -> String {
    limit("at most", max, unit)
}

fn limit(words: &str, amount: f64, unit: Unit) -> String {
    let n = number(amount);
    let s = if amount == 1.0 { "" } else { "s" };
    match unit {
        Unit::Value => format!("must be {words} {n}"),
        Unit::Characters => format!("must be {words} {n} character{s} long"),
        Unit::Elements => format!("must have {words} {n} element{s}"),
    }
}

fn text_rule(
    word: Word,
    holds: fn(&str) -> bool,
    name: &'static str,
    sentence: &str,
) -> Option<(&'static str, String)> {
    match word.view() {
        View::Text(text) if holds(text.text().unwrap_or_default()) => None,
        _ => Some((name, sentence.to_owned())),
    }
}

fn pattern_rule(m: &Machine, word: Word, pattern: &str) -> Res<Option<(&'static str, String)>> {
    let Some(expression) = m.program.pattern(pattern) else {
        return Err(Fault::new(
            crate::trap::ErrorKind::ArgumentError,
            format!("the pattern {pattern} is no valid regular expression"),
        ));
    };
    let holds = match word.view() {
        View::Text(text) => expression.is_match(text.text().unwrap_or_default()),
        _ => false,
    };
    Ok((!holds).then(|| ("pattern", "does not have the right form".to_owned())))
}

/// Whether a text looks like an e-mail address: one `@`, something before it, a domain with a dot after it.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    local_fits && domain.contains('.') && is_domain(domain)
}

fn is_domain(domain: &str) -> bool {
    let label_fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    domain.len() <= 253 && domain.split('.').all(label_fits)
}

/// Whether a text looks like a web address: `http` or `https`, a host, no blanks.
pub(crate) fn is_url(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let Some(rest) = lower
        .strip_prefix("http://")
        .or_else(|| lower.strip_prefix("https://"))
    else {
        return false;
    };
    if rest
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c))
    {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_port = authority.rsplit('@').next().unwrap_or_default();
    if let Some(inside) = host_port.strip_prefix('[') {
        return inside.split_once(']').is_some_and(|(address, port)| {
            address.parse::<std::net::Ipv6Addr>().is_ok()
                && (port.is_empty() || is_port(port.trim_start_matches(':')))
        });
    }
    match host_port.split_once(':') {
        Some((host, port)) => is_domain(host) && is_port(port),
        None => is_domain(host_port),
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// `@immutable`: compared with what is stored.
fn check_immutable(
    m: &mut Machine,
    host: &mut dyn Host,
    entity: Obj,
    description: &Entity,
    words: &[Word],
) -> Res<()> {
    let any = description
        .fields
        .iter()
        .any(|field| field.rules.contains(&Rule::Immutable));
    if !any || entity.entity_state() != EntityState::Loaded {
        return Ok(());
    }
    let stored = host
        .entity_get(EntityTypeId(entity.meta()), entity.entity_id())
        .map_err(Fault::host)?;
    let Some(stored) = stored else {
        return Ok(());
    };
    for ((field, word), old) in description.fields.iter().zip(words).zip(&stored.fields) {
        if field.rules.contains(&Rule::Immutable) && convert::export_field(m, *word)? != *old {
            return Err(failed(
                description,
                field,
                "immutable",
                "cannot be changed once it is saved".to_owned(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b.co", "first.last+tag@sub.example.org", "ü@exämple.de"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "", "a", "a@b", "@b.co", "a@", "a b@c.de", "a@b..de", "a@-b.de", "a@b@c.de", ".a@b.de",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        for good in [
            "http://example.org",
            "https://a.b/c?d=e#f",
            "HTTP://localhost:3000/",
            "http://[::1]:80/",
            "http://1.2.3.4",
        ] {
            assert!(is_url(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "javascript:alert(1)",
            "http://",
            "http:///x",
            "http://a b",
            "ftp://a.b",
            "http://a.b:0/",
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }

    #[test]
    fn sentences() {
        assert_eq!(
            at_least(3.0, Unit::Characters),
            "must be at least 3 characters long"
        );
        assert_eq!(
            at_least(1.0, Unit::Characters),
            "must be at least 1 character long"
        );
        assert_eq!(at_most(2.5, Unit::Value), "must be at most 2.5");
        assert_eq!(at_most(2.0, Unit::Elements), "must have at most 2 elements");
    }
}
