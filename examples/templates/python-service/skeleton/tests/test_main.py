from fastapi.testclient import TestClient

from app.main import app

client = TestClient(app)


def test_it_is_healthy() -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


def test_it_greets_by_name() -> None:
    assert client.get("/hello", params={"name": "Ada"}).json() == {"message": "Hello, Ada."}


def test_it_describes_itself() -> None:
    assert "/hello" in client.get("/openapi.json").json()["paths"]
