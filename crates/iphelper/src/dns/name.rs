use crate::error::{Error, ErrorKind, Result};

/// A name has at most this many characters (RFC 1035, 2.3.4, as text).
const LONGEST: usize = 253;
const LONGEST_LABEL: usize = 63;

/// The domain name that `text` is, without a dot at its end.
///
/// Labels have 1 to 63 characters: letters, digits, `-` and `_`, the hyphen neither first nor last. Letters beyond ASCII
/// come as their ASCII form (`xn--...`); what is written here ends up in files and messages of others, which expect that.
///
/// - Errors: [`InvalidParameter`](crate::ErrorKind::InvalidParameter)
///
/// ```
/// use iphelper::dns::check_domain_name;
/// assert_eq!(check_domain_name("corp.example.")?, "corp.example");
/// assert!(check_domain_name("two words").is_err());
/// # Ok::<(), iphelper::Error>(())
/// ```
pub fn check_domain_name(text: &str) -> Result<&str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(is_allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= LONGEST && name.split('.').all(is_label) {
        return Ok(name);
    }
    let mut shown: String = text.chars().take(LONGEST).collect();
    shown = shown.escape_debug().to_string();
    Err(Error::new(ErrorKind::InvalidParameter, "reading a domain name")
        .because(format!("\"{shown}\" is no domain name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_labels_are_domain_names() {
        let long = format!("{}.{}", "a".repeat(63), "b.".repeat(95));
        for good in ["a", "corp.example", "_tcp.x", "1.2", "xn--bcher-kva.example", &long, "a."] {
            let _ = check_domain_name(good).unwrap();
        }
        let longer = format!("b.{long}");
        let label = "a".repeat(64);
        for bad in
            ["", ".", "a..b", ".a", "-a", "a-", "a b", "a\nnameserver 1", "bücher.example", &longer, &label]
        {
            assert_eq!(check_domain_name(bad).unwrap_err().kind(), ErrorKind::InvalidParameter, "{bad}");
        }
    }
}
