//! Peak memory of whole runs of the real binary, as a ratio between list lengths: it must not grow with the list.
//!
//! Two generated systems are served over loopback HTTP, page by page; neither side of it is ever held in memory.
//! The first run links 99 % of the records and makes the rest, the second finds all of them unchanged. Each run is
//! a process of its own with an SQLite file on disk.
//!
//! `cargo bench --bench memory` takes 10,000 and 100,000 records; `-- --records 1000000` (may be repeated) others.
//! `MAPENGINE` names another binary.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use common::{command, describe, serve};

/// One run in a process of its own: its peak memory in KiB, its time, and the end of what it printed.
fn run(folder: &Path) -> (u64, Duration, String) {
    let started = Instant::now();
    let mut child = command(folder).spawn().expect("the binary runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        // the mark only rises: the last look before the end misses a few milliseconds of it
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let mark = mark.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        peak = mark.map_or(peak, |mark: u64| mark.max(peak));
        if let Some(ended) = child.try_wait().expect("the child can be waited for") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = started.elapsed();
    let said = std::fs::read_to_string(folder.join("out.txt")).unwrap_or_default();
    assert!(ended.success(), "{ended}: {said}");
    (peak, took, said.lines().last().unwrap_or_default().to_owned())
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut counts = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--records" {
            counts.push(arguments.next().and_then(|text| text.parse().ok()).expect("--records NUMBER"));
        }
    }
    if counts.is_empty() {
        counts = vec![10_000, 100_000];
    }
    if !Path::new("/proc/self/status").exists() {
        println!("peak memory is read from /proc, which is not here");
        return;
    }
    let mut smallest: Option<[u64; 2]> = None;
    println!("   records  run  peak MiB   ratio      time  end of the report");
    for count in counts {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let serve = |count| serve(Arc::new(AtomicU64::new(count)), Duration::ZERO);
        describe(folder.path(), &serve(count), &serve(count - count / 100), 32);
        let runs = [run(folder.path()), run(folder.path())];
        let first = *smallest.get_or_insert([runs[0].0, runs[1].0]);
        for (i, (peak, took, said)) in runs.into_iter().enumerate() {
            println!(
                "{count:>10}  {:>3}  {:>8.1}  {:>6.2}  {:>7.1} s  {said}",
                i + 1,
                peak as f64 / 1024.0,
                peak as f64 / first[i] as f64,
                took.as_secs_f64()
            );
        }
    }
}
