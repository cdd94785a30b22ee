//! The env file: URLs, keys and logins of the stack, in shell format, for scripts.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use rand::distr::{Alphanumeric, SampleString as _};

use crate::ports::Addresses;

/// Superuser of the development database, who can log in to the admin UI.
pub const SUPERUSER_EMAIL: &str = "admin@identivia.test";
/// The sidecar's account, with no more rights than it needs.
pub const SERVICE_EMAIL: &str = "sidecar@identivia.test";
/// The person who is verified on the example page.
pub const DEMO_USER_EMAIL: &str = "anna@identivia.test";
/// A reviewer's account.
pub const REVIEWER_EMAIL: &str = "reviewer@identivia.test";

/// The sandbox's default keys, worthless elsewhere.
mod sandbox_keys {
    pub const AWS_ACCESS_KEY_ID: &str = "AKIASANDBOX000000001";
    pub const AWS_SECRET_ACCESS_KEY: &str = "sandbox-secret-access-key-not-a-secret00";
    pub const OPENAI_API_KEY: &str = "sk-sandbox";
    pub const FINGERPRINT_SECRET_KEY: &str = "fp-sandbox";
    pub const AWS_BROWSER_ROLE_ARN: &str = "arn:aws:iam::000000000000:role/identivia-browser";
}

/// Keys and passwords: random at the first start, kept until `--fresh`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// API key of the facade.
    pub api_key: String,
    /// `HASH_KEY` of the sidecar.
    pub hash_key: String,
    /// Password of [`SUPERUSER_EMAIL`].
    pub superuser_password: String,
    /// Password of [`SERVICE_EMAIL`].
    pub service_password: String,
    /// Password of [`DEMO_USER_EMAIL`].
    pub demo_user_password: String,
    /// Password of [`REVIEWER_EMAIL`].
    pub reviewer_password: String,
}

impl Secrets {
    /// Takes the secrets of an earlier env file and makes those that it lacks.
    pub fn kept_or_made(earlier: &BTreeMap<String, String>) -> Self {
        let secret = |name: &str, length| match earlier.get(name) {
            Some(value) if !value.is_empty() => value.clone(),
            _ => Alphanumeric.sample_string(&mut rand::rng(), length),
        };
        Self {
            api_key: secret("API_KEY", 40),
            hash_key: secret("HASH_KEY", 40),
            superuser_password: secret("POCKETBASE_ADMIN_PASSWORD", 24),
            service_password: secret("PB_USER_PASSWORD", 24),
            demo_user_password: secret("DEMO_USER_PASSWORD", 24),
            reviewer_password: secret("REVIEWER_PASSWORD", 24),
        }
    }
}

/// The URLs of the parts.
#[derive(Debug, Clone)]
pub struct Urls {
    pub pocketbase: String,
    /// `PocketBase`'s admin UI.
    pub admin: String,
    pub sandbox: String,
    pub facade: String,
    pub metrics: String,
    pub page: String,
}

impl Urls {
    /// The URLs for these addresses.
    pub fn new(addresses: &Addresses, page: SocketAddr) -> Self {
        Self {
            pocketbase: format!("http://{}", addresses.pocketbase),
            admin: format!("http://{}/_/", addresses.pocketbase),
            sandbox: format!("http://{}", addresses.sandbox),
            facade: format!("http://{}", addresses.sidecar),
            metrics: format!("http://{}/metrics", addresses.metrics),
            page: format!("http://{page}"),
        }
    }

    /// Origins that browsers may call from: the page's, by address and by name.
    pub fn origins(&self) -> String {
        format!("{},{}", self.page, self.page.replace("127.0.0.1", "localhost"))
    }
}

