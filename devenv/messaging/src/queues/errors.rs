//! The errors of SQS, with the names of both protocols.

use crate::front::error::ApiError;

pub(crate) fn no_queue() -> ApiError {
    ApiError::queried(
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    )
}

pub(crate) fn invalid_address(url: &str) -> ApiError {
    ApiError::sender("InvalidAddress", format!("The address {url} is not valid for this endpoint.")).with_status(404)
}

pub(crate) fn queue_exists(attribute: &str) -> ApiError {
    let message = format!("A queue already exists with the same name and a different value for attribute {attribute}");
    ApiError::queried("QueueNameExists", "QueueAlreadyExists", message)
}

pub(crate) fn unknown_attribute(name: &str) -> ApiError {
    ApiError::sender("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(crate) fn invalid_attribute(name: &str) -> ApiError {
    ApiError::sender("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(crate) fn not_a_receipt(handle: &str) -> ApiError {
    let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    ApiError::sender("ReceiptHandleIsInvalid", message)
}

pub(crate) fn not_in_flight(receipt: &str) -> ApiError {
    let message = format!(
        "Value {receipt} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."
    );
    ApiError::queried("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", message)
}

pub(crate) fn over_limit(limit: usize) -> ApiError {
    ApiError::sender("OverLimit", format!("Too many messages are in flight: the limit is {limit}.")).with_status(403)
}

pub(crate) fn invalid_contents() -> ApiError {
    ApiError::sender(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    )
}

pub(crate) fn not_for_this_queue(parameter: &str, value: &str) -> ApiError {
    ApiError::invalid_value(parameter, value, "The request include parameter that is not valid for this queue type.")
}

pub(crate) fn no_resource(message: &str) -> ApiError {
    ApiError::sender("ResourceNotFoundException", message).with_status(404)
}

pub(crate) fn empty_batch() -> ApiError {
    let message = "There should be at least one entry in the request.";
    ApiError::queried("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message)
}

pub(crate) fn too_many_entries(count: usize) -> ApiError {
    let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
    ApiError::queried("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message)
}

pub(crate) fn ids_not_distinct(id: &str) -> ApiError {
    let message = format!("Id {id} repeated.");
    ApiError::queried("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", message)
}

pub(crate) fn invalid_batch_id() -> ApiError {
    let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
    ApiError::queried("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", message)
}

pub(crate) fn batch_too_long(limit: usize, size: usize) -> ApiError {
    let message = format!("Batch requests cannot be longer than {limit} bytes. You have sent {size} bytes.");
    ApiError::queried("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", message)
}
