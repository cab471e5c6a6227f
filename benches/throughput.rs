//! What the engine costs beside the loop that somebody would write by hand: the same records from the same system to the same
//! other one, one after the other in the same run. By hand: reqwest and serde_json, no state, no journal, nothing is linked.
//!
//! `cargo bench --bench throughput`. A ratio of 1.00 is as fast as by hand. `MAPENGINE` names another binary.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{command, describe, serve};
use futures_util::StreamExt;
use serde_json::{Value, json};

/// How long an answer takes, how many requests are under way at once, and how many records travel.
const ROUNDS: [(u64, u32, u64); 6] =
    [(20, 1, 150), (20, 8, 1_200), (20, 32, 4_800), (0, 1, 4_800), (0, 8, 4_800), (0, 32, 4_800)];
/// The page size of the system file.
const PAGE: usize = 500;

/// Reads all records of one system and posts each to the other.
async fn by_hand(source: &str, target: &str, at_once: usize) -> u64 {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut made = 0;
    for page in 0.. {
        let url = format!("http://{source}/customers?page={page}&size={PAGE}");
        let answer = client.get(url).header("x-key", "a").send().await.expect("an answer");
        let records: Vec<Value> =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("a list");
        let last = records.len() < PAGE;
        let posts = records.into_iter().map(|record| {
            let body = json!({
                "number": record["number"], "name": record["name"], "email": record["email"],
                "phone": record["phone"], "vat": record["vat"], "active": record["active"],
                "limit": record["limit"], "street": record["street"], "city": record["city"],
                "country": record["country"], "note": record["note"],
            });
            let request = client
                .post(format!("http://{target}/customers"))
                .header("x-key", "a")
                .header("content-type", "application/json")
                .body(body.to_string());
            async move {
                let answer = request.send().await.expect("an answer");
                assert_eq!(answer.status(), 201);
                let made: Value =
                    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("a record");
                assert!(made["number"].is_string());
            }
        });
        made += futures_util::stream::iter(posts).buffer_unordered(at_once).count().await as u64;
        if last {
            break;
        }
    }
    made
}

/// A run by the engine: how long it took.
fn by_engine(folder: &Path) -> Duration {
    let started = Instant::now();
    let ended = command(folder).status().expect("the binary runs");
    let said = std::fs::read_to_string(folder.join("out.txt")).unwrap_or_default();
    assert!(ended.success(), "{ended}: {said}");
    started.elapsed()
}

fn main() {
    // somebody may have done so already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("  answer  at once  records   by hand    engine   ratio   nothing new");
    for (latency, at_once, count) in ROUNDS {
        let latency = Duration::from_millis(latency);
        let source = serve(Arc::new(AtomicU64::new(count)), latency);
        let targets = [Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0))];
        let [by_loop, by_run] = targets.each_ref().map(|held| serve(Arc::clone(held), latency));
        let started = Instant::now();
        let made = runtime.block_on(by_hand(&source, &by_loop, at_once as usize));
        let hand = started.elapsed();
        let folder = tempfile::tempdir().expect("a temporary folder");
        describe(folder.path(), &source, &by_run, at_once);
        let engine = by_engine(folder.path());
        let again = by_engine(folder.path());
        for held in &targets {
            assert_eq!((made, held.load(Ordering::Relaxed)), (count, count), "all of them, each once");
        }
        let each_second = |took: Duration| count as f64 / took.as_secs_f64();
        println!(
            "{:>5} ms {at_once:>8} {count:>8} {:>7.0}/s {:>7.0}/s {:>7.2} {:>11.0}/s",
            latency.as_millis(),
            each_second(hand),
            each_second(engine),
            each_second(engine) / each_second(hand),
            each_second(again)
        );
    }
}
