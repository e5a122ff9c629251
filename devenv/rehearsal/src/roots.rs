//! The files of both Terraform roots.

use camino::Utf8Path;
use devenv_model::container::MountSource;
use devenv_model::manifest::{Health, Manifest, PromoteTarget};
use devenv_model::messaging::Messaging;
use serde_json::{Map, Value, json};

use crate::account::{ACCOUNT, REGION, bucket};
use crate::services::{NotRehearsed, port, public, rehearsed, services};

const FOUNDATION: &str = include_str!("roots/foundation.tf");
/// Below the target's folder.
pub const SERVICES: &str = "release/services.json";
const RELEASE: &str = include_str!("roots/release.tf");
/// The target's name in both.
const TARGET: &str = "TARGET";

/// The files that a release of this project needs, by path. An error if a rehearsal cannot run one of the services.
pub fn files(manifest: &Manifest, target: &PromoteTarget) -> Result<Vec<(String, String)>, NotRehearsed> {
    let bucket = bucket(&manifest.name, &target.name);
    let account = json!({ "bucket": bucket, "region": REGION, "allowed_account_ids": [ACCOUNT] });
    let file = |path: &str, text: String| (target.terraform.join(Utf8Path::new(path)).into_string(), text);
    Ok(vec![
        file("account.tfvars.json", pretty(&account)),
        file("foundation/main.tf", FOUNDATION.replace(TARGET, &target.name)),
        file("release/main.tf", RELEASE.replace(TARGET, &target.name)),
        file(SERVICES, pretty(&services(manifest)?)),
    ])
}

/// The variables of the foundation. `made` is the content of the account.
pub fn foundation_inputs(manifest: &Manifest, made: &Value) -> Value {
    let tables = manifest.tables.iter().map(|table| (table.name.clone(), table.definition.clone()));
    let tables: Map<String, Value> = tables.collect();
    json!({ "made": made, "public": public(manifest), "tables": tables, "messaging": messaging_files(&manifest.messaging) })
}

/// The files of queues, topics and subscriptions, by kind and name.
pub fn messaging_files(messaging: &Messaging) -> Value {
    let by_name = |files: Vec<(&String, &Value)>| -> Map<String, Value> {
        files.into_iter().map(|(name, definition)| (name.clone(), definition.clone())).collect()
    };
    json!({
        "queues": by_name(messaging.queues.iter().map(|file| (&file.name, &file.definition)).collect()),
        "topics": by_name(messaging.topics.iter().map(|file| (&file.name, &file.definition)).collect()),
        "subscriptions": by_name(messaging.subscriptions.iter().map(|file| (&file.name, &file.definition)).collect()),
    })
}

/// What a foundation of these inputs is made from: another text stands for another foundation.
pub fn foundation_made_from(inputs: &Value) -> String {
    json!([inputs, FOUNDATION]).to_string()
}

