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

/// Reads the token; makes one that only the user can read if there is none.
pub fn read_or_create(path: &Path) -> io::Result<String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return read(path),
        Err(error) => return Err(error),
    };
    let mut random = [0; TOKEN_BYTES];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let token = HEXLOWER.encode(&random);
    file.write_all(format!("{token}\n").as_bytes())?;
    Ok(token)
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
}
