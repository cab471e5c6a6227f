//! The lock of a state: one process works on it at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::OpenError;

/// The lock of a state, held until it is dropped or the process ends, however it ends.
///
/// It is a lock of the operating system on `<state>.lock`, so nothing is left over after a crash. The file's
/// text says who holds it. The file itself stays: deleting it would let two processes hold two locks.
#[derive(Debug)]
pub struct Lock {
    file: File,
    holder: String,
}

impl Lock {
    /// Takes the lock of a state for a run, or says who holds it.
    pub fn take(state: &Path, run: &str) -> Result<Lock, OpenError> {
        let path = beside(state, "lock");
        let failed = |why: std::io::Error| OpenError::Failed { path: path.clone(), why: why.to_string() };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // the text is for people: without it the message is only shorter
                let _ = file.read_to_string(&mut holder);
                return Err(OpenError::Locked { holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(why)) => return Err(failed(why)),
        }
        let since = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let holder = format!("pid {} on {}, since {since}, run {run}", std::process::id(), host());
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        writeln!(file, "{holder}").map_err(failed)?;
        Ok(Lock { file, holder })
    }

    /// Who holds it, for messages.
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // closing the file gives the lock back; an old text would only mislead
        let _ = self.file.set_len(0);
    }
}

/// A file next to a state: its whole name and one more ending.
pub(super) fn beside(state: &Path, ending: &str) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// A file that only its owner may read, where the system knows such a thing.
pub(super) fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_and_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let lock = Lock::take(&state, "r1").unwrap();
        let refused = Lock::take(&state, "r2").unwrap_err();
        let me = format!("pid {} on ", std::process::id());
        assert!(lock.holder().starts_with(&me) && lock.holder().ends_with(", run r1"), "{}", lock.holder());
        assert_eq!(
            refused.to_string(),
            format!(
                "another mapengine ({}) is working on this state: wait until it is done, or stop it",
                lock.holder()
            )
        );
        drop(lock);
        Lock::take(&state, "r2").unwrap();
    }
}
