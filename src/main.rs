//! The `puya` executable: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    puya::cli::run(std::env::args_os().skip(1).collect())
}
