//! Texts that spell something: numbers, e-mail addresses, web addresses. Here because conversion, the `is_…` functions
//! and validators must agree. Must stay true: what `is_numeric` accepts, `to_float` converts.

use super::{LibCall, Ret, str_of};
use crate::fault::Res;
use crate::value::Word;

/// The int that a text spells, white space around it allowed.
pub(super) fn int(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// The float that a text spells in decimal form, white space around it allowed.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    let decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    if decimal { text.parse().ok() } else { None }
}

pub(super) fn is_numeric(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(float(str_of(&call.text(0)?)).is_some()))
}

pub(super) fn text_to_int(call: &mut LibCall<'_>) -> Res<Ret> {
    match int(str_of(&call.text(0)?)) {
        Some(value) => call.m.heap.int_word(value).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

pub(super) fn text_to_float(call: &mut LibCall<'_>) -> Res<Ret> {
    match float(str_of(&call.text(0)?)) {
        Some(value) => call.m.heap.float_word(value).map(Ret::Any),
        None => Ok(Ret::Any(Word::none())),
    }
}

pub(super) fn is_email(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(looks_like_email(str_of(&call.text(0)?))))
}

pub(super) fn is_url(call: &mut LibCall<'_>) -> Res<Ret> {
    Ok(Ret::Bool(looks_like_url(str_of(&call.text(0)?))))
}

/// Whether a text has the form of an e-mail address (`name@host.domain`).
pub(crate) fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_fits = (1..=64).contains(&local.len())
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(is_local_character));
    local_fits && text.len() <= 254 && domain.contains('.') && is_host_name(domain)
}

fn is_local_character(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

/// Labels of letters, digits and inner hyphens, with dots between.
fn is_host_name(host: &str) -> bool {
    host.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    })
}

/// Whether a text has the form of an absolute http or https address.
pub(crate) fn looks_like_url(text: &str) -> bool {
    let after = |scheme: &str| {
        let start = text.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    };
    let Some(rest) = after("https://").or_else(|| after("http://")) else { return false };
    if rest.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}".contains(c)) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(inner) = host_port.strip_prefix('[') {
        let Some((address, port)) = inner.split_once(']') else { return false };
        return address.parse::<std::net::Ipv6Addr>().is_ok() && is_port(port.strip_prefix(':'), port.is_empty());
    }
    match host_port.split_once(':') {
        Some((host, port)) => is_host_name(host) && is_port(Some(port), false),
        None => is_host_name(host_port),
    }
}

fn is_port(port: Option<&str>, absent: bool) -> bool {
    match port {
        None => absent,
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, value) in [("42", Some(42)), (" -7 ", Some(-7)), ("+5", Some(5)), ("", None), ("4.5", None), ("9223372036854775808", None)] {
            assert_eq!(int(text), value, "{text}");
        }
        for (text, value) in
            [("2.5", Some(2.5)), ("1e3", Some(1000.0)), (" .5 ", Some(0.5)), ("inf", None), ("NaN", None), ("1,5", None), ("-", None), ("e", None)]
        {
            assert_eq!(float(text), value, "{text}");
        }
    }

    #[test]
    fn addresses() {
        for good in ["ada@example.com", "a.b+c@x-y.org", "ü@bücher.de"] {
            assert!(looks_like_email(good), "{good}");
        }
        for bad in ["", "a", "a@", "@b.c", "a@b", "a b@c.de", "a@b..c", ".a@b.c", "a@-b.c", "a@b@c.de "] {
            assert!(!looks_like_email(bad), "{bad}");
        }
        for good in ["http://a.b", "https://localhost:8080/x?y#z", "HTTPS://user@host/", "http://[::1]:3000/"] {
            assert!(looks_like_url(good), "{good}");
        }
        for bad in ["", "ftp://a.b", "http://", "http:///x", "https://a b", "javascript:alert(1)", "http://a:99999", "http://[::g]/", "http://a:"] {
            assert!(!looks_like_url(bad), "{bad}");
        }
    }
}
