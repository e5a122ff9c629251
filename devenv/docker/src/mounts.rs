//! The mounts of a container, in the three forms in which an engine takes them.

use std::collections::HashMap;

use bollard::models::{
    Mount as EngineMount, MountBindOptions, MountBindOptionsPropagationEnum, MountTypeEnum, MountVolumeOptions,
};
use devenv_model::container::{Bind, Mount, MountSource};

/// The paths of this machine with a label of SELinux, which only this form has.
pub(crate) fn binds(mounts: &[Mount]) -> Option<Vec<String>> {
    let mut binds = Vec::new();
    for mount in mounts {
        if let MountSource::Bind(Bind { path, selinux: Some(label), propagation, .. }) = &mount.source {
            let access = if mount.read_only { "ro" } else { "rw" };
            let options = [Some(access), Some(label), propagation.as_deref()];
            let options = options.into_iter().flatten().collect::<Vec<_>>().join(",");
            binds.push(format!("{path}:{}:{options}", mount.target));
        }
    }
    (!binds.is_empty()).then_some(binds)
}

/// The folders in memory, with options as `mount` has them.
pub(crate) fn memory(mounts: &[Mount]) -> Option<HashMap<String, String>> {
    let of_memory = mounts.iter().filter_map(|mount| match &mount.source {
        MountSource::Memory { options } => Some((mount.target.clone(), options.clone())),
        _ => None,
    });
    let memory: HashMap<String, String> = of_memory.collect();
    (!memory.is_empty()).then_some(memory)
}

/// The other mounts.
pub(crate) fn mounts(mounts: &[Mount]) -> Option<Vec<EngineMount>> {
    let mounts: Vec<EngineMount> = mounts.iter().filter_map(mounted).collect();
    (!mounts.is_empty()).then_some(mounts)
}

fn mounted(mount: &Mount) -> Option<EngineMount> {
    let common = EngineMount {
        target: Some(mount.target.clone()),
        read_only: mount.read_only.then_some(true),
        ..EngineMount::default()
    };
    let volume = |name: Option<String>, no_copy: bool| EngineMount {
        typ: Some(MountTypeEnum::VOLUME),
        source: name,
        volume_options: no_copy.then(|| MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() }),
        ..common.clone()
    };
    match &mount.source {
        MountSource::Volume { volume: named, no_copy } => Some(volume(named.name.clone(), *no_copy)),
        MountSource::Anonymous { no_copy } => Some(volume(None, *no_copy)),
        MountSource::Bind(bind) if bind.selinux.is_none() => Some(EngineMount {
            typ: Some(MountTypeEnum::BIND),
            source: Some(bind.path.clone()),
            bind_options: Some(MountBindOptions {
                propagation: bind.propagation.as_deref().and_then(propagation),
                non_recursive: (!bind.recursive).then_some(true),
                // For an engine on another machine. An engine before API 1.42 ignores it.
                create_mountpoint: bind.create.then_some(true),
                ..MountBindOptions::default()
            }),
            ..common
        }),
        MountSource::Bind(_) | MountSource::Memory { .. } => None,
    }
}

fn propagation(word: &str) -> Option<MountBindOptionsPropagationEnum> {
    word.parse().ok()
}
