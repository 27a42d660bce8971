//! `cargo zdm …`: what cargo starts for its subcommand `zdm`.

fn main() -> std::process::ExitCode {
    cargo_zdm::cli::main("cargo zdm")
}
