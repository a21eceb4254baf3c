//! Fuzz target: see `harness::connection`.

#![no_main]

#[path = "../harness.rs"]
#[allow(dead_code)]
mod harness;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::connection(input));
