from alerts.checks import check_time_outs
from tests.alerts.checks.conftest import ids


def test_the_shipped_values_fit_together():
    assert check_time_outs(None) == []


def test_a_lease_shorter_than_two_calls_is_an_error(settings):
    settings.DELIVERY_LEASE_SECONDS = 175
    (error,) = check_time_outs(None)
    assert error.id == "alerts.E002"
    assert "175 s" in error.msg
    settings.DELIVERY_LEASE_SECONDS = 176  # 2 calls of 11 answers of 8 s
    assert check_time_outs(None) == []


def test_mail_without_a_time_out_is_an_error(settings):
    settings.EMAIL_TIMEOUT = None
    assert ids(check_time_outs) == ["alerts.E001"]


def test_a_time_limit_shorter_than_a_tick_is_an_error(settings):
    settings.CELERY_TASK_TIME_LIMIT = 112
    assert ids(check_time_outs) == ["alerts.E005"]
    settings.CELERY_TASK_TIME_LIMIT = 113  # the budget of 25 s, and 11 answers of 8 s
    assert ids(check_time_outs) == []
    settings.CELERY_TASK_TIME_LIMIT = None
    assert ids(check_time_outs) == ["alerts.E005"]


def test_a_channel_that_nothing_carries_is_no_concern_of_this_check(settings):
    settings.TRANSPORTS = {"sms": "pigeon"}
    assert ids(check_time_outs) == []
