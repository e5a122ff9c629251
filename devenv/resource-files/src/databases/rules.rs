//! The keys of `CreateDBInstance` for PostgreSQL, and the values that each may have.

use std::ops::RangeInclusive;

use devenv_document::tree::Node;

/// The rule for the value of one key.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Checked elsewhere.
    Own,
    Boolean,
    /// A whole number in a range.
    Number(RangeInclusive<u64>),
    OneOf(&'static [&'static str]),
    /// A list of these.
    Each(&'static [&'static str]),
    /// Text that begins so.
    Text(&'static str),
    Tags,
    /// AWS gives it, or Terraform owns it: the reason why no file has it.
    LeftOut(&'static str),
}

const PASSWORD: Rule = Rule::LeftOut("AWS makes and keeps the password; on this machine devenv makes one");
const KEY: Rule = Rule::LeftOut("Terraform names the key, which is another in each account");
const NETWORK: Rule = Rule::LeftOut("Terraform places the database into the private subnets of the account");
const GROUP: Rule = Rule::LeftOut("Terraform makes the group");
const ROLE: Rule = Rule::LeftOut("Terraform makes the role");
const DOMAIN: Rule = Rule::LeftOut("a directory belongs to an account");
const AURORA: Rule = Rule::LeftOut("it is for a cluster of Aurora, and this is an instance of PostgreSQL");

/// The keys with RDS's limits; sizes in GiB, times in days.
pub(super) const KEYS: &[(&str, Rule)] = &[
    ("DBInstanceIdentifier", Rule::Own),
    ("Engine", Rule::Own),
    ("EngineVersion", Rule::Own),
    ("DBName", Rule::Own),
    ("MasterUsername", Rule::Own),
    ("DBInstanceClass", Rule::Text("db.")),
    ("AllocatedStorage", Rule::Number(20..=65_536)),
    ("MaxAllocatedStorage", Rule::Number(20..=65_536)),
    ("StorageType", Rule::OneOf(&["gp2", "gp3", "io1", "io2"])),
    ("Iops", Rule::Number(1_000..=256_000)),
    ("StorageThroughput", Rule::Number(125..=4_000)),
    ("StorageEncrypted", Rule::Boolean),
    ("MultiAZ", Rule::Boolean),
    ("Port", Rule::Number(1_150..=65_535)),
    ("BackupRetentionPeriod", Rule::Number(0..=35)),
    ("PreferredBackupWindow", Rule::Text("")),
    ("PreferredMaintenanceWindow", Rule::Text("")),
    ("AutoMinorVersionUpgrade", Rule::Boolean),
    ("CopyTagsToSnapshot", Rule::Boolean),
    ("DeletionProtection", Rule::Boolean),
    ("EnableIAMDatabaseAuthentication", Rule::Boolean),
    ("EnableCloudwatchLogsExports", Rule::Each(&["postgresql", "upgrade", "iam-db-auth-error"])),
    ("EnablePerformanceInsights", Rule::Boolean),
    ("PerformanceInsightsRetentionPeriod", Rule::Number(7..=731)),
    ("DatabaseInsightsMode", Rule::OneOf(&["standard", "advanced"])),
    ("MonitoringInterval", Rule::Number(0..=60)),
    ("CACertificateIdentifier", Rule::Text("rds-ca-")),
    ("LicenseModel", Rule::OneOf(&["postgresql-license"])),
    (
        "EngineLifecycleSupport",
        Rule::OneOf(&["open-source-rds-extended-support", "open-source-rds-extended-support-disabled"]),
    ),
    ("Tags", Rule::Tags),
    ("MasterUserPassword", PASSWORD),
    ("ManageMasterUserPassword", PASSWORD),
    ("MasterUserSecretKmsKeyId", KEY),
    ("MasterUserAuthenticationType", PASSWORD),
    ("KmsKeyId", KEY),
    ("PerformanceInsightsKMSKeyId", KEY),
    ("VpcSecurityGroupIds", NETWORK),
    ("DBSecurityGroups", NETWORK),
    ("DBSubnetGroupName", NETWORK),
    ("AvailabilityZone", NETWORK),
    ("PubliclyAccessible", NETWORK),
    ("NetworkType", NETWORK),
    ("DBParameterGroupName", GROUP),
    ("OptionGroupName", GROUP),
    ("MonitoringRoleArn", ROLE),
    ("CustomIamInstanceProfile", ROLE),
    ("Domain", DOMAIN),
    ("DomainFqdn", DOMAIN),
    ("DomainIAMRoleName", DOMAIN),
    ("DBClusterIdentifier", AURORA),
    ("PromotionTier", AURORA),
];

impl Rule {
    /// Why the value of `name` breaks the rule, and how to fix it.
    pub(super) fn broken_by(&self, name: &str, node: &Node) -> Option<(String, String)> {
        let wrong = |is_right: bool, help: String| {
            let value = node.text().map_or_else(|| node.kind().to_owned(), str::to_owned);
            (!is_right).then(|| (format!("{name} cannot be {value}"), help))
        };
        let plain = node.text().filter(|_| node.string().is_none());
        match self {
            Self::Own => None,
            Self::Boolean => wrong(node.boolean().is_some(), "write true or false, without quotes".to_owned()),
            Self::Number(range) => {
                let number = plain.and_then(|text| text.parse::<u64>().ok());
                let help = format!("write a whole number from {} to {}, without quotes", range.start(), range.end());
                wrong(number.is_some_and(|number| range.contains(&number)), help)
            }
            Self::OneOf(values) => {
                let is_one = node.string().is_some_and(|text| values.contains(&text));
                wrong(is_one, format!("write one of {}", quoted(values)))
            }
            Self::Each(values) => {
                let is_one = |item: &Node| item.string().is_some_and(|text| values.contains(&text));
                let are_some = node.items().is_some_and(|items| items.iter().all(is_one));
                wrong(are_some, format!("write a list of {}", quoted(values)))
            }
            Self::Text(begin) => {
                let fits = node.string().is_some_and(|text| text.starts_with(begin) && !text.is_empty());
                let begins = if begin.is_empty() { String::new() } else { format!(" that begins with {begin}") };
                wrong(fits, format!("write a text{begins}, in quotes"))
            }
            Self::Tags => {
                let has = |item: &Node, key: &str| item.get(key).and_then(Node::string).is_some();
                let is_tag = |item: &Node| has(item, "Key") && has(item, "Value");
                let help = "write \"Tags\": [{ \"Key\": \"team\", \"Value\": \"orders\" }]";
                wrong(node.items().is_some_and(|items| items.iter().all(is_tag)), help.to_owned())
            }
            Self::LeftOut(why) => Some((format!("{name} is not for a file"), format!("remove it: {why}"))),
        }
    }
}

fn quoted(values: &[&str]) -> String {
    values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ")
}
