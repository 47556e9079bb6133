import pytest

from alerts.checks import check_deployment
from tests.alerts.checks.conftest import ids


def test_a_good_installation_has_no_findings(good):
    assert ids(check_deployment) == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("TRANSPORTS", {"email": "sandbox"}, "alerts.W010"),
        ("SANDBOX_TELLS", True, "alerts.W011"),
        ("SANDBOX_ALLOW", ["minji@example.com"], "alerts.W015"),
        ("SITE_URL", "", "alerts.W013"),
        ("SITE_URL", "http://points.example.org", "alerts.W013"),
        ("SITE_URL", "https://localhost:8000", "alerts.W013"),
        ("DEFAULT_FROM_EMAIL", "points@localhost", "alerts.W014"),
        ("DEFAULT_FROM_EMAIL", "webmaster@localhost", "alerts.W014"),
        ("DEFAULT_FROM_EMAIL", "", "alerts.W014"),
    ],
)
def test_what_is_for_a_demo_is_a_warning_in_production_alone(good, name, value, found):
    setattr(good, name, value)
    assert ids(check_deployment) == [found]
    good.DEBUG = True
    assert ids(check_deployment) == []


def test_an_allow_list_lets_nobody_through_a_sandbox(good):
    good.TRANSPORTS, good.SANDBOX_ALLOW = {"email": "sandbox"}, ["minji@example.com"]
    assert ids(check_deployment) == ["alerts.W010"]
