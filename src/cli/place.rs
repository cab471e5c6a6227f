//! From files and flags to what a run needs: mapping, connection, state.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::args::Target;
use super::{Exit, Terminal};
use crate::clock::Clock;
use crate::diagnostic::{At, Diagnostic, Diagnostics, Format, Level, Sources, Span, codes, render};
use crate::http::{Access, CallListener, Client, ClientSetup, Network, NetworkSetup};
use crate::plan::change::hex;
use crate::program::mapping::Program;
use crate::program::mapping_compile::Answers;
use crate::program::open::Opened;
use crate::program::system::{Credential, CredentialKind, Limits};
use crate::program::system_compile::{check_base_url, compile_limits, parse_duration};
use crate::sandbox::{Company, credentials};
use crate::spec::connection::{Connection, Place};
use crate::spec::load::{load_connection, load_sandbox};
use crate::value::{Both, Side, Value};

/// A mapping that can be run, and where.
pub(super) struct Opening {
    /// Which mapping.
    pub opened: Opened,
    /// What it means.
    pub program: Arc<Program>,
    /// Where it runs.
    pub side: Where,
    /// Where its state is.
    pub state: PathBuf,
    /// The texts of its files.
    pub sources: Sources,
}

/// Real systems, or stand-ins.
pub(super) enum Where {
    /// The systems of a connection.
    Connection { name: String, ends: Box<Both<End>> },
    /// The built-in sandbox: the folder that keeps it.
    Sandbox { folder: PathBuf },
}

impl Where {
    /// The name of the connection; none for the sandbox.
    pub fn connection(&self) -> Option<&str> {
        match self {
            Where::Connection { name, .. } => Some(name),
            Where::Sandbox { .. } => None,
        }
    }
}

/// One real system.
pub(super) struct End {
    base_url: String,
    token_url: Option<String>,
    credentials: BTreeMap<String, SecretString>,
    settle_after: Option<Duration>,
    timeout: Duration,
    limits: Option<Limits>,
    ca_file: Option<PathBuf>,
}

/// Shows findings and says how the command ends.
pub(super) fn refuse(terminal: &Terminal, found: &Diagnostics, sources: &Sources) -> Exit {
    let text = render(found, sources, Format::Human { color: terminal.color });
    terminal.say(text.trim_end());
    Exit::BadInput
}

/// Whether a warning is about the connection, and not about the mapping.
fn is_said(one: &Diagnostic) -> bool {
    [codes::UNKNOWN_SETTING.id, codes::OPEN_SECRETS.id].contains(&one.code.id)
}

/// Opens what a command is about. Everything that is wrong has been shown when it fails.
pub(super) fn open(terminal: &Terminal, target: &Target) -> Result<Opening, Exit> {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let opening = reading(target, &mut sources, &mut found);
    match opening {
        Some(opening) if !found.has_errors() => {
            // what the connection says in vain is said; what `validate` would remark of the mapping is not
            let mut said = Diagnostics::new();
            for one in &found {
                if is_said(one) {
                    said.push(one.clone());
                }
            }
            if !said.is_empty() {
                terminal.say(render(&said, &sources, Format::Human { color: terminal.color }).trim_end());
            }
            if let Some(folder) = opening.state.parent().filter(|folder| !folder.as_os_str().is_empty())
                && let Err(error) = std::fs::create_dir_all(folder)
            {
                terminal.say(format_args!("error: {}: {error}", folder.display()));
                return Err(Exit::Failed);
            }
            Ok(opening)
        }
        _ => {
            if found.is_empty() {
                terminal.say("error: name a mapping file, or a connection that names one (`mapengine run mappings/financials.yaml`)");
                return Err(Exit::BadInput);
            }
            Err(refuse(terminal, &found, &sources))
        }
    }
}

