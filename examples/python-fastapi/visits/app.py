"""Counts the visits of each link in DynamoDB."""

import os

import boto3
from fastapi import FastAPI

app = FastAPI(title="visits")
visits = boto3.resource("dynamodb", region_name=os.environ["AWS_REGION"]).Table("visits")


@app.get("/health")
def health():
    visits.load()
    return {"status": "ok"}


@app.post("/visits/{code}")
def count(code: str):
    answer = visits.update_item(
        Key={"code": code},
        UpdateExpression="ADD visits :one",
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    return {"visits": int(answer["Attributes"]["visits"])}


@app.get("/visits/{code}")
def show(code: str):
    return {"visits": int(visits.get_item(Key={"code": code}).get("Item", {}).get("visits", 0))}
