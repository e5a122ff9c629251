//! The changes of a Terraform plan, in words, and the changes that no promotion may make.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Resource types that hold data, or that others refer to by name. A promotion may remove none of them.
const KEPT: [&str; 10] = [
    "aws_dynamodb_table",
    "aws_dynamodb_global_secondary_index",
    "aws_sqs_queue",
    "aws_db_instance",
    "aws_rds_cluster",
    "aws_s3_bucket",
    "aws_ecr_repository",
    "aws_kms_key",
    "aws_cloudwatch_log_group",
    "aws_lb",
];
/// A promotion may not remove one that has subscriptions: what is published until its return, nobody receives.
const TOPIC: &str = "aws_sns_topic";
const SUBSCRIPTION: &str = "aws_sns_topic_subscription";

/// The changes of a plan, read from `terraform show -json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub resources: Vec<ResourceChange>,
    /// The outputs whose values change.
    pub outputs: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChange {
    pub address: String,
    pub kind: String,
    pub action: Action,
    /// Whether a topic of this plan has subscriptions.
    #[serde(skip)]
    pub is_subscribed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Replace,
    Destroy,
}

#[derive(Deserialize)]
struct Plan {
    #[serde(default)]
    resource_changes: Vec<PlannedResource>,
    #[serde(default)]
    output_changes: std::collections::BTreeMap<String, Change>,
}

#[derive(Deserialize)]
struct PlannedResource {
    address: String,
    #[serde(rename = "type")]
    kind: String,
    change: Change,
}

#[derive(Deserialize)]
struct Change {
    actions: Vec<String>,
    /// The resource as it is; null for a new one.
    #[serde(default)]
    before: Value,
}

impl Changes {
    /// Reads the JSON of a plan.
    pub fn read(json: &[u8]) -> Result<Self, serde_json::Error> {
        let plan: Plan = serde_json::from_slice(json)?;
        let subscriptions = plan.resource_changes.iter().filter(|resource| resource.kind == SUBSCRIPTION);
        let subscribed: BTreeSet<String> =
            subscriptions.filter_map(|one| Some(one.change.before["topic_arn"].as_str()?.to_owned())).collect();
        let resources = plan.resource_changes.into_iter().filter_map(|resource| {
            let action = Action::of(&resource.change.actions)?;
            let arn = resource.change.before["arn"].as_str();
            let is_subscribed = resource.kind == TOPIC && arn.is_some_and(|arn| subscribed.contains(arn));
            Some(ResourceChange { address: resource.address, kind: resource.kind, action, is_subscribed })
        });
        let outputs = plan.output_changes.into_iter().filter(|(_, change)| Action::of(&change.actions).is_some());
        Ok(Self { resources: resources.collect(), outputs: outputs.map(|(name, _)| name).collect() })
    }

    /// Whether no resource changes. New output values alone change nothing that runs.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// The protected resources that the plan would remove.
    pub fn forbidden(&self) -> Vec<&ResourceChange> {
        let takes_away = |change: &&ResourceChange| matches!(change.action, Action::Replace | Action::Destroy);
        let is_kept = |change: &&ResourceChange| change.is_subscribed || KEPT.contains(&change.kind.as_str());
        self.resources.iter().filter(takes_away).filter(is_kept).collect()
    }

    pub fn count(&self, action: Action) -> usize {
        self.resources.iter().filter(|change| change.action == action).count()
    }
}

impl Action {
    /// `None` for a resource that is only read or stays unchanged.
    fn of(actions: &[String]) -> Option<Self> {
        let has = |name: &str| actions.iter().any(|action| action == name);
        match (has("create"), has("delete"), has("update")) {
            (true, true, _) => Some(Self::Replace),
            (true, false, _) => Some(Self::Create),
            (false, true, _) => Some(Self::Destroy),
            (false, false, true) => Some(Self::Update),
            (false, false, false) => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Create => "add",
            Self::Update => "change",
            Self::Replace => "replace",
            Self::Destroy => "destroy",
        }
    }
}