fn reading(target: &Target, sources: &mut Sources, found: &mut Diagnostics) -> Option<Opening> {
    let connection = match &target.connection {
        Some(path) => Some((path.clone(), load_connection(sources, path, found)?)),
        None => None,
    };
    let mapping = match (&target.mapping, &connection) {
        (Some(path), _) => path.clone(),
        (None, Some((path, connection))) => mapping_of(path, connection)?,
        (None, None) => return None,
    };
    let opened = Opened::read(&mapping, sources, found)?;
    // settings of the command line count like those of the connection
    let overrides = overrides(target, found);
    let mut given =
        connection.as_ref().map(|(_, connection)| connection.settings.clone()).unwrap_or_default();
    for (name, value) in overrides {
        given.0.retain(|(one, _)| one.value != name);
        given.0.push((At::from(name), At::from(value)));
    }
    let program = match &connection {
        Some(_) => opened.program(&Answers::Company(&given), sources, found),
        None => opened.program(&Answers::Case(given.iter().collect()), sources, found),
    };
    match connection {
        Some((path, connection)) => {
            let ends = ends(&opened, &connection, &path, Secrets::Read, sources, found);
            let state = state_of(&connection, &path, found);
            Some(Opening {
                program: Arc::new(program?),
                opened,
                side: Where::Connection { name: connection.connection.value.clone(), ends: Box::new(ends?) },
                state: state?,
                sources: sources.clone(),
            })
        }
        None => {
            let folder = sandbox_folder(&opened);
            Some(Opening {
                program: Arc::new(program?),
                opened,
                state: folder.join("state.db"),
                sources: sources.clone(),
                side: Where::Sandbox { folder },
            })
        }
    }
}

/// The mapping that a connection names: a path beside its file, else one from here.
fn mapping_of(path: &Path, connection: &Connection) -> Option<PathBuf> {
    let named = connection.mapping.as_ref()?;
    let beside = path.parent().unwrap_or(Path::new("")).join(&named.value);
    Some(if beside.exists() { beside } else { PathBuf::from(&named.value) })
}

/// What is wrong with a connection, and, where it names its mapping, with the two together. Secrets are only named: where it is
/// checked they need not be.
pub(super) fn check_connection(path: &Path, sources: &mut Sources, found: &mut Diagnostics) {
    let Some(connection) = load_connection(sources, path, found) else { return };
    state_of(&connection, path, found);
    let Some(mapping) = mapping_of(path, &connection) else { return };
    let mut together = Diagnostics::new();
    if let Some(opened) = Opened::read(&mapping, sources, &mut together) {
        opened.program(&Answers::Company(&connection.settings), sources, &mut together);
        ends(&opened, &connection, path, Secrets::Named, sources, &mut together);
    }
    // what is remarked of the mapping is remarked where it is checked itself
    let remark = |one: &Diagnostic| one.level != Level::Error && !is_said(one);
    together.into_iter().filter(|one| !remark(one)).for_each(|one| found.push(one.clone()));
}

/// `--set NAME=VALUE`: numbers, true and false are read as such, everything else as text.
fn overrides(target: &Target, found: &mut Diagnostics) -> Vec<(String, Value)> {
    target
        .settings
        .iter()
        .filter_map(|text| match text.split_once('=') {
            Some((name, "true")) => Some((name.to_owned(), Value::Bool(true))),
            Some((name, "false")) => Some((name.to_owned(), Value::Bool(false))),
            Some((name, value)) => Some((name.to_owned(), Value::text(value))),
            None => {
                found.push(Diagnostic::error(
                    &codes::WRONG_ANSWER,
                    Span::NONE,
                    format!("--set {text}: write NAME=VALUE"),
                ));
                None
            }
        })
        .collect()
}

/// Where a user's data is kept.
fn data_folder() -> PathBuf {
    let home = || std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home().map(|home| home.join(".local").join("share")))
        .unwrap_or_else(std::env::temp_dir)
        .join("mapengine")
}

