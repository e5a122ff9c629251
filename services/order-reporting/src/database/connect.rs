use std::pin::Pin;

use aws_config::SdkConfig;
use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, Error, NoTls, Socket,
    config::{Host, SslMode},
    tls::{MakeTlsConnect, TlsConnect},
};

use super::{settings::DatabaseSettings, tls::Tls, token::Login};

/// The limits of every session, for a client that died in the middle of a transaction, and for a statement that waits for another
/// session's lock. The date style makes a text of each date.
const SESSION: &str = "SET statement_timeout = '8s'; SET idle_in_transaction_session_timeout = '15s'; \
                       SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'";

/// Makes connections to the database.
pub(super) struct Dial {
    settings: DatabaseSettings,
    tls: Option<Tls>,
    login: Option<(Login, SdkConfig)>,
}

type Connected = Result<(Client, JoinHandle<()>), Error>;

impl Dial {
    pub(super) fn new(settings: &DatabaseSettings, aws: &SdkConfig) -> Self {
        let tls = (settings.server.get_ssl_mode() == SslMode::Require).then(|| Tls::trusting(&settings.authorities));
        let login = settings.iam.then(|| (login(settings), aws.clone()));
        Self { settings: settings.clone(), tls, login }
    }

    /// Connects without the limits of a session.
    pub(super) async fn unlimited(&self) -> Connected {
        let mut server = self.settings.server.clone();
        if let Some((login, aws)) = &self.login {
            match login.token(aws).await {
                Ok(token) => drop(server.password(token)),
                // The connection then fails for the lack of a password.
                Err(error) => tracing::error!(%error, "cannot sign a token for the database"),
            }
        }
        match &self.tls {
            Some(tls) => open(&server, tls.clone()).await,
            None => open(&server, NoTls).await,
        }
    }

    async fn session(&self) -> Connected {
        let (client, connection) = self.unlimited().await?;
        client.batch_execute(SESSION).await?;
        Ok((client, connection))
    }
}

impl Connect for Dial {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Connected> + Send + '_>> {
        Box::pin(self.session())
    }
}

async fn open<T>(server: &Config, tls: T) -> Connected
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = server.connect(tls).await?;
    let task = tokio::spawn(async move {
        // The client reports a broken connection to its user.
        drop(connection.await);
    });
    Ok((client, task))
}

fn login(settings: &DatabaseSettings) -> Login {
    let server = &settings.server;
    let host = match server.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(_)) | None => String::new(),
    };
    Login {
        host,
        port: server.get_ports().first().copied().unwrap_or(5432),
        user: server.get_user().unwrap_or_default().to_owned(),
        region: settings.region.clone(),
    }
}
