//! The key that pages prove with that they are of this server: a file in the data directory, so that they may outlive a
//! restart. Must stay true: only its owner can read it; without one a server works all the same, with a key of its process.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use flin_runtime::World;
use flin_server::TokenKey;

/// The file in the data directory.
const FILE: &str = "page.key";
/// Readable and writable for its owner, for nobody else.
const MODE: u32 = 0o600;

/// The key of a data directory, made if there is none; none if it can be neither read nor made.
pub(crate) fn of(data: &Path, world: &dyn World) -> Option<TokenKey> {
    let path = data.join(FILE);
    match read(&path) {
        Ok(Some(key)) => return Some(key),
        Ok(None) => {
            tracing::warn!(file = %path.display(), "the key of pages is not one; a new one is made")
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "the key of pages cannot be read")
        }
    }
    let mut key = TokenKey::default();
    world.random(&mut key);
    match write(&path, &key) {
        Ok(()) => Some(key),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "the key of pages cannot be kept: open pages are loaded anew after a restart");
            None
        }
    }
}

fn read(path: &Path) -> io::Result<Option<TokenKey>> {
    let text = fs::read_to_string(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others could read the key of pages; now they cannot");
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    }
    Ok(key_of(text.trim()))
}

fn key_of(digits: &str) -> Option<TokenKey> {
    let mut key = TokenKey::default();
    if digits.len() != 2 * key.len() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

// Beside its place first: after a crash there is a whole key or none.
fn write(path: &Path, key: &TokenKey) -> io::Result<()> {
    let fresh = path.with_extension("key.new");
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(MODE)
        .open(&fresh)?;
    let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(file, "{digits}")?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use flin_runtime::SystemWorld;

    use super::*;

    #[test]
    fn the_same_after_a_restart_and_only_for_its_owner() {
        let folder = std::env::temp_dir().join(format!("flin-page-key-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let key = of(&folder, &SystemWorld).expect("it can be made");
        let path = folder.join(FILE);
        let mode = || {
            fs::metadata(&path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode(), MODE);
        assert_eq!(of(&folder, &SystemWorld), Some(key));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        assert_eq!((of(&folder, &SystemWorld), mode()), (Some(key), MODE));
        fs::write(&path, "junk").expect("written");
        let other = of(&folder, &SystemWorld).expect("it can be made");
        assert_ne!(other, key);
        assert_eq!(of(&folder, &SystemWorld), Some(other));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