/// A variable and its value.
pub type Variable = (&'static str, String);

/// The sidecar's whole configuration.
pub fn sidecar(addresses: &Addresses, urls: &Urls, secrets: &Secrets, model: &Path) -> Vec<Variable> {
    vec![
        ("POCKETBASE_URL", urls.pocketbase.clone()),
        ("PB_USER_EMAIL", SERVICE_EMAIL.into()),
        ("PB_USER_PASSWORD", secrets.service_password.clone()),
        ("API_KEY", secrets.api_key.clone()),
        ("CLIENT_URL", urls.origins()),
        ("HASH_KEY", secrets.hash_key.clone()),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ACCESS_KEY_ID", sandbox_keys::AWS_ACCESS_KEY_ID.into()),
        ("AWS_SECRET_ACCESS_KEY", sandbox_keys::AWS_SECRET_ACCESS_KEY.into()),
        ("AWS_BROWSER_ROLE_ARN", sandbox_keys::AWS_BROWSER_ROLE_ARN.into()),
        ("AWS_ENDPOINT_URL", urls.sandbox.clone()),
        ("FACE_LIVENESS_THRESHOLD", "75".into()),
        ("OPENAI_MODEL", "gpt-6-luna".into()),
        ("OPENAI_DIALECT", "reasoning".into()),
        ("OPENAI_API_KEY", sandbox_keys::OPENAI_API_KEY.into()),
        ("OPENAI_BASE_URL", format!("{}/v1", urls.sandbox)),
        ("MRZ_MODEL_PATH", model.display().to_string()),
        ("FINGERPRINT_SECRET_KEY", sandbox_keys::FINGERPRINT_SECRET_KEY.into()),
        ("FINGERPRINT_BASE_URL", urls.sandbox.clone()),
        ("ALLOW_INSECURE_ENDPOINTS", "true".into()),
        ("LISTEN", addresses.sidecar.to_string()),
        ("METRICS_LISTEN", addresses.metrics.to_string()),
        ("INSTANCE", "dev".into()),
        ("LOG_FORMAT", "text".into()),
    ]
}

/// Variables of `pocketbase setup`; see `pb_commands/setup.pb.js`.
pub fn for_setup(secrets: &Secrets) -> Vec<Variable> {
    vec![
        ("POCKETBASE_ADMIN_EMAIL", SUPERUSER_EMAIL.into()),
        ("POCKETBASE_ADMIN_PASSWORD", secrets.superuser_password.clone()),
        ("PB_USER_EMAIL", SERVICE_EMAIL.into()),
        ("PB_USER_PASSWORD", secrets.service_password.clone()),
        ("REVIEWER_EMAIL", REVIEWER_EMAIL.into()),
        ("REVIEWER_PASSWORD", secrets.reviewer_password.clone()),
        ("DEMO_USER_EMAIL", DEMO_USER_EMAIL.into()),
        ("DEMO_USER_PASSWORD", secrets.demo_user_password.clone()),
    ]
}

/// Variables for scripts, apart from the sidecar's configuration.
pub fn for_scripts(urls: &Urls, secrets: &Secrets) -> Vec<Variable> {
    let urls = vec![
        ("FACADE_URL", urls.facade.clone()),
        ("PAGE_URL", urls.page.clone()),
        ("ADMIN_URL", urls.admin.clone()),
        ("SANDBOX_URL", urls.sandbox.clone()),
        ("METRICS_URL", urls.metrics.clone()),
    ];
    // The sidecar's login is part of its configuration.
    let logins = for_setup(secrets).into_iter().filter(|(name, _)| !name.starts_with("PB_USER"));
    urls.into_iter().chain(logins).collect()
}

/// Replaces the file; only its owner can read it.
pub fn write(path: &Path, sidecar: &[Variable], for_scripts: &[Variable]) -> anyhow::Result<()> {
    let problem = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(problem)?;
    }
    let draft = path.with_extension("draft");
    // A file left from a crash would keep its mode.
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).with_context(problem),
        _ => {}
    }
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
    file.and_then(|mut file| file.write_all(text(sidecar, for_scripts).as_bytes())).with_context(problem)?;
    std::fs::rename(&draft, path).with_context(problem)
}

/// Reads a file written by [`write`]; a file that does not exist has no variables.
pub fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(variable).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn text(sidecar: &[Variable], for_scripts: &[Variable]) -> String {
    let mut text = String::from(
        "# Written by `cargo run --bin dev` at every start. For development on this machine only: `. .dev/env`.\n\
         # Keys and passwords are random and kept until `--fresh`.\n\n# For scripts.\n",
    );
    for (name, value) in for_scripts {
        text.push_str(&line(name, value));
    }
    text.push_str("\n# The sidecar's configuration; the providers are the sandbox.\n");
    for (name, value) in sidecar {
        text.push_str(&line(name, value));
    }
    text
}

fn line(name: &str, value: &str) -> String {
    format!("export {name}='{}'\n", value.replace('\'', r"'\''"))
}

fn variable(line: &str) -> Option<(String, String)> {
    let (name, quoted) = line.strip_prefix("export ")?.split_once('=')?;
    let value = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    Some((name.to_owned(), value.replace(r"'\''", "'")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_is_private_and_read_back_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/env");
        let odd = vec![("API_KEY", "it's $HOME \"odd\"".to_owned())];
        write(&path, &odd, &[]).expect("written");
        write(&path, &odd, &[("PAGE_URL", "http://x".into())]).expect("written again");
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = read(&path).expect("read");
        assert_eq!(read["API_KEY"], odd[0].1);
        assert_eq!(read["PAGE_URL"], "http://x");
    }

    #[test]
    fn a_shell_reads_the_same_values() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("env");
        write(&path, &[("API_KEY", "it's $HOME `odd`".to_owned())], &[]).expect("written");
        let script = format!(". {} && printf %s \"$API_KEY\"", path.display());
        let output = std::process::Command::new("sh").args(["-c", &script]).output().expect("sh runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "it's $HOME `odd`");
    }

    #[test]
    fn secrets_are_kept_and_only_missing_ones_are_made() {
        let earlier = BTreeMap::from([("API_KEY".to_owned(), "kept".to_owned())]);
        let (first, second) = (Secrets::kept_or_made(&earlier), Secrets::kept_or_made(&earlier));
        assert_eq!(first.api_key, "kept");
        assert_eq!(second.api_key, "kept");
        assert_ne!(first.service_password, second.service_password);
        assert!(first.service_password.len() >= 12, "PocketBase asks for 12 characters");
    }
}
