use tokio::sync::watch;

/// The cancellation of a command, which every part of it can check or await.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Receiver<bool>);

/// The other end: [`Canceller::cancel`] is called once, by the signal handler.
#[derive(Debug)]
pub struct Canceller(watch::Sender<bool>);

impl Cancel {
    pub fn channel() -> (Canceller, Self) {
        let (sender, receiver) = watch::channel(false);
        (Canceller(sender), Self(receiver))
    }

    /// A `Cancel` that is never cancelled.
    pub fn never() -> Self {
        Self::channel().1
    }

    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once cancelled; never if the canceller was dropped unused.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Canceller {
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}
