//! The projects of these tests, which end with what they started.

use std::ops::{Deref, DerefMut};

use crate::folder::Folder;

/// A kind of project, with what its methods need beside the folder.
pub(crate) trait Kind {
    /// Ends what the tests of this kind start.
    const DOWN: &'static [&'static str];

    /// Removes what `devenv down` leaves.
    fn clear(&self, _: &Folder) {}
}

/// A project whose environment is taken down when it is dropped.
pub(crate) struct TakenDown<K: Kind> {
    pub(crate) folder: Folder,
    pub(crate) kind: K,
}

impl<K: Kind> Deref for TakenDown<K> {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

impl<K: Kind> DerefMut for TakenDown<K> {
    fn deref_mut(&mut self) -> &mut Folder {
        &mut self.folder
    }
}

impl<K: Kind> Drop for TakenDown<K> {
    fn drop(&mut self) {
        let _ = self.command(K::DOWN).output();
        self.kind.clear(&self.folder);
    }
}
