//! `zdm …`: the same commands without cargo, for production images.

fn main() -> std::process::ExitCode {
    cargo_zdm::cli::main("zdm")
}
