use tokio::sync::watch;

/// The shared state of a service's shutdown: whether it drains, and the work it must wait for.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    draining: watch::Sender<bool>,
    work: watch::Sender<usize>,
}

/// A guard for work: the drain waits until it is dropped.
#[derive(Debug)]
pub struct Work(watch::Sender<usize>);

impl Default for Lifecycle {
    fn default() -> Self {
        Self { draining: watch::Sender::new(false), work: watch::Sender::new(0) }
    }
}

impl Lifecycle {
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits until the service begins to drain.
    pub async fn draining(&self) {
        // `self` owns the sender, so the channel cannot close.
        let _ = self.draining.subscribe().wait_for(|draining| *draining).await;
    }

    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Registers work that the drain must not cut off.
    pub fn work(&self) -> Work {
        self.work.send_modify(|count| *count += 1);
        Work(self.work.clone())
    }

    /// Waits until no registered work is left.
    pub async fn idle(&self) {
        let _ = self.work.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
