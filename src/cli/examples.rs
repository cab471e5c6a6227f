//! Examples of the reference that are more than one line. Each is run by a test of this file.

/// The system that speaks XML.
const XML_SYSTEM: &str = include_str!("examples/xml.yaml");
/// A record of it.
const XML_RECORD: &str = r#"{"code":"A-1","price":12.50,"currency":"EUR","active":true,"since":"2026-11-02","tags":[{"name":"käsi"},{"name":"R & D"}]}"#;
/// The record as it is sent.
const XML_DOCUMENT: &str = "<root><product><base><code>A-1</code><unitprice type=\"net\" currency=\"EUR\">12,50</unitprice>\
<isactive>1</isactive><since format=\"ansi\">2026-11-02</since></base>\
<tags><tag><name>käsi</name></tag><tag><name>R &amp; D</name></tag></tags></product></root>";

/// What XML bodies are, with an example.
pub(super) fn xml() -> String {
    include_str!("examples/xml.md")
        .replace("{yaml}", XML_SYSTEM)
        .replace("{record}", XML_RECORD)
        .replace("{xml}", XML_DOCUMENT)
}

/// What signed requests are, with an example.
pub(super) fn signature() -> String {
    include_str!("examples/signature.md").replace("{yaml}", include_str!("examples/signature.yaml"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::{Diagnostics, Format, Sources, render};
    use crate::program::system::{CallKind, Lookup, System};
    use crate::program::system_compile::compile_system;
    use crate::spec::load::load_system;
    use crate::value::{Value, from_json_str};
    use crate::wire::{self, LookupProblem, Lookups};

    struct Nothing;

    impl Lookups for Nothing {
        fn by_key(&self, _: &str, _: &str) -> Option<Value> {
            None
        }

        fn find(&self, _: &Lookup, _: &Value) -> Result<String, LookupProblem> {
            Err(LookupProblem::None)
        }
    }

    fn system(name: &str) -> System {
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        let path = Path::new("src/cli/examples").join(name);
        let system = load_system(&mut sources, &path, &mut found)
            .and_then(|system| compile_system(&system, &sources, &mut found));
        let text = render(&found, &sources, Format::Human { color: false });
        system.filter(|_| text.is_empty()).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_known_answer_comes_out() {
        // computed when the file is checked; another one would be a finding
        let system = system("signature.yaml");
        assert!(matches!(system.auth, crate::program::system::Auth::Signature(_)));
    }

    #[test]
    fn the_record_is_sent_and_read_as_the_reference_says() {
        let system = system("xml.yaml");
        let product = &system.resources["product"];
        let record = from_json_str(XML_RECORD).unwrap();
        let writes = wire::plan_create(&system, product, &record).unwrap();
        let sent = wire::encode(&system, product, &writes[0], &Value::Null, &Nothing).unwrap();
        let encoding = system.encoding_of("product", CallKind::Create);
        let bytes = encoding.write(&sent.body.unwrap()).unwrap();
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(text, XML_DOCUMENT);
        let back = encoding.read(&bytes, Some("text/xml; charset=ISO-8859-1")).unwrap();
        let read = wire::decode(&system, product, None, back.get("product").unwrap(), &Nothing).unwrap();
        assert_eq!(read, record);
        // names in any case, an attribute that is not there, one tag alone, a date in the other form, an amount with a point
        let other = "<Root><Product><Base><Code>A-1</Code><UnitPrice>12.5</UnitPrice><IsActive>True</IsActive>\
<Since>2.11.2026</Since></Base><Tags><Tag><Name>R</Name></Tag></Tags></Product></Root>";
        let back = encoding.read(other.as_bytes(), None).unwrap();
        let read = wire::decode(&system, product, None, back.get("product").unwrap(), &Nothing).unwrap();
        assert_eq!(
            read.to_json(),
            r#"{"code":"A-1","price":12.5,"active":true,"since":"2026-11-02","tags":[{"name":"R"}]}"#
        );
    }
}
