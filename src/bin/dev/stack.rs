//! The stack: what is started in which order, and how it is stopped.
//!
//! Order of start: migrations and accounts, `PocketBase`, the sandbox, the sidecar, the example
//! page. A part is stopped before the parts that it uses, so that the sidecar can still finish its
//! work and store it.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::Client;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::child::{Child, Part};
use crate::environment::{self, DEMO_USER_EMAIL, Secrets, Urls};
use crate::options::Options;
use crate::page::{self, Page};
use crate::ports::{self, Addresses};
use crate::project::{self, Programs};
use crate::stop::Stop;
use crate::{console, health};

/// How long `PocketBase` may take to start: a slow machine, a new database.
const POCKETBASE_START_MAX: Duration = Duration::from_mins(1);
/// How long the sandbox may take to start.
const SANDBOX_START_MAX: Duration = Duration::from_secs(30);
/// How long the sidecar may take to start, with its schema check.
const SIDECAR_START_MAX: Duration = Duration::from_mins(1);

/// Starts everything and runs until a signal asks it to stop or a part ends on its own.
pub async fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let mut stack = Stack::default();
    let started = tokio::select! {
        started = stack.start(options) => Some(started),
        () = stop.asked() => None,
    };
    let ending = match started {
        Some(Ok(())) => {
            console::say(&stack.ready_line);
            stack.run_until_end(&mut stop).await
        }
        Some(Err(error)) => Err(error),
        None => Ok(ExitCode::SUCCESS),
    };
    console::note("stopping");
    tokio::select! {
        () = stack.stop() => {}
        () = stop.asked() => console::note("second signal: killing the parts that still run"),
    }
    ending
}

/// The running parts.
#[derive(Default)]
pub struct Stack {
    children: Vec<Child>,
    ready_line: String,
    page_stop: CancellationToken,
    page_tasks: TaskTracker,
    /// Locked while this program runs, so that no second stack uses the same data.
    data_lock: Option<File>,
}

impl Stack {
    /// Starts every part and waits until all are healthy. After an error, [`Stack::stop`] stops the
    /// parts that did start.
    pub async fn start(&mut self, options: &Options) -> anyhow::Result<()> {
        let root = project::root()?;
        let paths = Paths::new(&root, options);
        let (addresses, page_listener) = ports::choose(&options.ports)?;
        self.data_lock = Some(paths.lock()?);
        if options.fresh {
            paths.clear()?;
        }
        let programs = project::prepare(&root, !options.no_build).await?;

        let secrets = Secrets::kept_or_made(&environment::read(&paths.env_file)?);
        let urls = Urls::new(&addresses, page_listener.local_addr()?);
        let sidecar = environment::sidecar(&addresses, &urls, &secrets, &programs.model);
        environment::write(&paths.env_file, &sidecar, &environment::for_scripts(&urls, &secrets))?;

        let http = Client::new();
        self.start_pocketbase(&http, &programs, &paths, &addresses, &urls, &secrets).await?;
        self.start_sandbox(&http, &programs, &addresses, &urls, options.seed).await?;
        self.start_sidecar(&http, &programs, &urls, &sidecar).await?;
        self.serve_page(page_listener, &root, programs.sandbox, &urls, &secrets)?;
        self.ready_line = format!(
            "ready  page {}  admin {}  facade {}  sandbox {}  env {}",
            urls.page,
            urls.admin,
            urls.facade,
            urls.sandbox,
            paths.env_file.display()
        );
        Ok(())
    }

    async fn start_pocketbase(
        &mut self,
        http: &Client,
        programs: &Programs,
        paths: &Paths,
        addresses: &Addresses,
        urls: &Urls,
        secrets: &Secrets,
    ) -> anyhow::Result<()> {
        let arguments = paths.pocketbase_arguments();
        set_up(&programs.pocketbase, &arguments, secrets).await?;
        let mut command = Command::new(&programs.pocketbase);
        command.args(&arguments).args(["serve", "--automigrate=false"]);
        command.arg(format!("--http={}", addresses.pocketbase)).arg(format!("--origins={}", urls.origins()));
        let child = self.keep(Child::start(Part::Pocketbase, command, &[])?);
        health::wait(http, child, &format!("{}/api/health", urls.pocketbase), POCKETBASE_START_MAX).await
    }

    async fn start_sandbox(
        &mut self,
        http: &Client,
        programs: &Programs,
        addresses: &Addresses,
        urls: &Urls,
        seed: u64,
    ) -> anyhow::Result<()> {
        let mut command = Command::new(&programs.sandbox);
        command.args(["serve", "--listen", &addresses.sandbox.to_string(), "--seed", &seed.to_string()]);
        let child = self.keep(Child::start(Part::Sandbox, command, &[])?);
        health::wait(http, child, &format!("{}/sandbox/health", urls.sandbox), SANDBOX_START_MAX).await
    }

