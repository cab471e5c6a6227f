use super::*;
use crate::value::from_json_str;

fn read(text: &str) -> Result<String, String> {
    from_xml(text.as_bytes(), None, &XmlForm::default()).map(|value| value.to_json())
}

fn write(json: &str, form: &XmlForm) -> Result<String, String> {
    to_xml(&from_json_str(json).unwrap(), form)
        .map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect())
}

#[test]
fn elements_attributes_repetition_and_emptiness() {
    assert_eq!(
        read(concat!(
            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<!-- x --><a xmlns=\"urn:x\">\n",
            "  <b>1</b><c type=\"net\" n='2'>5,00</c>\n <b> 2 </b><d/><e></e><f g=\"1\"/><h>  </h></a>\n"
        ))
        .unwrap(),
        r#"{"a":{"b":["1"," 2 "],"c":{"@type":"net","@n":"2","$text":"5,00"},"d":null,"e":null,"f":{"@g":"1"},"h":null}}"#
    );
}

#[test]
fn texts_come_as_they_were_meant() {
    assert_eq!(
        read("<a>A &amp; B &lt;&#228;&#x20AC;&gt;<![CDATA[ <&x;> ]]>\r\nnext&#13;</a>").unwrap(),
        "{\"a\":\"A & B <ä€> <&x;> \\nnext\\r\"}"
    );
    assert_eq!(read("<a b=\"1 &amp;&#10;2\n3\"/>").unwrap(), "{\"a\":{\"@b\":\"1 &\\n2 3\"}}");
}

#[test]
fn nothing_is_expanded() {
    for (text, problem) in [
        (
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
            "it has a DOCTYPE, which is refused",
        ),
        ("<!DOCTYPE html><html></html>", "it has a DOCTYPE, which is refused"),
        ("<a>&lol;</a>", "it uses the entity &lol;, and no entity is expanded but those of XML itself"),
    ] {
        assert_eq!(read(text).unwrap_err(), problem);
    }
    // in an attribute the library itself refuses it
    assert!(read("<a b=\"&lol;\"/>").is_err());
}

#[test]
fn depth_and_number_are_capped() {
    let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert!(read(&deep(DEEPEST)).is_ok());
    assert_eq!(read(&deep(DEEPEST + 1)).unwrap_err(), "it has more than 64 elements inside each other");
    let many = format!("<a>{}</a>", "<b/>".repeat(MOST_NODES));
    assert_eq!(read(&many).unwrap_err(), "it has more than 2000000 elements and attributes");
}

#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        "  ",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "</a>",
        "<a b=\"1\" b=\"2\"/>",
        "<a b=1/>",
        "<a><$text>x</$text></a>",
        "<a><@type>x</@type></a>",
        "<a $text=\"x\"/>",
        "<1a/>",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn the_root_is_taken_off_and_names_become_lower_case() {
    let form = XmlForm { root: Some("root".into()), lower: true, ..XmlForm::default() };
    let read = |text: &str| from_xml(text.as_bytes(), None, &form).map(|value| value.to_json());
    assert_eq!(
        read(
            "<Root><Customerlist><Customer Type=\"X\"><LedgerKey>1</LedgerKey></Customer></Customerlist></Root>"
        ),
        Ok(r#"{"customerlist":{"customer":{"@type":"X","ledgerkey":"1"}}}"#.to_owned())
    );
    assert_eq!(read("<html/>"), Err("its root element is <html>, <root> is wanted".to_owned()));
    assert_eq!(read("<Root/>"), Ok("null".to_owned()));
}

#[test]
fn a_document_is_read_in_the_set_it_declares() {
    let text =
        |bytes: &[u8], told: Option<&str>| from_xml(bytes, told, &XmlForm::default()).map(|v| v.to_json());
    let latin9 = b"<?xml version='1.0' encoding='ISO-8859-15'?><a>\xe4\xa4</a>";
    assert_eq!(text(latin9, None).unwrap(), r#"{"a":"ä€"}"#);
    assert_eq!(text(b"<a>\xe4</a>", Some("iso-8859-1")).unwrap(), r#"{"a":"ä"}"#);
    assert_eq!(text(b"<a>\xe4</a>", None).unwrap_err(), "some of its bytes are no text in UTF-8");
    let utf16: Vec<u8> = "\u{feff}<a>ä</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(text(&utf16, None).unwrap(), r#"{"a":"ä"}"#);
}

#[test]
fn a_value_becomes_a_document_in_its_own_order() {
    let form = XmlForm { root: Some("root".into()), ..XmlForm::default() };
    let json = r#"{"customer":{"name":"A & <B>","country":{"$text":"FI","@type":"ISO-3166"},"note":null,"price":10.50,"active":true,"lines":{"line":[{"n":1},{"n":2}]},"none":[]}}"#;
    let xml = "<root><customer><name>A &amp; &lt;B&gt;</name><country type=\"ISO-3166\">FI</country><note/><price>10.50</price><active>true</active><lines><line><n>1</n></line><line><n>2</n></line></lines></customer></root>";
    assert_eq!(write(json, &form).unwrap(), xml);
    let back = from_xml(xml.as_bytes(), None, &form).unwrap().to_json();
    assert_eq!(
        back,
        r#"{"customer":{"name":"A & <B>","country":{"@type":"ISO-3166","$text":"FI"},"note":null,"price":"10.50","active":"true","lines":{"line":[{"n":"1"},{"n":"2"}]}}}"#
    );
}

#[test]
fn a_character_that_a_set_lacks_is_written_by_its_number() {
    let form = |charset| XmlForm { charset, declaration: true, ..XmlForm::default() };
    assert_eq!(
        write(r#"{"a":"ä €"}"#, &form(Charset::Latin1)).unwrap(),
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<a>\u{e4} &#8364;</a>"
    );
    for charset in [Charset::Utf8, Charset::Latin1, Charset::Latin9] {
        let value = from_json_str(r#"{"a":{"@b":"ä\n€","$text":"日本 ¤\r\n\t€"}}"#).unwrap();
        let bytes = to_xml(&value, &form(charset)).unwrap();
        assert_eq!(from_xml(&bytes, None, &form(charset)).unwrap(), value, "{charset:?}");
    }
}

#[test]
fn what_xml_cannot_hold_is_not_sent() {
    let form = XmlForm::default();
    assert_eq!(
        write(r#"{"a b":1}"#, &form).unwrap_err(),
        "\"a b\" cannot be the name of an element or an attribute"
    );
    assert_eq!(
        write(r#"{"a":"x\u0001"}"#, &form).unwrap_err(),
        "a text holds U+0001, a character that XML cannot hold"
    );
    assert_eq!(
        write(r#"{"a":1,"b":2}"#, &form).unwrap_err(),
        "an XML body is one element: it needs a root or an envelope"
    );
    assert_eq!(
        write(r#"{"a":[[1]]}"#, &form).unwrap_err(),
        "<a> is the root element and cannot stand more than once"
    );
    assert_eq!(
        write(r#"{"r":{"a":[[1]]}}"#, &form).unwrap_err(),
        "<a> is a list of lists, which XML does not have"
    );
}