/// One folder for each mapping file: its company and its state are reset together.
fn sandbox_folder(opened: &Opened) -> PathBuf {
    let full = std::fs::canonicalize(&opened.path).unwrap_or_else(|_| opened.path.clone());
    let digest = hex(&Sha256::digest(full.to_string_lossy().as_bytes())[..4]);
    data_folder().join("sandbox").join(format!("{}-{digest}", opened.mapping.mapping.value))
}

fn state_of(connection: &Connection, path: &Path, found: &mut Diagnostics) -> Option<PathBuf> {
    let Some(state) = &connection.state else {
        return Some(
            data_folder().join(format!("{}.db", connection.connection.value.replace(['/', '\\'], "_"))),
        );
    };
    match state.value.strip_prefix("sqlite:") {
        Some(file) if !file.is_empty() => {
            Some(path.parent().unwrap_or(Path::new("")).join(file.trim_start_matches("//")))
        }
        _ => {
            found.push(
                Diagnostic::error(
                    &codes::BAD_CONNECTION,
                    state.span,
                    format!("`{state}` is no place for a state"),
                )
                .help("write `sqlite:acme.db`; the file is relative to this one"),
            );
            None
        }
    }
}

/// What is done with what a connection refers to outside of it.
#[derive(Clone, Copy)]
pub(super) enum Secrets {
    /// Environment variables and files are read.
    Read,
    /// That they are named is enough.
    Named,
}

