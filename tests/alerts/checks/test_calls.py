import pytest

from alerts.channels import TRANSPORTS, capabilities_of, solapi
from alerts.checks import check_time_outs
from alerts.sending import deliveries, unknowns
from tests.alerts.checks.conftest import ids


def test_the_shipped_values_fit_together():
    assert check_time_outs(None) == []


def test_a_lease_shorter_than_two_calls_is_an_error(settings):
    settings.DELIVERY_LEASE_SECONDS = 57
    (error,) = check_time_outs(None)
    assert error.id == "alerts.E002"
    assert "57 s" in error.msg
    settings.DELIVERY_LEASE_SECONDS = 58  # two of the longest calls
    assert check_time_outs(None) == []


@pytest.mark.parametrize(("channel", "transport"), [(c, t) for t in TRANSPORTS for c in sorted(TRANSPORTS[t].carries)])
def test_a_tick_that_sends_or_looks_up_ends_within_45_seconds(settings, channel, transport):
    settings.TRANSPORTS = {channel: transport}
    longest = capabilities_of(channel).longest_call.total_seconds()
    assert deliveries.BUDGET.total_seconds() + longest < 45
    searched_for = solapi.SEARCHED_FOR.total_seconds() if transport == "solapi" else 0
    assert unknowns.BUDGET.total_seconds() + searched_for + longest < 45


def test_mail_without_a_time_out_is_an_error(settings):
    settings.EMAIL_TIMEOUT = None
    assert ids(check_time_outs) == ["alerts.E001"]


def test_a_time_limit_shorter_than_a_tick_is_an_error(settings):
    settings.CELERY_TASK_TIME_LIMIT = 40
    assert ids(check_time_outs) == ["alerts.E005"]
    settings.CELERY_TASK_TIME_LIMIT = 41  # the budget of 12 s, and a call of 29 s
    assert ids(check_time_outs) == []
    settings.CELERY_TASK_TIME_LIMIT = None
    assert ids(check_time_outs) == ["alerts.E005"]


def test_a_channel_that_nothing_carries_is_no_concern_of_this_check(settings):
    settings.TRANSPORTS = {"sms": "pigeon"}
    assert ids(check_time_outs) == []
