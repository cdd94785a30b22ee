//! The provider simulator; see the package `identivia-sandbox`.

fn main() -> anyhow::Result<std::process::ExitCode> {
    identivia_sandbox::run()
}
