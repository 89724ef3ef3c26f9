//! What somebody may have meant who mistyped.

/// The candidate that is at most two mistakes away from `text`, one in a short word, none but its case in two letters; a
/// swap of neighbours is one.
pub(crate) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = match text.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    let mistakes =
        |candidate: &&str| strsim::damerau_levenshtein(&text.to_lowercase(), &candidate.to_lowercase());
    let nearest = candidates.into_iter().min_by_key(mistakes)?;
    (mistakes(&nearest) <= most).then_some(nearest)
}

/// What to say to a word that is none of these.
pub(crate) fn advice(text: &str, what: &str, all: &[&str]) -> String {
    let list = match all {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.join(", "),
    };
    match nearest(text, all.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest}? The {what} are {list}"),
        None => format!("the {what} are {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_two_mistakes_are_forgiven() {
        let names = ["lo", "eth0", "wlp2s0", "br-dmz"];
        for (text, meant) in [
            ("eht0", Some("eth0")),
            ("eth9", Some("eth0")),
            ("Eth0", Some("eth0")),
            ("wlp2s", Some("wlp2s0")),
            ("wpl2s1", Some("wlp2s0")),
            ("brdmz", Some("br-dmz")),
            ("te0", None),
            ("LO", Some("lo")),
            ("l0", None),
            ("x", None),
            ("", None),
            ("ppp0", None),
        ] {
            assert_eq!(nearest(text, names), meant, "{text}");
        }
        assert_eq!(nearest("eth0", []), None);
    }

    #[test]
    fn advice_names_everything() {
        assert_eq!(advice("v4", "families", &["ipv4", "ipv6"]), "the families are ipv4 and ipv6");
        assert_eq!(advice("ivp4", "families", &["ipv4"]), "did you mean ipv4? The families are ipv4");
    }
}