/// The ends of a connection.
pub(super) fn ends(
    opened: &Opened,
    connection: &Connection,
    path: &Path,
    secrets: Secrets,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Option<Both<End>> {
    for (name, _) in connection.systems.iter() {
        if name.value != opened.names.left && name.value != opened.names.right {
            found.push(
                Diagnostic::error(
                    &codes::BAD_CONNECTION,
                    name.span,
                    format!("`{name}` is no side of the mapping"),
                )
                .help(format!("its sides are `{}` and `{}`", opened.names.left, opened.names.right)),
            );
        }
    }
    open_secrets(opened, connection, path, found);
    let mut built = Vec::new();
    for side in Side::BOTH {
        match connection.systems.iter().find(|(name, _)| name.value == opened.names[side]) {
            Some((name, place)) => {
                built.extend(end(opened, (side, name.span), place, path, secrets, sources, found));
            }
            None => found.push(
                Diagnostic::error(
                    &codes::BAD_CONNECTION,
                    connection.connection.span,
                    format!("the connection does not say where `{}` is", opened.names[side]),
                )
                .help(format!("add `{}: {{ credentials: … }}` under `systems:`", opened.names[side])),
            ),
        }
    }
    let [left, right]: [End; 2] = built.try_into().ok()?;
    Some(Both { left, right })
}

/// Warns of secrets that stand in the file itself where everybody may read it. What is only named stands elsewhere.
#[cfg(unix)]
fn open_secrets(opened: &Opened, connection: &Connection, path: &Path, found: &mut Diagnostics) {
    use std::os::unix::fs::PermissionsExt;

    let Ok(metadata) = std::fs::metadata(path) else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o004 == 0 {
        return;
    }
    let mut literal = Vec::new();
    for side in Side::BOTH {
        let place = connection.systems.iter().find(|(name, _)| name.value == opened.names[side]);
        for (name, value) in place.iter().flat_map(|(_, place)| place.credentials.iter()) {
            let is_secret = |one: &Credential| one.name == name.value && one.kind == CredentialKind::Secret;
            if opened.systems[side].credentials.iter().any(is_secret)
                && matches!(kept(&value.value), Kept::Here(_))
            {
                literal.push((value.span, format!("`{name}` of `{}`", opened.names[side])));
            }
        }
    }
    let names: Vec<&str> = literal.iter().map(|(_, name)| name.as_str()).collect();
    if let Some((span, _)) = literal.first() {
        found.push(
            Diagnostic::warning(
                &codes::OPEN_SECRETS,
                *span,
                format!(
                    "everybody on this machine can read {} (the file has mode {mode:04o})",
                    names.join(", ")
                ),
            )
            .help(format!("chmod 600 {}", path.display())),
        );
    }
}

#[cfg(not(unix))]
fn open_secrets(_: &Opened, _: &Connection, _: &Path, _: &mut Diagnostics) {}

fn end(
    opened: &Opened,
    (side, named): (Side, Span),
    place: &Place,
    path: &Path,
    secrets: Secrets,
    sources: &Sources,
    found: &mut Diagnostics,
) -> Option<End> {
    let system = &opened.systems[side];
    let wrong = |found: &mut Diagnostics, span, message: String, help: Option<String>| {
        let mut diagnostic = Diagnostic::error(&codes::BAD_CONNECTION, span, message);
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        found.push(diagnostic);
    };
    let mut address = |text: &Option<At<String>>| match text {
        None => Some(None),
        Some(text) => match check_base_url(&text.value) {
            Ok(url) => Some(Some(url)),
            Err((message, help)) => {
                wrong(found, text.span, message.to_owned(), Some(help.to_owned()));
                None
            }
        },
    };
    let base_url = address(&place.base_url)?.unwrap_or_else(|| system.base_url.clone());
    let token_url = address(&place.token_url)?;
    let mut credentials = BTreeMap::new();
    for (name, value) in place.credentials.iter() {
        if system.credentials.iter().all(|credential| credential.name != name.value) {
            let known: Vec<&str> =
                system.credentials.iter().map(|credential| credential.name.as_str()).collect();
            wrong(
                found,
                name.span,
                format!("{} has no credential `{name}`", system.title),
                Some(format!("it has {}", known.join(", "))),
            );
            continue;
        }
        let text = match secrets {
            Secrets::Read => secret(&value.value, path),
            Secrets::Named => Ok(value.value.clone()),
        };
        match text {
            Ok(text) => {
                credentials.insert(name.value.clone(), SecretString::from(text));
            }
            Err(problem) => wrong(found, value.span, problem, None),
        }
    }
    for credential in &system.credentials {
        let given = place.credentials.iter().any(|(name, _)| name.value == credential.name);
        if credential.default.is_none() && !given {
            let kind = if credential.kind == CredentialKind::Secret { "secret" } else { "value" };
            wrong(
                found,
                named,
                format!("the connection gives no {kind} `{}` for `{}`", credential.name, opened.names[side]),
                credential.help.as_ref().map(|help| format!("where to find it: {help}")),
            );
        }
    }
    let mut duration = |text: &Option<At<String>>| {
        text.as_ref().and_then(|text| match parse_duration(&text.value) {
            Ok(duration) => Some(duration),
            Err(help) => {
                wrong(found, text.span, format!("`{text}` is no length of time"), Some(help.to_owned()));
                None
            }
        })
    };
    let settle_after = duration(&place.settle_after);
    let timeout = duration(&place.timeout).unwrap_or(system.timeout);
    let limits = place.limits.as_ref().map(|limits| compile_limits(limits, sources, found));
    let ca_file = place.ca_file.as_ref().map(|file| path.parent().unwrap_or(Path::new("")).join(&file.value));
    Some(End { base_url, token_url, credentials, settle_after, timeout, limits, ca_file })
}

/// Where a value of the connection is kept.
enum Kept<'a> {
    Environment(&'a str),
    File(&'a str),
    Here(&'a str),
}

fn kept(text: &str) -> Kept<'_> {
    if let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        return Kept::Environment(name);
    }
    text.strip_prefix("file:").map_or(Kept::Here(text), Kept::File)
}

/// A value of the connection: itself, an environment variable, or a file's content.
fn secret(text: &str, path: &Path) -> Result<String, String> {
    match kept(text) {
        Kept::Environment(name) => {
            std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
        }
        Kept::File(file) => {
            let full = path.parent().unwrap_or(Path::new("")).join(file);
            std::fs::read_to_string(&full)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("{}: {error}", full.display()))
        }
        Kept::Here(text) => Ok(text.to_owned()),
    }
}

