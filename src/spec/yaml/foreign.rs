//! YAML that others wrote: read as plain data, without places and without this project's rules of style.

/// Reads somebody else's document, YAML or JSON.
///
/// # Errors
/// What is wrong with it, in the words of the reader.
pub fn foreign(text: &str) -> Result<serde_json::Value, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    // a description of an API is far larger than a file of ours; what repeats itself stays limited
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! { max_nodes: 4_000_000, max_events: 8_000_000, max_total_scalar_bytes: 64 * 1024 * 1024 },
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_keys_are_texts() {
        let value =
            foreign("responses:\n  200: { description: ok }\nversion: 1.0\nwhen: 2026-01-01\n").unwrap();
        assert_eq!(value["responses"]["200"]["description"], "ok");
        assert_eq!(value["when"], "2026-01-01");
    }

    #[test]
    fn what_is_no_yaml_is_said() {
        assert!(foreign("a: [1, 2").is_err());
        assert!(foreign("{\"a\": ").unwrap_err().contains("line 1"));
    }
}