/// What services have in their Compose file and not in a rehearsal.
pub fn notices(manifest: &Manifest) -> Vec<String> {
    let is_kept = |source: &MountSource| !matches!(source, MountSource::Memory { .. });
    let services = rehearsed(manifest).filter(|service| {
        let container = &service.container;
        let mounts = container.mounts.iter().any(|mount| is_kept(&mount.source));
        mounts || !container.files.is_empty() || !container.volumes_from.is_empty()
    });
    let notice = |name: &str| format!("{name} runs without its volumes, secrets and configs: a release has none");
    let user = |name: &str| format!("{name} runs as its image's user: the emulated AWS knows no other");
    let users = rehearsed(manifest).filter(|service| service.user.is_some());
    let unasked = rehearsed(manifest).filter_map(|service| {
        let health = service.health.as_ref().filter(|health| health.port != port(service))?;
        let (name, Health { path, port: its }, balanced) = (&service.name, health, port(service));
        Some(format!("{path} of {name} is not asked: it is at port {its}, and the load balancer leads to {balanced}"))
    });
    let named = services.map(|service| notice(&service.name)).chain(users.map(|service| user(&service.name)));
    named.chain(unasked).collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::tests::manifest;

    #[test]
    fn a_service_with_more_than_a_task_has_is_named() {
        let text = "  web:\n    image: a:1\n    volumes: [\"data:/data\"]\n  api:\n    image: a:1\n    tmpfs: /tmp\n    user: app\nvolumes: { data: }\n";
        let settings = "[services.web]\nhealth = { path = \"/livez\", port = 9000 }\n";
        let text = text.replace("  api:", "    ports: [\"8000\", \"9000\"]\n  api:");
        let notices = notices(&manifest(&text, settings));
        let [volumes, user, health] = &notices[..] else { panic!("{notices:?}") };
        assert!(health.starts_with("/livez of web is not asked: it is at port 9000,"), "{health}");
        assert!(volumes.starts_with("web runs without its volumes"), "{volumes}");
        assert!(user.starts_with("api runs as its image's user"), "{user}");
    }

    /// Leads the release's root to files beside it.
    const LOCAL: &str = r#"
terraform {
  backend "local" {}
}
data "terraform_remote_state" "foundation" {
  backend = "local"
  config  = { path = "foundation.json" }
}
"#;

    /// The plan of a release whose service `web` has this token.
    fn plan(folder: &Utf8Path, token: &str) -> String {
        let made =
            json!({ "name": "shop", "cluster": { "name": "shop" }, "services": { "web": { "target_group": "arn" } } });
        let services = json!(["map", ["object", { "target_group": "string" }]]);
        let kind =
            json!(["object", { "name": "string", "cluster": ["object", { "name": "string" }], "services": services }]);
        let outputs = json!({ "release": { "value": made, "type": kind } });
        let container = json!({ "name": "web", "environment": [{ "name": "TOKEN", "value": token }] });
        let inputs = json!({
            "bucket": "b", "region": "r", "allowed_account_ids": [],
            "images": { "web": { "reference": "web@sha256:1", "platform": "linux/amd64" } },
        });
        for (file, text) in [
            ("main.tf", RELEASE.to_owned()),
            ("local_override.tf", LOCAL.to_owned()),
            (
                "foundation.json",
                json!({ "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", "outputs": outputs, "resources": [] })
                    .to_string(),
            ),
            ("services.json", json!({ "web": { "port": 80, "tasks": 1, "container": container } }).to_string()),
            ("inputs.tfvars.json", inputs.to_string()),
        ] {
            std::fs::write(folder.join(file), text).expect("writable");
        }
        let terraform = |arguments: &str| {
            let mut command = std::process::Command::new("terraform");
            let command = command.args(arguments.split(' ')).current_dir(folder).env("DEVENV_BIN", "true");
            let output = command.env("CHECKPOINT_DISABLE", "1").output().expect("terraform is installed");
            let text =
                [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
            assert!(output.status.success(), "terraform {arguments}: {text}");
            text
        };
        terraform("init -no-color");
        let plan = terraform("plan -no-color -var-file=inputs.tfvars.json -out=plan");
        terraform("apply -no-color plan");
        plan
    }

    #[test]
    #[ignore = "needs Terraform"]
    fn no_plan_prints_the_variables_of_a_service() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        for (token, change) in [("hunter1", "will be created"), ("hunter2", "must be replaced")] {
            let plan = plan(folder, token);
            assert!(plan.contains(&format!("terraform_data.service[\"web\"] {change}")), "{plan}");
            assert!(!plan.contains("hunter"), "{plan}");
        }
    }

    #[test]
    fn the_roots_have_the_states_of_their_target() {
        for (text, state) in [(FOUNDATION, "foundation"), (RELEASE, "release")] {
            let text = text.replace(TARGET, "trial");
            assert!(text.contains(&format!("\"trial/{state}.tfstate\"")), "{state}");
        }
    }
}
