//! `cargo zdm …`: what cargo starts for its subcommand `zdm`.

// `generate` parses a whole crate: most of what it does is to allocate and to free.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cargo_zdm::cli::main("cargo zdm")
}