/// One line per change; empty without changes.
impl fmt::Display for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, change) in self.resources.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{end}{change}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ResourceChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.action.word(), self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(resources: &[(&str, &[&str])]) -> Changes {
        let resource = |(address, actions): &(&str, &[&str])| {
            let kind = address.split('.').next().unwrap_or_default();
            serde_json::json!({ "address": address, "type": kind, "mode": "managed", "change": { "actions": actions } })
        };
        let resources: Vec<_> = resources.iter().map(resource).collect();
        let json = serde_json::json!({
            "format_version": "1.2",
            "resource_changes": resources,
            "output_changes": { "images": { "actions": ["update"] }, "url": { "actions": ["no-op"] } },
        });
        Changes::read(json.to_string().as_bytes()).expect("a plan")
    }

    #[test]
    fn what_changes_is_said_a_line_each() {
        let changes = plan(&[
            ("aws_ecs_service.api", &["update"]),
            ("aws_ecs_task_definition.api", &["create", "delete"]),
            ("aws_sns_topic.alarms", &["create"]),
            ("aws_cloudwatch_metric_alarm.old", &["delete"]),
            ("aws_iam_role.api", &["no-op"]),
            ("aws_ecs_cluster.this", &["read"]),
        ]);
        insta::assert_snapshot!(changes.to_string());
        assert_eq!(changes.outputs, ["images"]);
        assert_eq!(changes.forbidden(), Vec::<&ResourceChange>::new());
        assert!(plan(&[("aws_iam_role.api", &["no-op"])]).is_empty());
    }

    #[test]
    fn nothing_that_holds_data_may_go() {
        for (address, actions, is_forbidden) in [
            ("aws_dynamodb_table.orders", &["delete"][..], true),
            ("aws_dynamodb_table.orders", &["delete", "create"], true),
            ("aws_dynamodb_table.orders", &["create", "delete"], true),
            ("aws_dynamodb_table.orders", &["update"], false),
            ("aws_dynamodb_table.orders", &["create"], false),
            ("aws_dynamodb_global_secondary_index.by_customer", &["delete"], true),
            ("aws_sqs_queue.reporting", &["delete"], true),
            ("aws_sqs_queue.reporting", &["delete", "create"], true),
            ("aws_sqs_queue.reporting", &["update"], false),
            ("aws_db_instance.reporting", &["delete"], true),
            ("aws_db_instance.reporting", &["create", "delete"], true),
            ("aws_rds_cluster.reporting", &["delete"], true),
            ("aws_sns_topic.order_events", &["delete"], false),
            ("aws_sns_topic_subscription.reporting", &["delete"], false),
            ("aws_s3_bucket.state", &["delete"], true),
            ("aws_ecr_repository.api", &["delete", "create"], true),
            ("aws_ecs_service.api", &["delete", "create"], false),
        ] {
            assert_eq!(!plan(&[(address, actions)]).forbidden().is_empty(), is_forbidden, "{address} {actions:?}");
        }
    }

    #[test]
    fn a_topic_with_subscriptions_may_not_go_either() {
        let forbidden = |actions: &[&str], subscribed_topic: &str, subscription: &[&str]| {
            let change = |address: &str, kind: &str, actions: &[&str], before: Value| serde_json::json!({ "address": address, "type": kind, "change": { "actions": actions, "before": before } });
            let events = serde_json::json!({ "arn": "arn:events" });
            let of = serde_json::json!({ "topic_arn": subscribed_topic });
            let changes = [
                change("module.messaging.aws_sns_topic.events", "aws_sns_topic", actions, events),
                change("aws_sns_topic_subscription.reporting", "aws_sns_topic_subscription", subscription, of),
                change("aws_sns_topic_subscription.new", "aws_sns_topic_subscription", &["create"], Value::Null),
            ];
            let plan = serde_json::json!({ "resource_changes": changes });
            let changes = Changes::read(plan.to_string().as_bytes()).expect("a plan");
            changes.forbidden().into_iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let topic = ["destroy module.messaging.aws_sns_topic.events"];
        assert_eq!(forbidden(&["delete"], "arn:events", &["delete"]), topic);
        assert_eq!(forbidden(&["delete"], "arn:events", &["no-op"]), topic);
        assert_eq!(forbidden(&["delete", "create"], "arn:events", &["update"]).len(), 1);
        assert_eq!(forbidden(&["update"], "arn:events", &["delete"]), [""; 0]);
        assert_eq!(forbidden(&["delete"], "arn:alarms", &["delete"]), [""; 0], "the subscription is of another topic");
    }

    #[test]
    fn what_is_no_plan_is_an_error() {
        assert!(Changes::read(b"{").is_err());
        assert!(Changes::read(br#"{"resource_changes": [{"address": 1}]}"#).is_err());
    }
}
