"""Short links: stores them in DynamoDB and asks the service `visits` to count."""

import os
import secrets

import boto3
import httpx
from fastapi import FastAPI, HTTPException
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, HttpUrl

app = FastAPI(title="links")
links = boto3.resource("dynamodb", region_name=os.environ["AWS_REGION"]).Table("links")
visits = httpx.Client(base_url=os.environ["VISITS_URL"], timeout=5, trust_env=False)


class NewLink(BaseModel):
    url: HttpUrl


@app.get("/health")
def health():
    links.load()
    visits.get("/health").raise_for_status()
    return {"status": "ok"}


@app.post("/links", status_code=201)
def create(link: NewLink):
    code = secrets.token_urlsafe(6)
    links.put_item(Item={"code": code, "url": str(link.url)}, ConditionExpression="attribute_not_exists(code)")
    return {"code": code, "url": str(link.url)}


@app.get("/links/{code}")
def show(code: str):
    return {**stored(code), "visits": visits.get(f"/visits/{code}").raise_for_status().json()["visits"]}


@app.get("/r/{code}")
def follow(code: str):
    link = stored(code)
    visits.post(f"/visits/{code}").raise_for_status()
    return RedirectResponse(link["url"], status_code=307)


def stored(code: str) -> dict:
    item = links.get_item(Key={"code": code}).get("Item")
    if item is None:
        raise HTTPException(status_code=404, detail="no such link")
    return item
