//! A promotion with the rights of the promotion role, on an emulated AWS that enforces them.

use std::process::Command;

use super::project::{Project, admit};
use super::server::Behaviour::Good;
use crate::containers::engine::docker;
use serde_json::Value;

/// Creates two users, one with the policy and one without, and the foundation of `dev`, a copy of the rehearsal's. Runs
/// inside the container of the emulated AWS, which has an SDK and its owner's login. Prints a line per user: name, key, secret.
const USERS: &str = r#"
import botocore.session, sys
session = botocore.session.get_session()
def client(service):
    return session.create_client(service, region_name="eu-west-1", endpoint_url="http://127.0.0.1:4566")
iam, s3 = client("iam"), client("s3")
state = s3.get_object(Bucket="shop-state", Key="rehearsal/foundation.tfstate")["Body"].read()
s3.put_object(Bucket="shop-state", Key="dev/foundation.tfstate", Body=state)
for name in ["promoter", "nobody"]:
    iam.create_user(UserName=name)
    if name == "promoter":
        iam.put_user_policy(UserName=name, PolicyName="promote", PolicyDocument=sys.argv[1])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    print(name, key["AccessKeyId"], key["SecretAccessKey"])
"#;

/// The policy of the promotion role, as the module renders it for this project. This emulator knows only the cluster of an
/// ECS call, and no conditions: the test covers the actions of ECS, and for S3 the resources too.
fn policy(project: &Project) -> String {
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/../../terraform/modules/delivery/rights");
    let root = format!(
        r#"module "rights" {{
  source          = "{module}"
  name            = "shop"
  environment     = "dev"
  region          = "eu-west-1"
  account_id      = "000000000000"
  bucket          = "shop-state"
  cluster         = {{ arn = "arn:aws:ecs:eu-west-1:000000000000:cluster/shop-rehearsal", name = "shop-rehearsal" }}
  repository_arns = {{ web = "arn:aws:ecr:eu-west-1:000000000000:repository/shop/web" }}
  access = {{
    web = {{
      task_role_arn      = "arn:aws:iam::000000000000:role/web"
      execution_role_arn = "arn:aws:iam::000000000000:role/web-execution"
      log_group_arn      = "arn:aws:logs:eu-west-1:000000000000:log-group:/shop/web"
    }}
  }}
}}
output "policy" {{ value = module.rights.policy }}
"#
    );
    project.write(".devenv/policy/main.tf", &root);
    let terraform = |arguments: &[&str]| {
        let folder = project.path().join(".devenv/policy");
        let output = Command::new("terraform").args(arguments).current_dir(folder).output().expect("terraform is here");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    terraform(&["init", "-no-color"]);
    terraform(&["apply", "-no-color", "-auto-approve"]);
    let mut policy: Value = serde_json::from_str(&terraform(&["output", "-raw", "policy"])).expect("JSON");
    for statement in policy["Statement"].as_array_mut().expect("a list") {
        if statement["Action"][0].as_str().is_some_and(|action| action.starts_with("ecs:")) {
            statement["Resource"] = "*".into();
            statement.as_object_mut().expect("an object").remove("Condition");
        }
    }
    policy.to_string()
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn the_promotion_role_suffices_and_nothing_less_does() {
    let aws = Project::emulated_aws();
    let project = Project::on("shop-aws:1", "work");
    project.write("aws/Dockerfile", &format!("FROM {aws}\nENV AUTH=true\n"));
    docker(&["build", "--quiet", "--tag", "shop-aws:1", &project.path().join("aws").display().to_string()]);
    // No tables: devenv creates them without a signature that this emulator accepts.
    project.change("devenv.toml", "seeds = \"seeds\"\n", "");
    std::fs::remove_file(project.path().join("tables/items.json")).expect("ours");
    project.write("tables/.keep", "");
    let settings = std::fs::read_to_string(project.path().join("devenv.toml")).expect("readable");
    let account = "[promote.dev]\naccount = \"000000000000\"\nregion = \"eu-west-1\"\n";
    project.write("devenv.toml", &format!("{settings}{account}"));
    project.tested(Good, 1);
    let url = project.released();
    project.tested(Good, 2);
    let root = format!("label=devenv.root={}", project.root());
    let container = docker(&["ps", "--filter", &root, "--filter", "name=-aws$", "--format", "{{.Names}}"]);
    let users = docker(&["exec", &container, "python3", "-c", USERS, &policy(&project)]);
    let promote = |name: &str| {
        let user = users.lines().find_map(|line| line.strip_prefix(name)).expect("the user was made");
        let (key, secret) = user.trim().split_once(' ').expect("a key and a secret");
        admit(&url, key);
        project.promote_dev(&url, &[("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret)])
    };
    let without = promote("nobody");
    assert_eq!(without.code, 1, "{}", without.err);
    assert!(without.err.contains("AccessDenied"), "{}", without.err);
    assert_eq!(project.edition(&url), Ok(1));
    let with = promote("promoter");
    assert_eq!(with.code, 0, "{}", with.err);
    assert_eq!(project.edition(&url), Ok(2));
}
