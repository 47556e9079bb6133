import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_ok_when_the_database_answers(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = Client().get("/health/")

    assert (response.status_code, response.content) == (200, b"ok")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.cookies == {}


@pytest.mark.django_db
def test_503_when_it_does_not(monkeypatch):
    def refuse() -> None:
        raise OperationalError("connection refused at 10.0.0.1")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = Client().get("/health/")

    assert (response.status_code, response.content) == (503, b"the database does not answer")


def test_it_is_not_redirected_to_https(db, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get("/health/").status_code == 200
    assert Client().get("/sign-in/").status_code == 301


def test_it_only_looks(db):
    assert Client().post("/health/").status_code == 405
