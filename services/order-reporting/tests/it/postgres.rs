//! A PostgreSQL of the machine's own programs, for one test.

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use order_reporting::{
    Figures, Tally,
    database::{DatabaseSettings, Store, migrate},
};
use order_service::config::Environment;
use order_testing::{aws_config, eventually};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// PostgreSQL refuses to run as root; this user owns nothing.
const NOBODY: u32 = 65534;

/// Ends the server with this process, however that ends: the standard input of the shell then closes.
const GUARDED: &str = r#"exec 3<&0; "$@" </dev/null & server=$!; cat <&3 >/dev/null; kill -QUIT $server; wait $server"#;

/// A server on a socket of its own. Dropping it ends it and removes its data.
pub(crate) struct Postgres {
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    running: Option<Child>,
}

impl Postgres {
    /// Starts a server with the schema of the reports.
    pub(crate) async fn start() -> Self {
        let postgres = Self::empty().await;
        migrate(&postgres.settings(), &aws_config()).await.expect("an empty database takes all migrations");
        postgres
    }

    /// Starts a server without any table.
    pub(crate) async fn empty() -> Self {
        // Nothing listens at this port: it only names the socket.
        let mut postgres = Self::made(5432, vec!["listen_addresses=".to_owned()]);
        postgres.resume().await;
        postgres
    }

    /// Starts a server without any table, which takes connections over TCP only with TLS. Returns the certificate as well.
    pub(crate) async fn with_tls() -> (Self, String) {
        // Below the kernel's range for outgoing connections: none of them takes it before the server does.
        let first = 12_000 + u16::try_from(std::process::id() % 7_000).expect("small");
        let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let free = (first..20_000).find(is_free).expect("a free port");
        let settings = ["listen_addresses=127.0.0.1", "ssl=on"].map(str::to_owned).to_vec();
        let mut postgres = Self::made(free, settings);
        let data = postgres.folder.path().join("data");
        let certified = unprivileged(&mut Command::new("openssl"))
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=reports", "-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(data.join("server.key"))
            .arg("-out")
            .arg(data.join("server.crt"))
            .output()
            .expect("openssl runs");
        assert!(certified.status.success(), "{}", String::from_utf8_lossy(&certified.stderr));
        let access = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), access).expect("writable");
        postgres.resume().await;
        (postgres, std::fs::read_to_string(data.join("server.crt")).expect("a certificate"))
    }

    fn made(port: u16, settings: Vec<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("reporting").tempdir_in("/tmp").expect("a folder");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("root may give a folder away");
        }
        let data = folder.path().join("data");
        let made = unprivileged(&mut Command::new(program("initdb")))
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=reporting", "--pgdata"])
            .arg(data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder, port, settings, running: None }
    }

    /// Starts a stopped server.
    pub(crate) async fn resume(&mut self) {
        let folder = self.folder.path();
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARDED, "sh"])
            .arg(program("postgres"))
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(folder);
        let port = format!("port={}", self.port);
        let own = [port.as_str(), "fsync=off", "shared_buffers=16MB", "max_connections=40"];
        for setting in own.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let child = unprivileged(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell runs");
        self.running = Some(child);
        let url = self.url();
        eventually("an answer of PostgreSQL", Duration::from_mins(1), || async { client(&url).await }).await;
    }

    /// Ends the server as a crash does: its connections break, and it recovers at its next start.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().to_str().expect("text").replace('/', "%2F");
        format!("postgres://reporting@{socket}:{}/postgres", self.port)
    }

    /// Returns the URL over TCP.
    pub(crate) fn url_at(&self, host: &str) -> String {
        format!("postgres://reporting@{host}:{}/postgres", self.port)
    }

    pub(crate) fn settings(&self) -> DatabaseSettings {
        let environment = Environment::of_pairs(&[("DATABASE_URL", &self.url()), ("AWS_REGION", "eu-west-1")]);
        DatabaseSettings::read(&environment).expect("settings")
    }

    pub(crate) fn store(&self, connections: usize) -> Store {
        Store::new(&self.settings(), &aws_config(), connections).expect("a store")
    }

    pub(crate) async fn client(&self) -> Client {
        client(&self.url()).await.expect("a running server")
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.expect("valid SQL");
    }

    /// Reads all stored figures.
    pub(crate) async fn figures(&self) -> Figures {
        let client = self.client().await;
        let mut figures = Figures::default();
        for table in ["product_days", "customer_days", "days"] {
            let query = format!(
                "SELECT key, to_char(day, 'YYYY-MM-DD'), confirmed_orders, rejected_orders, confirmed_quantity, \
                 rejected_quantity, revenue::text FROM {table}"
            );
            for row in client.query(&query, &[]).await.expect("the table is there") {
                let number = |index: usize| u64::try_from(row.get::<_, i64>(index)).expect("not negative");
                let tally = Tally {
                    confirmed_orders: number(2),
                    rejected_orders: number(3),
                    confirmed_quantity: number(4),
                    rejected_quantity: number(5),
                    revenue: row.get::<_, &str>(6).parse().expect("a number"),
                };
                let key = (unescaped(row.get(0)), row.get::<_, &str>(1).parse().expect("a day"));
                let taken = match table {
                    "product_days" => figures.products.insert(key, tally),
                    "customer_days" => figures.customers.insert(key, tally),
                    _ => figures.days.insert(key.1, tally),
                };
                assert_eq!(taken, None);
            }
        }
        figures
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn client(url: &str) -> Option<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// Undoes the escapes of stored identifiers in a way of its own.
fn unescaped(stored: &str) -> String {
    stored.split("\\\\").map(|part| part.replace("\\0", "\0")).collect::<Vec<_>>().join("\\")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|folder| std::os::unix::fs::MetadataExt::uid(&folder) == 0)
}

fn unprivileged(command: &mut Command) -> &mut Command {
    if is_root() { command.uid(NOBODY).gid(NOBODY).current_dir("/") } else { command }
}

/// Finds a program of the newest PostgreSQL, as Debian installs it, or on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let found = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let program = version.path().join("bin").join(name);
        Path::is_file(&program).then_some((number, program))
    });
    found.max().map_or_else(|| PathBuf::from(name), |(_, program)| program)
}