    async fn start_sidecar(
        &mut self,
        http: &Client,
        programs: &Programs,
        urls: &Urls,
        variables: &[environment::Variable],
    ) -> anyhow::Result<()> {
        let child = self.keep(Child::start(Part::Sidecar, Command::new(&programs.sidecar), variables)?);
        health::wait(http, child, &format!("{}/health", urls.facade), SIDECAR_START_MAX).await
    }

    fn serve_page(
        &mut self,
        listener: TcpListener,
        root: &Path,
        sandbox: PathBuf,
        urls: &Urls,
        secrets: &Secrets,
    ) -> anyhow::Result<()> {
        let page = Page::new(root.join("examples/web"), sandbox, urls, DEMO_USER_EMAIL, &secrets.demo_user_password);
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        self.page_tasks.spawn(page::serve(listener, page, self.page_stop.clone()));
        Ok(())
    }

    fn keep(&mut self, child: Child) -> &mut Child {
        self.children.push(child);
        self.children.last_mut().expect("a vector is not empty after a push")
    }

    /// Waits for a signal or for a part that ends on its own, which is an error with the part's
    /// exit code.
    async fn run_until_end(&mut self, stop: &mut Stop) -> anyhow::Result<ExitCode> {
        tokio::select! {
            () = stop.asked() => Ok(ExitCode::SUCCESS),
            (part, status) = self.first_end() => {
                let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                console::note(&format!("error: {} ended on its own ({how})", part.name()));
                Ok(ExitCode::from(part.exit_code()))
            }
        }
    }

    /// Returns when the first part ends.
    pub async fn first_end(&mut self) -> (Part, std::io::Result<ExitStatus>) {
        let endings = self.children.iter_mut().map(|child| Box::pin(async { (child.part, child.ended().await) }));
        futures_util::future::select_all(endings).await.0
    }

    /// Stops the page, then the parts one after another.
    pub async fn stop(&mut self) {
        self.page_stop.cancel();
        self.page_tasks.close();
        self.page_tasks.wait().await;
        self.children.sort_by_key(|child| child.part);
        for child in self.children.drain(..) {
            child.stop().await;
        }
    }
}

/// Applies the migrations and creates the accounts, before the server runs. Can be repeated.
async fn set_up(pocketbase: &Path, arguments: &[String], secrets: &Secrets) -> anyhow::Result<()> {
    let output = Command::new(pocketbase)
        .args(arguments)
        .arg("setup")
        .envs(environment::for_setup(secrets))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {}", pocketbase.display()))?;
    let lines = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "PocketBase could not be set up:\n{}", String::from_utf8_lossy(&lines).trim());
    Ok(())
}

/// The file with all addresses, keys and logins.
pub fn env_file(root: &Path, options: &Options) -> PathBuf {
    options.env_file.clone().unwrap_or_else(|| root.join(".dev/env"))
}

/// The folders and files that a stack uses.
struct Paths {
    data: PathBuf,
    env_file: PathBuf,
    migrations: PathBuf,
    commands: PathBuf,
}

impl Paths {
    fn new(root: &Path, options: &Options) -> Self {
        Self {
            data: options.data.clone().unwrap_or_else(|| root.join(".dev/data")),
            env_file: env_file(root, options),
            migrations: root.join("pb_migrations"),
            commands: root.join("pb_commands"),
        }
    }

    /// Locks the data folder.
    fn lock(&self) -> anyhow::Result<File> {
        let path = self.data.join("lock");
        std::fs::create_dir_all(&self.data).with_context(|| format!("cannot create {}", self.data.display()))?;
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => {
                bail!(
                    "another `dev` works on {}: stop it, or choose another folder with --data DIR",
                    self.data.display()
                )
            }
            Err(std::fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Removes the database and the env file of an earlier start, and nothing else.
    fn clear(&self) -> anyhow::Result<()> {
        let database = self.data.join("pb_data");
        ignore_absent(std::fs::remove_dir_all(&database))
            .with_context(|| format!("cannot remove {}", database.display()))?;
        ignore_absent(std::fs::remove_file(&self.env_file))
            .with_context(|| format!("cannot remove {}", self.env_file.display()))
    }

    /// Names every folder: `PocketBase`'s defaults depend on where its data is.
    fn pocketbase_arguments(&self) -> Vec<String> {
        vec![
            format!("--dir={}", self.data.join("pb_data").display()),
            format!("--migrationsDir={}", self.migrations.display()),
            format!("--hooksDir={}", self.commands.display()),
            "--hooksWatch=false".into(),
        ]
    }
}

fn ignore_absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
