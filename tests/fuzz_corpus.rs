//! Every input of the fuzz targets' corpus goes through its target: seeds, and what fuzzing found.

#[path = "../fuzz/harness.rs"]
mod harness;

use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        println!("{}", file.display());
        run(&std::fs::read(file).unwrap());
    }
}

#[test]
fn connection() {
    replay("connection", harness::connection);
}

#[test]
fn request() {
    replay("request", harness::request);
}

#[test]
fn options() {
    replay("options", harness::options);
}

#[test]
fn compile() {
    replay("compile", harness::compile);
}

/// The state machine of a connection under arbitrary chunks, without waiting for a fuzzer: the same
/// 3,000 random runs every time.
#[test]
fn connection_survives_random_chunks() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    for run in 0..3_000 {
        let mut input = vec![(run % 3) as u8];
        for _ in 0..next() % 40 {
            let payload = next() % 24;
            // mostly the start of a plausible frame, in pieces of any size
            let opcode = [0x81, 0x01, 0x80, 0x82, 0x88, 0x89, 0x8a, 0xc1][usize::from(next() % 8)];
            let mut frame = vec![opcode, 0x80 | payload, 0, 0, 0, 0];
            frame.extend((0..payload).map(|_| b' ' + next() % 90));
            if next() % 8 == 0 {
                frame[1] = next();
            }
            while !frame.is_empty() {
                let length = frame.len().min(1 + usize::from(next() % 32));
                input.extend([length as u8, next() & 0xf7]);
                input.extend(frame.drain(..length));
            }
        }
        harness::connection(&input);
    }
}
