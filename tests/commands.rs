//! `resolve` and `retry` while another process works on the state: two real processes on the built-in stand-ins.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const MAPPING: &str = "mappings/examples/hello.yaml";

/// A folder with a copy of the example, and the data of its own sandbox.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hello.yaml", "sandbox/hello.yaml", "systems/shop.yaml", "systems/ledger.yaml"] {
            let to = folder.path().join("mappings/examples").join(name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(Path::new("mappings/examples").join(name), to).unwrap();
        }
        Scene(folder)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mapengine"));
        command
            .arg(words[0])
            .arg(MAPPING)
            .args(&words[1..])
            .current_dir(self.0.path())
            .env("XDG_DATA_HOME", self.0.path().join("data"))
            .env_remove("MAPENGINE_CONNECTION");
        command
    }

    fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a command says that must succeed.
    fn said(&self, words: &[&str]) -> String {
        let out = self.output(words);
        assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// How often the history tells that something was unlinked.
    fn unlinked(&self) -> usize {
        self.said(&["history"]).matches("are not linked any more").count()
    }
}

/// A `run --watch`, and the lines that it prints.
struct Watcher {
    child: Child,
    lines: Receiver<String>,
}

impl Watcher {
    /// Begins to watch, and is past its first run.
    fn of(scene: &Scene) -> Watcher {
        let mut child = scene.command(&["run", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let watcher = Watcher { child, lines };
        watcher.until("next run in");
        watcher
    }

    /// Everything up to a line that holds a text.
    fn until(&self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let line = self
                .lines
                .recv_timeout(Duration::from_secs(60))
                .unwrap_or_else(|_| panic!("it never said `{text}`:\n{seen}"));
            seen.push_str(&line);
            seen.push('\n');
            if line.contains(text) {
                return seen;
            }
        }
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_left_for_a_watching_run_is_done_long_before_its_hour() {
    let scene = Scene::new();
    let watcher = Watcher::of(&scene);
    let left = scene.said(&["resolve", "--unlink", "customers:1001"]);
    let holder = format!("(pid {} on ", watcher.child.id());
    assert!(left.starts_with("left as command 1 for the mapengine that works on this state"), "{left}");
    assert!(left.contains(&holder), "{left}");
    let seen = watcher.until("next run in");
    assert!(seen.contains("command 1 (resolve --unlink customers:1001): customers "), "{seen}");
    assert!(seen.contains(" and 1001 are not linked any more"), "{seen}");
    // the same run found the two again
    let row = seen.lines().find(|line| line.starts_with("customers ")).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("1"), "{seen}");
    assert!(scene.said(&["links"]).contains("= 1001"));

    // what cannot be done is said with its reason, and not tried again
    let left = scene.said(&["resolve", "--write", "99", "--drop"]);
    assert!(left.starts_with("left as command 2 "), "{left}");
    let seen = watcher.until("next run in");
    assert!(seen.contains("command 2 (resolve --write 99 --drop): not done: there is no write 99"), "{seen}");
    scene.said(&["retry"]);
    let seen = watcher.until("next run in");
    assert!(seen.contains("command 3 (retry): nothing is set aside"), "{seen}");
    assert!(!seen.contains("command 2"), "{seen}");
    scene.said(&["retry", "--record", "customers:1004"]);
    let seen = watcher.until("next run in");
    assert!(
        seen.contains("command 4 (retry --record customers:1004): not done: customers 1004 is not set aside"),
        "{seen}"
    );

    let history = scene.said(&["history"]);
    assert_eq!(history.matches("  command ").count(), 4, "{history}");
    assert!(history.contains("command 2: resolve --write 99 --drop\n    not done: there is no write 99"));
    assert_eq!(scene.unlinked(), 1);
    assert_eq!(scene.said(&["set-aside"]), "nothing is set aside\n");
}

#[test]
fn a_slip_is_said_at_once_and_left_to_nobody() {
    let scene = Scene::new();
    let _watcher = Watcher::of(&scene);
    for (words, text) in [
        (&["resolve", "--unlink", "people:1"][..], "there is no register `people`"),
        (&["resolve", "--link", "customers:1"], "write REGISTER:LEFT_KEY:RIGHT_KEY"),
        (&["retry", "--full"], "a retry with `--full` cannot be left for it, one without can"),
        (&["retry", "--set", "group=X"], "a retry with `--set` cannot be left for it, one without can"),
        (&["run"], "is working on this state: wait until it is done, or stop it"),
    ] {
        let out = scene.output(words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.code() == Some(1) && said.contains(text), "{words:?}: {said}");
    }
    assert!(!scene.said(&["history"]).contains("command"));
}

#[test]
fn what_a_killed_watcher_did_not_take_up_is_done_once_by_the_next_run() {
    let scene = Scene::new();
    let watcher = Watcher::of(&scene);
    // it holds the lock and does nothing any more
    watcher.signal("-STOP");
    scene.said(&["resolve", "--unlink", "customers:1001"]);
    scene.said(&["resolve", "--write", "99", "--drop"]);
    let history = scene.said(&["history"]);
    assert!(
        history.contains("command 1: resolve --unlink customers:1001\n    waits for the next run"),
        "{history}"
    );
    watcher.signal("-KILL");
    drop(watcher);
    assert_eq!(scene.unlinked(), 0);
    // a plan decides without it, and leaves it where it is
    assert!(!scene.said(&["plan"]).contains("command"));
    let json: serde_json::Value = serde_json::from_str(&scene.said(&["run", "--format", "json"])).unwrap();
    assert_eq!(json["commands"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(json["commands"][0]["done"], true, "{json}");
    assert_eq!(json["commands"][1]["said"], "there is no write 99", "{json}");
    assert_eq!(json["registers"]["customers"]["linked"], 1, "{json}");
    let json: serde_json::Value = serde_json::from_str(&scene.said(&["run", "--format", "json"])).unwrap();
    assert_eq!(json["commands"].as_array().unwrap().len(), 0, "{json}");
    assert_eq!(scene.unlinked(), 1);
}

#[test]
fn what_was_left_comes_before_what_is_said_now() {
    let scene = Scene::new();
    let watcher = Watcher::of(&scene);
    watcher.signal("-STOP");
    scene.said(&["resolve", "--unlink", "customers:1001"]);
    watcher.signal("-KILL");
    drop(watcher);
    let ids = scene.said(&["resolve", "--unlink", "customers:1002"]);
    let lines: Vec<&str> = ids.lines().collect();
    assert!(lines[0].starts_with("command 1 (resolve --unlink customers:1001): "), "{ids}");
    assert!(lines[1].ends_with("and 1002 are not linked any more"), "{ids}");
}

#[test]
fn a_watching_run_that_was_asked_to_end_tells_of_no_next_one() {
    let scene = Scene::new();
    let words = ["run", "--watch", "--fault", "slow=1s:list"];
    let mut child = scene.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.starts_with("sandbox: "), "{line}");
    // it reads now, and listens to signals
    std::thread::sleep(Duration::from_millis(500));
    let done = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(done.success());
    let rest: Vec<String> = out.lines().map_while(Result::ok).collect();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("stopped at a safe point"), "{said}{rest:?}");
    assert!(!rest.iter().any(|line| line.contains("next run in")), "{rest:?}");
}
