"""The order-processor that the Rust service replaced, kept as a fixture.

It shows that a service written against real DynamoDB with boto3, floats and Decimals and all, works unchanged on the
environment's emulator. Its mistakes are part of it: it reads the stock, compares, and then writes, so that concurrent
orders can take more than there is, and a negative quantity adds stock. Do not mend it; `tests/legacy/run` starts it.

Environment: PORT, AWS_ENDPOINT_URL_DYNAMODB and the other AWS_* variables, INVENTORY_TABLE.
"""

import os
from datetime import datetime, timezone
from decimal import Decimal

import boto3
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI(title="Order Processor")

dynamodb = boto3.resource(
    "dynamodb",
    endpoint_url=os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
    region_name=os.environ.get("AWS_REGION", "eu-west-1"),
)
inventory = dynamodb.Table(os.environ.get("INVENTORY_TABLE", "inventory"))


class ProcessRequest(BaseModel):
    product_id: str
    quantity: int
    customer_id: str


@app.post("/process-order")
def process_order(request: ProcessRequest):
    product = inventory.get_item(Key={"product_id": request.product_id}).get("Item")
    if product is None:
        raise HTTPException(status_code=404, detail="Product not found")

    stock = product["stock"]
    if stock < request.quantity:
        raise HTTPException(status_code=400, detail="Insufficient inventory")

    inventory.update_item(
        Key={"product_id": request.product_id},
        UpdateExpression="SET stock = :stock",
        ExpressionAttributeValues={":stock": stock - Decimal(request.quantity)},
    )
    total_price = product["price"] * request.quantity
    return {
        "status": "confirmed",
        "total_price": int(total_price),
        "processed_at": datetime.now(timezone.utc).isoformat(),
    }


@app.get("/health")
def health():
    try:
        inventory.scan(Limit=1)
    except Exception as error:
        raise HTTPException(status_code=503, detail=f"Service unhealthy: {error}") from error
    return {"status": "healthy", "timestamp": datetime.now(timezone.utc).isoformat()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
