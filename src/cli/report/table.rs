//! A report as a table: for a terminal, for a spreadsheet, for a browser.

use std::fmt::Write;

use minijinja::{Environment, context};

use crate::cli::show::clean;
use crate::value::Decimal;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) enum Cell {
    /// Text, possibly from a system: nothing in it is trusted.
    Text(String),
    /// An exact number, or none.
    Number(Option<Decimal>),
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Cell::Text(text) => clean(text),
            Cell::Number(number) => number.map(|number| number.to_string()).unwrap_or_default(),
        }
    }
}

/// Titles and rows.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Table {
    pub title: String,
    /// When it was made, for people.
    pub made: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// For a terminal: numbers to the right.
    pub(in crate::cli) fn text(&self) -> String {
        let mut widths: Vec<usize> = self.columns.iter().map(|title| title.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.shown().chars().count());
            }
        }
        let mut out = String::new();
        let titles: Vec<String> =
            self.columns.iter().zip(&widths).map(|(title, width)| format!("{title:width$}")).collect();
        let _ = writeln!(out, "{}", titles.join("  ").trim_end());
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| match cell {
                    Cell::Text(_) => format!("{:width$}", cell.shown()),
                    Cell::Number(_) => format!("{:>width$}", cell.shown()),
                })
                .collect();
            let _ = writeln!(out, "{}", cells.join("  ").trim_end());
        }
        out
    }

    /// For a spreadsheet (RFC 4180). Text that a spreadsheet would take for a formula begins with an apostrophe, as OWASP
    /// advises; numbers are plain, so that a negative amount stays one.
    pub(super) fn csv(&self) -> String {
        let mut out = String::new();
        let titles: Vec<String> = self.columns.iter().map(|title| csv_text(title)).collect();
        let _ = write!(out, "{}\r\n", titles.join(","));
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| match cell {
                    Cell::Text(text) => csv_text(text),
                    Cell::Number(_) => cell.shown(),
                })
                .collect();
            let _ = write!(out, "{}\r\n", cells.join(","));
        }
        out
    }

    /// One page that needs nothing else. The name of the template makes the engine escape every value.
    ///
    /// # Errors
    /// The template engine's own.
    pub(super) fn html(&self) -> Result<String, String> {
        let mut environment = Environment::new();
        environment.add_template("table.html", include_str!("table.html")).map_err(|e| e.to_string())?;
        let rows: Vec<Vec<minijinja::Value>> = self
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| context! { text => cell.shown(), number => matches!(cell, Cell::Number(_)) })
                    .collect()
            })
            .collect();
        let values =
            context! { title => &self.title, made => &self.made, columns => &self.columns, rows => rows };
        environment
            .get_template("table.html")
            .and_then(|template| template.render(values))
            .map_err(|e| e.to_string())
    }
}

fn csv_text(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_decimal;

    fn table(cells: Vec<Cell>) -> Table {
        let columns = cells.iter().map(|_| "c".to_owned()).collect();
        Table { title: "T".into(), made: "now".into(), columns, rows: vec![cells] }
    }

    #[test]
    fn no_text_becomes_a_formula_and_a_negative_number_stays_one() {
        for (text, wanted) in [
            ("=1+1", "'=1+1"),
            ("+47 1", "'+47 1"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\0x", "'\0x"),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("a=b", "a=b"),
            ("to\nlines", "\"to\nlines\""),
        ] {
            let csv = table(vec![Cell::Text(text.into())]).csv();
            assert_eq!(csv, format!("c\r\n{wanted}\r\n"), "{text:?}");
        }
        let amount = parse_decimal("-125.00").unwrap();
        assert_eq!(table(vec![Cell::Number(Some(amount)), Cell::Number(None)]).csv(), "c,c\r\n-125.00,\r\n");
    }

    #[test]
    fn html_escapes_every_value() {
        let page = table(vec![Cell::Text("<script>alert('x')</script> & \"y\"".into())]).html().unwrap();
        assert!(!page.contains("<script>"), "{page}");
        assert!(
            page.contains("&lt;script&gt;alert(&#x27;x&#x27;)&lt;&#x2f;script&gt; &amp; &quot;y&quot;"),
            "{page}"
        );
    }
}
