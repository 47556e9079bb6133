from __future__ import annotations

import pytest
from django.test import Client

from tests.windows import PASSWORD, chief


@pytest.fixture
def hana(db) -> Client:
    """The chief's client: what she may not do, nobody may."""
    chief()
    client = Client(headers={"accept-language": "en"})
    client.login(username="hana", password=PASSWORD)
    return client