/// Writes a connection that holds secrets: for its owner alone.
///
/// # Errors
/// The disk, the permissions.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

/// The clients of a connection.
pub(super) fn clients(
    program: &Program,
    ends: &Both<End>,
    clock: &Rc<dyn Clock>,
    access: Access,
    log: Option<&CallListener>,
) -> Result<Both<Rc<Client>>, String> {
    let client = |side: Side| {
        let end = &ends[side];
        let extra_ca = end.ca_file.clone();
        let network = Network::new(&NetworkSetup {
            timeout: end.timeout,
            // a server may think as long as the system file allows before its first byte
            read_timeout: end.timeout,
            extra_ca,
            ..NetworkSetup::default()
        })?;
        Client::new(ClientSetup {
            system: Arc::clone(&program.sides[side].system),
            base_url: end.base_url.clone(),
            token_url: end.token_url.clone(),
            credentials: end.credentials.clone(),
            settle_after: end.settle_after,
            limits: end.limits.clone(),
            transport: Rc::new(network),
            clock: Rc::clone(clock),
            access,
            seed: None,
            log: log.cloned(),
        })
        .map(Rc::new)
        .map_err(|problem| format!("{}: {problem}", program.sides[side].name))
    };
    let clients = Both { left: client(Side::Left)?, right: client(Side::Right)? };
    // one system may repeat what it got from the other: neither shows the secrets of either
    for side in Side::BOTH {
        let scrubber = clients[side.other()].scrubber();
        for credential in &program.sides[side].system.credentials {
            if let (CredentialKind::Secret, Some(secret)) =
                (credential.kind, ends[side].credentials.get(&credential.name))
            {
                scrubber.add(secret.expose_secret());
            }
        }
    }
    Ok(clients)
}

/// The stand-ins of a mapping, as the last run left them. The second value: they begin anew.
pub(super) fn company(opening: &Opening, folder: &Path, fresh: bool) -> Result<(Company, bool), String> {
    let path = opening.opened.sandbox_path();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        format!("{}: {error}\nwithout a connection a mapping runs against the sandbox, which needs this file (see mappings/sandbox/)", path.display())
    })?;
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let Some(data) = load_sandbox(&mut sources, &path, &mut found) else {
        return Err(render(&found, &sources, Format::Human { color: false }));
    };
    Company::open(opening.opened.names.clone(), &opening.program.systems(), &data, &text, folder, fresh)
        .map_err(|error| format!("{}:\n{error}", path.display()))
}

/// A connection file for stand-ins that are served.
pub(super) fn connection_text(opening: &Opening, addresses: &Both<String>) -> String {
    let mut text = format!("connection: sandbox-{}\nsystems:\n", opening.program.name);
    for side in Side::BOTH {
        let system = &opening.opened.systems[side];
        text.push_str(&format!("  {}:\n    base_url: \"{}\"\n", opening.opened.names[side], addresses[side]));
        if let crate::program::system::Auth::ClientCredentials(flow) = &system.auth {
            let path =
                url::Url::parse(&flow.url).map_or_else(|_| flow.url.clone(), |url| url.path().to_owned());
            text.push_str(&format!("    token_url: \"{}{path}\"\n", addresses[side]));
        }
        text.push_str("    settle_after: 1s\n    credentials:\n");
        for (name, value) in credentials(system) {
            text.push_str(&format!("      {name}: \"{value}\"\n"));
        }
    }
    let answers = opening.program.answers.as_map().into_iter().flatten();
    let answers: String = answers
        .filter(|(_, answer)| !answer.is_empty())
        // JSON is YAML
        .map(|(name, answer)| format!("  {name}: {}\n", answer.to_json()))
        .collect();
    if !answers.is_empty() {
        text.push_str("settings:\n");
        text.push_str(&answers);
    }
    text.push_str(&format!("state: \"sqlite:sandbox-{}.db\"\n", opening.program.name));
    text
}
