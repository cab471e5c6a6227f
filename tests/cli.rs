//! Transcripts of the real program: `tests/cli/NAME.txt` holds commands and everything that they say.
//!
//! `UPDATE=1 cargo test --test cli` writes the transcripts anew; read the difference before you commit it. In one:
//!
//! ```text
//! # a comment
//! $ mapengine run hello.yaml       a command; also `… | head -3`, `… > FILE`, `… &` (until the transcript ends),
//!                                  `NAME=VALUE mapengine …`, `cat FILE`
//! < text                           a line of its standard input
//!   text                           a line of its standard output
//! ! text                           a line of its standard error
//! = 0                              how it ended
//! ```
//!
//! Each runs in a folder of its own with copies of `mappings/`, `tests/mappings` and `tests/systems`. What differs
//! from run to run is replaced: `[HERE]`, `[PORT]`, `[TIME]`, `[DURATION]`, `[N]`, `[RUN]`, `[VERSION]`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use regex::Regex;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mapengine");

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The words of a command; a word in quotes may hold spaces.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The folder that a transcript runs in, and what runs in its background.
struct Scene {
    folder: tempfile::TempDir,
    background: Vec<Child>,
    volatile: Vec<(Regex, &'static str)>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        for child in &mut self.background {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

struct Said {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        for part in ["mappings", "tests/mappings", "tests/systems"] {
            copy(Path::new(part), &folder.path().join(part));
        }
        let here = regex::escape(&folder.path().display().to_string());
        let volatile = [
            (here.as_str(), "[HERE]"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
            (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?", "[TIME]"),
            (r"\b\d+(\.\d+)? (ms|s|min)\b( *$)?", "[DURATION]"),
            (r#""(milliseconds|since)":\d+"#, "\"$1\":[TIME]"),
            (r#""run":"[^"]+""#, "\"run\":\"[RUN]\""),
            (r"\d+ files checked", "[N] files checked"),
            (r"run run-[0-9]+-[0-9]+", "run [RUN]"),
            (concat!("\\b", env!("CARGO_PKG_VERSION"), "\\b"), "[VERSION]"),
        ];
        let volatile =
            volatile.map(|(pattern, name)| (Regex::new(&format!("(?m){pattern}")).unwrap(), name)).into();
        Scene { folder, background: Vec::new(), volatile }
    }

    fn stable(&self, text: &str) -> String {
        self.volatile
            .iter()
            .fold(text.to_owned(), |text, (pattern, name)| pattern.replace_all(&text, *name).into_owned())
    }

    fn run(&mut self, command: &str, input: &str) -> Said {
        let mut words = words(command);
        let mut file = None;
        if let [.., sign, name] = words.as_slice()
            && sign == ">"
        {
            file = Some(name.clone());
            words.truncate(words.len() - 2);
        }
        let mut lines = usize::MAX;
        if let [.., pipe, head, count] = words.as_slice()
            && pipe == "|"
        {
            assert_eq!(head, "head", "{command}");
            lines = count.trim_start_matches('-').parse().unwrap();
            words.truncate(words.len() - 3);
        }
        let background = words.last().is_some_and(|word| word == "&");
        if background {
            words.pop();
        }
        if words[0] == "cat" {
            let out = if words.len() > 1 {
                fs::read_to_string(self.folder.path().join(&words[1])).unwrap()
            } else {
                input.to_owned()
            };
            return self.said(out, String::new(), Some(0), lines, file);
        }
        let mut words = words.into_iter().peekable();
        let mut process = Command::new(PROGRAM);
        process
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env_remove("MAPENGINE_CONNECTION")
            .env_remove("COLUMNS");
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            process.env(name, value);
            words.next();
        }
        assert_eq!(words.next().as_deref(), Some("mapengine"), "{command}");
        let mut child = process
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a program that ended does not read
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        if background {
            // both stand-ins have said where they are
            let mut out = String::new();
            let mut reader = BufReader::new(child.stdout.take().unwrap());
            while out.matches("http://").count() < 2 {
                assert!(reader.read_line(&mut out).unwrap() > 0, "{command}: it ended: {out}");
            }
            child.stdout = Some(reader.into_inner());
            self.background.push(child);
            return self.said(out, String::new(), None, lines, file);
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        self.said(text(output.stdout), text(output.stderr), output.status.code(), lines, file)
    }

    fn said(&self, out: String, err: String, code: Option<i32>, lines: usize, file: Option<String>) -> Said {
        let shown = match file {
            Some(name) => {
                fs::write(self.folder.path().join(name), out).unwrap();
                String::new()
            }
            None => out.lines().take(lines).map(|line| format!("{line}\n")).collect(),
        };
        Said { out: self.stable(&shown), err: self.stable(&err), code }
    }
}

/// The transcript as the program makes it now.
fn replay(transcript: &str) -> String {
    let mut scene = Scene::new();
    let mut text = String::new();
    let mut lines = transcript.lines().peekable();
    while let Some(line) = lines.next() {
        // what was said is said anew
        if ["  ", "! ", "= "].iter().any(|start| line.starts_with(start)) || line == "!" {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        let Some(command) = line.strip_prefix("$ ") else { continue };
        let mut input = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("< ") || *line == "<") {
            text.push_str(line);
            text.push('\n');
            input.push_str(line.strip_prefix("< ").unwrap_or_default());
            input.push('\n');
        }
        let said = scene.run(command, &input);
        for (mark, part) in [(' ', &said.out), ('!', &said.err)] {
            for line in part.lines() {
                let line = format!("{mark} {line}");
                // an empty line stays recognisable
                text.push_str(if mark == ' ' && line.trim().is_empty() { "  ." } else { line.trim_end() });
                text.push('\n');
            }
        }
        if let Some(code) = said.code {
            text.push_str(&format!("= {code}\n"));
        }
    }
    text
}

fn transcripts() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir("tests/cli").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_program_says_what_the_transcripts_hold() {
    let update = std::env::var_os("UPDATE").is_some();
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut differences = Vec::new();
    for file in transcripts() {
        if !file.to_string_lossy().contains(&only) {
            continue;
        }
        let kept = fs::read_to_string(&file).unwrap();
        let now = replay(&kept);
        if update {
            fs::write(&file, now).unwrap();
        } else if kept != now {
            let line = kept.lines().zip(now.lines()).position(|(kept, now)| kept != now);
            let line = line.unwrap_or(kept.lines().count().min(now.lines().count()));
            let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
            differences.push(format!(
                "{}:{}\n  kept: {}\n  now:  {}",
                file.display(),
                line + 1,
                at(&kept),
                at(&now)
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_verb_has_a_success_and_a_failure() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() > 15, "{verbs:?}");
    let (mut well, mut ill) = (BTreeSet::new(), BTreeSet::new());
    for file in transcripts() {
        let mut verb = String::new();
        for line in fs::read_to_string(&file).unwrap().lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                let words = words(command);
                verb =
                    words.iter().skip_while(|word| *word != "mapengine").nth(1).cloned().unwrap_or_default();
                if words.last().is_some_and(|word| word == "&") {
                    well.insert(verb.clone());
                }
            } else if line == "= 0" {
                well.insert(verb.clone());
            } else if line.starts_with("= ") {
                ill.insert(verb.clone());
            }
        }
    }
    let missing = |seen: &BTreeSet<String>| -> Vec<&str> {
        verbs.iter().filter(|verb| !seen.contains(**verb)).copied().collect()
    };
    assert!(missing(&well).is_empty(), "no transcript shows the success of {:?}", missing(&well));
    assert!(missing(&ill).is_empty(), "no transcript shows a failure of {:?}", missing(&ill));
}
