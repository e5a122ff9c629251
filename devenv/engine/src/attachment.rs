use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_runtime::{Emitter, Runtime};

use crate::error::Error;

/// This command's hold on the environment. Dropping it ends an environment of processes that this command started.
#[derive(Debug)]
pub struct Attachment {
    runtime: Arc<dyn Runtime>,
    owned: bool,
}

impl Attachment {
    pub(crate) fn new(runtime: Arc<dyn Runtime>, owned: bool) -> Self {
        Self { runtime, owned }
    }

    /// Whether the environment ends with this command unless it is detached.
    pub fn is_owner(&self) -> bool {
        self.owned
    }

    /// Leaves the environment running after this command.
    pub async fn detach(self) -> Result<(), Error> {
        if self.owned {
            self.runtime.detach().await?;
        }
        Ok(())
    }

    /// Stops the environment if this command started it.
    pub async fn stop(self, emitter: &Emitter) -> Result<(), Error> {
        if self.owned {
            self.runtime.take_down().await?;
            emitter.notice("environment stopped");
        }
        Ok(())
    }

    /// The digest of the image of each service; `None` if units are not images.
    pub async fn images(&self) -> Result<Option<BTreeMap<String, String>>, Error> {
        Ok(self.runtime.images().await?)
    }

    /// Writes logs that would be lost with the environment to files.
    pub async fn keep_logs(&self) {
        self.runtime.keep_logs().await;
    }

    /// Resolves when another command has stopped the environment.
    pub async fn lost(&mut self) {
        self.runtime.ended().await;
    }
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeRuntime;

    use super::*;

    #[tokio::test]
    async fn only_the_command_that_began_an_environment_stops_or_detaches_it() {
        let (emitter, _events) = Emitter::channel();
        for (owned, stopped, detached) in [(true, &["take down"][..], &["detach"][..]), (false, &[], &[])] {
            let runtime = Arc::new(FakeRuntime::default());
            Attachment::new(runtime.clone(), owned).stop(&emitter).await.expect("nothing fails");
            assert_eq!(runtime.done(), stopped, "owned: {owned}");
            Attachment::new(runtime.clone(), owned).detach().await.expect("nothing fails");
            assert_eq!(runtime.done(), detached, "owned: {owned}");
        }
    }
}
