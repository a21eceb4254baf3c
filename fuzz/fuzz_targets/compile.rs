//! Fuzz target: see `harness::compile`.

#![no_main]

#[path = "../harness.rs"]
#[allow(dead_code)]
mod harness;

// what the executable allocates with
#[global_allocator]
static ALLOCATOR: puya::base::heap::Heap = puya::base::heap::Heap;

libfuzzer_sys::fuzz_target!(|input: &[u8]| harness::compile(input));
