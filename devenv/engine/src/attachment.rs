use std::time::Duration;

use devenv_supervisor::client::Client;

use crate::containers::ContainerRuntime;
use crate::{Emitter, Error, Project};

/// Between two looks for containers that somebody else took down.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// This command's hold on the environment. Dropping it ends an environment of processes that this command started.
#[derive(Debug)]
pub struct Attachment {
    hold: Hold,
    owned: bool,
}

#[derive(Debug)]
pub(crate) enum Hold {
    Supervisor(Option<Client>),
    Containers(ContainerRuntime),
}

impl Attachment {
    pub(crate) fn new(hold: Hold, owned: bool) -> Self {
        Self { hold, owned }
    }

    /// Whether the environment ends with this command unless it is detached.
    pub fn is_owner(&self) -> bool {
        self.owned
    }

    /// Leaves the environment running after this command.
    pub async fn detach(mut self) -> Result<(), Error> {
        match &mut self.hold {
            Hold::Supervisor(Some(client)) if self.owned => Ok(client.detach().await?),
            Hold::Supervisor(_) | Hold::Containers(_) => Ok(()),
        }
    }

    /// Stops an environment that this command started; leaves one that ran before.
    pub async fn stop(mut self, emitter: &Emitter) -> Result<(), Error> {
        if !self.owned {
            return Ok(());
        }
        match &mut self.hold {
            Hold::Supervisor(Some(client)) => {
                client.shutdown().await?;
                client.closed().await;
            }
            Hold::Supervisor(None) => return Ok(()),
            Hold::Containers(runtime) => {
                runtime.take_down().await?;
            }
        }
        emitter.notice("environment stopped");
        Ok(())
    }

    /// The runtime of an environment of containers.
    pub(crate) fn containers(&self) -> Option<&ContainerRuntime> {
        match &self.hold {
            Hold::Containers(runtime) => Some(runtime),
            Hold::Supervisor(_) => None,
        }
    }

    /// Writes to files what would go with the environment.
    pub(crate) async fn keep_logs(&self, project: &Project) {
        if let Hold::Containers(runtime) = &self.hold {
            runtime.keep_logs(project).await;
        }
    }

    /// Resolves when the environment was stopped by somebody else.
    pub async fn lost(&mut self) {
        match &mut self.hold {
            Hold::Supervisor(Some(client)) => client.closed().await,
            Hold::Supervisor(None) => std::future::pending().await,
            Hold::Containers(runtime) => {
                while runtime.ours().await.is_ok_and(|ours| !ours.is_empty()) {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
        }
    }
}
