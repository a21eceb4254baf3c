//! The token file: a secret shared by the daemon and its clients through the file system.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;

/// Random bytes in a token: 256 bits.
const TOKEN_BYTES: usize = 32;

/// Reads the token, on one line of its own.
pub fn read(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(io::Error::new(ErrorKind::InvalidData, "it does not hold a token"));
    }
    Ok(token.to_owned())
}

/// Reads the token; makes one that only the user can read if there is none. Of many who do so at the
/// same time one makes it, and all get that one: the file appears whole.
pub fn read_or_create(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        known => return known,
    }
    let mut random = [0; TOKEN_BYTES];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let token = HEXLOWER.encode(&random);
    let name = path.file_name().ok_or_else(|| io::Error::from(ErrorKind::IsADirectory))?;
    let unique = format!(".{}.{:016x}", name.to_string_lossy(), fastrand::u64(..));
    let temporary = path.with_file_name(unique);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = file.write_all(format!("{token}\n").as_bytes());
    // unlike a renamed file, a link does not replace what is there
    let linked = written.and_then(|()| fs::hard_link(&temporary, path));
    let _ = fs::remove_file(&temporary);
    match linked {
        Ok(()) => Ok(token),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_made_once() {
        let path = std::env::temp_dir().join(format!("puya-token-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let made = read_or_create(&path).unwrap();
        assert_eq!(made.len(), 64);
        assert_eq!(read_or_create(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "\n").unwrap();
        assert!(read_or_create(&path).is_err());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn all_who_make_one_at_the_same_time_get_the_same() {
        let folder = std::env::temp_dir().join(format!("puya-tokens-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for round in 0..20 {
            let path = folder.join(round.to_string());
            let tokens: Vec<String> = std::thread::scope(|scope| {
                let makers: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| read_or_create(&path).unwrap())).collect();
                makers.into_iter().map(|maker| maker.join().unwrap()).collect()
            });
            assert!(tokens.iter().all(|token| *token == tokens[0] && token.len() == 64));
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 20);
        fs::remove_dir_all(&folder).unwrap();
    }
}
