//! The keys of the `CreateTable` input, level by level.

pub(crate) const KEYS: [&str; 15] = [
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
    "SSESpecification",
    "TableClass",
    "Tags",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "ResourcePolicy",
];

const INDEX_KEYS: [&str; 6] =
    ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"];

/// For each key, the keys of the mapping under it, or of each mapping in the list under it. The level does not matter: no
/// name has two meanings.
pub(crate) const ELEMENTS: [(&str, &[&str]); 11] = [
    ("AttributeDefinitions", &["AttributeName", "AttributeType"]),
    ("KeySchema", &["AttributeName", "KeyType"]),
    ("GlobalSecondaryIndexes", &INDEX_KEYS),
    ("LocalSecondaryIndexes", &["IndexName", "KeySchema", "Projection"]),
    ("Projection", &["ProjectionType", "NonKeyAttributes"]),
    ("ProvisionedThroughput", &["ReadCapacityUnits", "WriteCapacityUnits"]),
    ("OnDemandThroughput", &["MaxReadRequestUnits", "MaxWriteRequestUnits"]),
    ("WarmThroughput", &["ReadUnitsPerSecond", "WriteUnitsPerSecond"]),
    ("StreamSpecification", &["StreamEnabled", "StreamViewType"]),
    ("SSESpecification", &["Enabled", "SSEType", "KMSMasterKeyId"]),
    ("Tags", &["Key", "Value"]),
];
