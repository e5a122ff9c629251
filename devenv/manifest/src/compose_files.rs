//! The secrets and configs of a service. No message has a content.

use devenv_document::tree::{Entry, Node};
use devenv_model::container::{FileSource, MountedFile};

use crate::compose_context::Context;
use crate::compose_keys::{CONFIG, SECRET, SERVICE_FILE, Uses};
use crate::compose_reader::Reader;

/// Permission bits by default: everybody in the container reads.
const MODE: u32 = 0o444;

/// Secrets or configs.
struct Kind {
    section: &'static str,
    /// The folder of a target that is no absolute path.
    folder: &'static str,
    keys: Uses,
}

const KINDS: [Kind; 2] = [
    Kind { section: "secrets", folder: "/run/secrets/", keys: SECRET },
    Kind { section: "configs", folder: "/", keys: CONFIG },
];

impl Reader {
    pub(crate) fn files(&mut self, service: &Node, context: Context) -> Vec<MountedFile> {
        let mut files = Vec::new();
        for kind in KINDS {
            let Some(mounts) = service.get(kind.section) else { continue };
            files.extend(self.list(mounts).iter().filter_map(|mount| self.file(mount, &kind, context)));
        }
        files
    }

    fn file(&mut self, mount: &Node, kind: &Kind, context: Context) -> Option<MountedFile> {
        let entries = self.mapping(mount)?;
        self.use_keys(entries, SERVICE_FILE);
        let source = self.text(mount.get("source")?)?;
        let written = mount.get("target").and_then(Node::text).unwrap_or(&source);
        let target = if written.starts_with('/') { written.to_owned() } else { [kind.folder, written].concat() };
        if target.ends_with('/') || target.split('/').any(|part| matches!(part, "." | "..")) {
            self.report("compose.value", mount, format!("{target} is not the path of a file"));
            return None;
        }
        let owner = |reader: &mut Self, key: &str| mount.get(key).and_then(|node| reader.number(node)).unwrap_or(0);
        let (uid, gid) = (owner(self, "uid"), owner(self, "gid"));
        let mode = mount.get("mode").and_then(|node| self.number(node)).unwrap_or(MODE);
        let described = context.described(kind.section, &source)?;
        let entries = described.entries().unwrap_or_default();
        let before = self.problems.len();
        self.use_keys(entries, kind.keys);
        if self.problems.len() > before {
            return None;
        }
        Some(MountedFile { target, uid, gid, mode, source: self.source(entries, context)? })
    }

    fn source(&mut self, entries: &[Entry], context: Context) -> Option<FileSource> {
        let source = entries.iter().find(|entry| matches!(entry.key.as_str(), "file" | "environment" | "content"))?;
        let text = self.text(&source.value)?;
        Some(match source.key.as_str() {
            "file" => FileSource::File(text.into()),
            "environment" => match context.project.variables.get(&text) {
                Some(value) => FileSource::Content(value.clone()),
                // Not a mistake of the file: `down` works without the variable.
                None => FileSource::Unset(text),
            },
            _ => FileSource::Content(text),
        })
    }
}
