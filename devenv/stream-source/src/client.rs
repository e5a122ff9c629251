//! DynamoDB Streams over AWS's own protocol.

use devenv_resources::endpoint::Endpoint;
use devenv_resources::error::Error;
use devenv_resources::json_wire::{DYNAMODB_STREAMS, Wire};
use serde_json::{Value, json};

use crate::checkpoint::Position;
use crate::record::StreamRecord;
use crate::service::{Answer, Fault, Page, Shard, StreamService};

/// The limit on pages of a list, against an emulator that never ends one.
const PAGES: usize = 100;

#[derive(Debug)]
pub struct AwsStreams {
    wire: Wire,
}

impl AwsStreams {
    pub fn new(endpoint: Endpoint, region: &str, access_key: &str) -> Self {
        Self { wire: Wire::new(&DYNAMODB_STREAMS, endpoint, region, access_key) }
    }

    async fn call(&self, operation: &'static str, input: &Value) -> Result<Value, Fault> {
        self.wire.call(operation, input).await.map_err(|error| fault(&error))
    }
}

fn fault(error: &Error) -> Fault {
    let known = [
        ("TrimmedDataAccessException", Fault::Trimmed),
        ("ExpiredIteratorException", Fault::Expired),
        ("ResourceNotFoundException", Fault::Gone),
    ];
    let found = known.into_iter().find(|(exception, _)| error.is(exception));
    found.map_or_else(|| Fault::Passing(error.to_string()), |(_, fault)| fault)
}

impl StreamService for AwsStreams {
    fn stream<'a>(&'a self, table: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let mut input = json!({ "TableName": table });
            let mut newest: Option<(String, String)> = None;
            for _ in 0..PAGES {
                let answer = self.call("ListStreams", &input).await?;
                for stream in answer["Streams"].as_array().into_iter().flatten() {
                    let text = |key: &str| stream[key].as_str().unwrap_or_default().to_owned();
                    // Earlier streams of a table are listed for a day. A label is the time of its stream.
                    newest = newest.max(Some((text("StreamLabel"), text("StreamArn"))));
                }
                match answer["LastEvaluatedStreamArn"].as_str() {
                    Some(last) => input["ExclusiveStartStreamArn"] = json!(last),
                    None => break,
                }
            }
            Ok(newest.map(|(_, arn)| arn))
        })
    }

    fn shards<'a>(&'a self, stream: &'a str) -> Answer<'a, Vec<Shard>> {
        Box::pin(async move {
            let mut input = json!({ "StreamArn": stream });
            let mut shards = Vec::new();
            for _ in 0..PAGES {
                let answer = self.call("DescribeStream", &input).await?;
                let described = &answer["StreamDescription"];
                let listed = described["Shards"].as_array().into_iter().flatten();
                shards.extend(listed.filter_map(|shard| {
                    let parent = shard["ParentShardId"].as_str().map(str::to_owned);
                    Some(Shard { id: shard["ShardId"].as_str()?.to_owned(), parent })
                }));
                match described["LastEvaluatedShardId"].as_str() {
                    Some(last) => input["ExclusiveStartShardId"] = json!(last),
                    None => break,
                }
            }
            Ok(shards)
        })
    }

    fn iterator<'a>(&'a self, stream: &'a str, shard: &'a str, position: &'a Position) -> Answer<'a, String> {
        let mut input = json!({ "StreamArn": stream, "ShardId": shard });
        input["ShardIteratorType"] = match position {
            Position::Horizon => json!("TRIM_HORIZON"),
            Position::Latest | Position::Iterator(_) | Position::End => json!("LATEST"),
            Position::After(number) => {
                input["SequenceNumber"] = json!(number);
                json!("AFTER_SEQUENCE_NUMBER")
            }
        };
        Box::pin(async move {
            let answer = self.call("GetShardIterator", &input).await?;
            let iterator = answer["ShardIterator"].as_str();
            iterator.map(str::to_owned).ok_or_else(|| Fault::Passing("GetShardIterator gave no iterator".to_owned()))
        })
    }

    fn records<'a>(&'a self, iterator: &'a str, limit: usize) -> Answer<'a, Page> {
        Box::pin(async move {
            let input = json!({ "ShardIterator": iterator, "Limit": limit });
            let mut answer = self.call("GetRecords", &input).await?;
            let records = answer["Records"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let next = answer["NextShardIterator"].as_str().map(str::to_owned);
            Ok(Page { records: records.into_iter().filter_map(StreamRecord::of).collect(), next })
        })
    }
}
