use std::path::Path;

use devenv_messaging::{Messaging, OpenError, Place};
use tokio::sync::OnceCell;

use crate::Error;

/// Queues and topics, opened when they are first asked for: a project without any pays nothing for them.
pub(crate) struct Messages {
    place: Place,
    opened: OnceCell<Messaging>,
}

impl Messages {
    /// A file that exists is opened at once, so that a start reports what is wrong with it.
    pub(crate) fn at(place: Place) -> Result<Self, Error> {
        let exists = match &place {
            Place::Memory => false,
            Place::File(path) => path.exists(),
        };
        if let Place::File(path) = &place {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if !folder.is_dir() {
                return Err(Error::NoFolder { path: path.clone() });
            }
        }
        let opened = exists.then(|| Messaging::open(&place)).transpose()?;
        Ok(Self { place, opened: OnceCell::new_with(opened) })
    }

    pub(crate) async fn get(&self) -> Result<&Messaging, OpenError> {
        let open = || async {
            let place = self.place.clone();
            let opened = tokio::task::spawn_blocking(move || Messaging::open(&place)).await;
            opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        };
        self.opened.get_or_try_init(open).await
    }

    /// Goes on with what a kill interrupted, if there was a file.
    pub(crate) fn resume(&self) {
        if let Some(opened) = self.opened.get() {
            opened.resume();
        }
    }

    /// Ends long polls.
    pub(crate) fn drain(&self) {
        if let Some(opened) = self.opened.get() {
            opened.drain();
        }
    }
}
