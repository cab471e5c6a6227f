//! Servers of every kind, with any number of records and any silent cap, are read whole and in order.

use proptest::prelude::*;

use super::*;
use crate::http::types::WireResponse;
use crate::http::verdict::{Verdict, judge};
use crate::program::system::Auth;

/// A server with records 0, 1, 2 …
#[derive(Clone, Debug)]
struct Server {
    records: usize,
    /// The most it gives in one page, whatever is asked for.
    cap: usize,
    tells_total: bool,
    tells_cap: bool,
    kind: usize,
}

impl Server {
    fn pager(&self, asked: u32) -> Pager {
        let kind = match self.kind {
            0 => Paging::NextToken { param: "token".into(), header: None, body: Some(query("next")) },
            1 => Paging::Offset { param: "from".into(), first: 0 },
            2 => Paging::Page { param: "page".into(), first: 1 },
            _ => Paging::Range { unit: "records".into(), size: asked },
        };
        Pager {
            kind,
            size: (self.kind != 3).then(|| ("size".into(), asked)),
            records: Some(path("rows")),
            total: Some(query("total")),
            total_header: None,
            pages: None,
            capped: Some(query("cap")),
        }
    }

    fn answer(&self, request: &Outgoing) -> WireResponse {
        let number = |name: &str| {
            request
                .query
                .iter()
                .find(|(key, _)| key == name)
                .and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let range = request.headers.iter().find(|(name, _)| name == "range").map(|(_, value)| {
            let (from, to) = value.strip_prefix("records=").unwrap().split_once('-').unwrap();
            (from.parse::<usize>().unwrap(), to.parse::<usize>().unwrap())
        });
        let size = range.map_or_else(|| number("size").unwrap(), |(from, to)| to - from + 1).min(self.cap);
        let from = match self.kind {
            0 => number("token").unwrap_or(0),
            1 => number("from").unwrap(),
            2 => (number("page").unwrap() - 1) * size,
            _ => range.unwrap().0,
        };
        let to = (from + size).min(self.records);
        if self.kind == 3 && from >= self.records {
            return with(416, &[], "").unwrap();
        }
        let rows: Vec<String> = (from..to).map(|n| n.to_string()).collect();
        let mut body = format!("{{\"rows\":[{}]", rows.join(","));
        if self.tells_total && self.kind != 3 {
            body += &format!(",\"total\":{}", self.records);
        }
        if self.tells_cap {
            body += &format!(",\"cap\":{size}");
        }
        if self.kind == 0 && to < self.records {
            body += &format!(",\"next\":\"{to}\"");
        }
        let total = if self.tells_total { self.records.to_string() } else { "*".into() };
        let range = format!("records {from}-{}/{total}", to.saturating_sub(1));
        let headers: &[(&str, &str)] = if self.kind == 3 { &[("content-range", &range)] } else { &[] };
        with(if self.kind == 3 { 206 } else { 200 }, headers, &(body + "}")).unwrap()
    }
}

proptest! {
    #[test]
    fn is_read_whole(
        records in 0_usize..80,
        cap in 1_usize..15,
        asked in 1_u32..20,
        tells_total: bool,
        tells_cap: bool,
        kind in 0_usize..4,
    ) {
        let server = Server { records, cap, tells_total, tells_cap, kind };
        let system = crate::http::testing::shop(Auth::None, resource("customer"));
        let first = crate::http::testing::call("GET", "/x", CallKind::List, None);
        let mut walk = Walk::new(first, server.pager(asked), false, false);
        let mut came = Vec::new();
        let mut requests = 0;
        while let Some(request) = walk.next_request() {
            requests += 1;
            prop_assert!(requests < 200);
            let Verdict::Done(reply) = judge(&system, &request, Ok(server.answer(&request))) else { panic!() };
            came.extend(walk.accept(reply, &|_, _| unreachable!()).unwrap().records);
        }
        let wanted: Vec<Value> = (0..records as i64).map(Value::from).collect();
        prop_assert_eq!(came, wanted);
        prop_assert_eq!(walk.problem(), None);
        let fewest = records.div_ceil(cap.min(asked as usize)).max(1);
        // without a total one more request finds the end
        prop_assert!(requests <= fewest + usize::from(!tells_total && kind != 0), "{} for {}", requests, fewest);
    }
}
