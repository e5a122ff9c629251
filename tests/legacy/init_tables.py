"""Makes the tables of the old pair and fills the stock, as often as it is called.

Environment: AWS_ENDPOINT_URL_DYNAMODB and the other AWS_* variables.
"""

import os
import time

import boto3
from botocore.exceptions import ClientError, EndpointConnectionError

dynamodb = boto3.client(
    "dynamodb",
    endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"],
    region_name=os.environ.get("AWS_REGION", "eu-west-1"),
)
TABLES = {"orders": "order_id", "inventory": "product_id"}
STOCK = [("PROD001", "Sample Product 1", 29, 100), ("PROD002", "Sample Product 2", 49, 50)]


def wait_for_database(seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return dynamodb.list_tables()
        except EndpointConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def create(table, key):
    try:
        dynamodb.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        print(f"made table {table}")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
    dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


if __name__ == "__main__":
    wait_for_database()
    for table, key in TABLES.items():
        create(table, key)
    for product, name, price, stock in STOCK:
        item = {"product_id": {"S": product}, "name": {"S": name}, "price": {"N": str(price)}, "stock": {"N": str(stock)}}
        try:
            dynamodb.put_item(TableName="inventory", Item=item, ConditionExpression="attribute_not_exists(product_id)")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
    print("ready")
