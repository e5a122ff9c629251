import os

import httpx
import pytest


@pytest.fixture
def links():
    with httpx.Client(base_url=os.environ["LINKS_URL"], timeout=10, trust_env=False) as client:
        yield client


def test_a_seeded_link_leads_to_its_page(links):
    answer = links.get("/r/home")
    assert answer.status_code == 307
    assert answer.headers["location"] == "https://example.com/"


def test_a_new_link_counts_its_visits(links):
    code = links.post("/links", json={"url": "https://example.org/page"}).raise_for_status().json()["code"]
    for _ in range(3):
        links.get(f"/r/{code}")
    assert links.get(f"/links/{code}").json() == {"code": code, "url": "https://example.org/page", "visits": 3}


@pytest.mark.parametrize("url", ["", "not a url", "ftp://example.org"])
def test_a_mistaken_url_is_refused(links, url):
    assert links.post("/links", json={"url": url}).status_code == 422


def test_an_unknown_link_is_not_found(links):
    assert links.get("/r/nothing").status_code == 404
