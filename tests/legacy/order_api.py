"""The order-api that the Rust service replaced, kept as a fixture.

It calls order-processor over HTTP and then writes the order, so an order is lost when it dies in between; and it turns
every refusal of order-processor into a 500. Do not mend it; `tests/legacy/run` starts it.

Environment: PORT, ORDER_PROCESSOR_URL, AWS_ENDPOINT_URL_DYNAMODB and the other AWS_* variables, ORDERS_TABLE.
"""

import os
import uuid
from datetime import datetime, timezone
from decimal import Decimal

import boto3
import httpx
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI(title="Order API")

PROCESSOR_URL = os.environ.get("ORDER_PROCESSOR_URL", "http://order-processor:8000")
ORDERS_TABLE = os.environ.get("ORDERS_TABLE", "orders")

aws = {
    "endpoint_url": os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
    "region_name": os.environ.get("AWS_REGION", "eu-west-1"),
}
client = boto3.client("dynamodb", **aws)
orders = boto3.resource("dynamodb", **aws).Table(ORDERS_TABLE)


class OrderRequest(BaseModel):
    product_id: str
    quantity: int
    customer_id: str


def plain(item):
    """DynamoDB's numbers come as Decimal, which JSON does not know."""
    return {
        name: (int(value) if value % 1 == 0 else float(value)) if isinstance(value, Decimal) else value
        for name, value in item.items()
    }


@app.post("/orders", status_code=201)
@app.post("/orders/", status_code=201)
async def create_order(request: OrderRequest):
    order_id = str(uuid.uuid4())
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
            response = await http.post(f"{PROCESSOR_URL}/process-order", json=request.model_dump())
        response.raise_for_status()
        processed = response.json()
        order = {
            "order_id": order_id,
            "product_id": request.product_id,
            "quantity": request.quantity,
            "customer_id": request.customer_id,
            "status": processed["status"],
            "total_price": Decimal(str(processed["total_price"])),
            "processed_at": processed["processed_at"],
            "created_at": datetime.now(timezone.utc).isoformat(),
        }
        orders.put_item(Item=order)
        return plain(order)
    except Exception as error:
        raise HTTPException(status_code=500, detail=str(error)) from error


@app.get("/orders/{order_id}")
def get_order(order_id: str):
    item = orders.get_item(Key={"order_id": order_id}).get("Item")
    if item is None:
        raise HTTPException(status_code=404, detail="Order not found")
    return plain(item)


@app.get("/health")
def health():
    try:
        client.describe_table(TableName=ORDERS_TABLE)
        httpx.get(f"{PROCESSOR_URL}/health", timeout=5, trust_env=False).raise_for_status()
    except Exception as error:
        raise HTTPException(status_code=503, detail=f"Service unhealthy: {error}") from error
    return {"status": "healthy", "timestamp": datetime.now(timezone.utc).isoformat()}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
