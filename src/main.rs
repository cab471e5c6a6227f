//! The `mapengine` command.

fn main() -> std::process::ExitCode {
    mapengine::cli::main()
}
