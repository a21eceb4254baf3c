//! The `puya` executable: arguments in, exit code out.

use std::process::ExitCode;

use puya::base::heap::Heap;

#[global_allocator]
static ALLOCATOR: Heap = Heap;

/// Stack sizes to try, largest first. The compiler recurses over the input's nesting, which the JSON
/// reader limits; the memory is only reserved, and used when the recursion gets that deep.
const STACK_SIZES: [usize; 3] = [1 << 30, 1 << 28, 1 << 26];

fn main() -> ExitCode {
    for size in STACK_SIZES {
        let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(size);
        let run = || puya::cli::run(std::env::args_os().skip(1).collect());
        if let Ok(handle) = thread.spawn(run) {
            // a panic has been told by the panic hook; 101 is what it ends a process with
            return handle.join().unwrap_or(ExitCode::from(101));
        }
    }
    eprintln!("puya: the system has no memory for a stack of 64 MiB");
    ExitCode::from(2)
}
