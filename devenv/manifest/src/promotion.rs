//! The `[promote.NAME]` sections: their checks, and the targets they define.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use devenv_model::manifest::{EmulatorKind, PromotePlace, PromoteTarget};
use devenv_model::names::is_name;
use toml::Spanned;

use crate::image::image;
use crate::settings::{PromoteSettings, Settings};
use devenv_document::closest::closest;
use devenv_document::problem::Problem;

const PLATFORM: &str = "linux/amd64";

/// Runs the checks that need no other file.
pub(crate) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    for (name, section) in &settings.content.promote {
        requires(settings, name, section, problems);
        let mut wrong = |written: Option<&Spanned<String>>, is_right: fn(&str) -> bool, what: &str, help: &str| {
            if let Some(written) = written.filter(|written| !is_right(written.get_ref())) {
                problems.push(settings.problem("manifest.promote", written.span(), what).help(help));
            }
        };
        wrong(
            section.account.as_ref(),
            is_account,
            "an account is twelve digits",
            "write it in quotes, such as \"123456789012\"",
        );
        wrong(section.region.as_ref(), is_name, "this is not a region", "write a region such as \"eu-west-1\"");
        wrong(
            section.platform.as_ref(),
            is_platform,
            "this platform is not supported",
            "write \"linux/amd64\" or \"linux/arm64\"",
        );
        if let Some(folder) = section.terraform.as_ref().filter(|folder| folder.get_ref().is_absolute()) {
            problems.push(
                settings
                    .problem("manifest.promote", folder.span(), "expected a path relative to devenv.toml")
                    .help("an absolute path works on one machine only"),
            );
        }
    }
}

fn requires(settings: &Settings, own: &str, section: &PromoteSettings, problems: &mut Vec<Problem>) {
    let targets = &settings.content.promote;
    for required in &section.requires {
        let name = required.get_ref();
        if name == own || !targets.contains_key(name) {
            let others = targets.keys().map(String::as_str).filter(|other| *other != own);
            let help = closest(name, others)
                .map_or_else(|| format!("add [promote.{name}]"), |meant| format!("did you mean {meant}?"));
            let message = format!("{own} cannot require {name}: there is no other target of that name");
            problems.push(settings.problem("manifest.promote", required.span(), message).help(help));
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_platform(text: &str) -> bool {
    matches!(text, "linux/amd64" | "linux/arm64")
}

/// Returns the targets by name. An incomplete target is a mistake only when a promotion uses it.
pub(crate) fn targets(
    settings: &Settings,
    variables: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, PromoteTarget> {
    let mut found = BTreeMap::new();
    for (name, section) in &settings.content.promote {
        let text = |value: &Option<Spanned<String>>| value.as_ref().map(|value| value.get_ref().clone());
        let place = match &section.image {
            Some(written) => match image(settings, written, variables, problems) {
                Some(image) => PromotePlace::Rehearsal { image },
                None => continue,
            },
            None => PromotePlace::Account {
                account: text(&section.account).unwrap_or_default(),
                region: text(&section.region).unwrap_or_default(),
            },
        };
        let emulators = match &section.emulators[..] {
            [] => vec![EmulatorKind::Embedded],
            named => named.iter().map(|kind| *kind.get_ref()).collect(),
        };
        let folder = section.terraform.as_ref().map(|folder| folder.get_ref().clone());
        let target = PromoteTarget {
            name: name.clone(),
            place,
            names_terraform: folder.is_some(),
            terraform: folder.unwrap_or_else(|| Utf8PathBuf::from("terraform/envs").join(name)),
            platform: text(&section.platform).unwrap_or_else(|| PLATFORM.to_owned()),
            emulators,
            requires: section.requires.iter().map(|name| name.get_ref().clone()).collect(),
            evidence: section.evidence,
        };
        found.insert(name.clone(), target);
    }
    found
}
