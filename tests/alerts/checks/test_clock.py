import pytest

from alerts.checks import check_celery, check_time_zone
from alerts.checks.clock import OPTIONS, WANTED
from tests.alerts.checks.conftest import ids


def test_the_shipped_settings_are_as_the_design_says():
    assert ids(check_celery) == ids(check_time_zone) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CELERY_TASK_IGNORE_RESULT", False),
        ("CELERY_TASK_ACKS_LATE", True),
        ("CELERY_TASK_ALWAYS_EAGER", True),
        ("CELERY_TASK_SOFT_TIME_LIMIT", 60),
        ("CELERY_TASK_SERIALIZER", "pickle"),
        ("CELERY_ACCEPT_CONTENT", ["json", "pickle"]),
        ("CELERY_WORKER_PREFETCH_MULTIPLIER", 4),
        ("CELERY_WORKER_DISABLE_PREFETCH", False),
    ],
)
def test_what_contradicts_the_design_is_named(settings, name, value):
    setattr(settings, name, value)
    (found,) = check_celery(None)
    assert found.id == "alerts.E006"
    assert found.msg.startswith(f"{name} is {value!r}: ")


def test_every_wanted_setting_is_spoilt_above():
    assert len(WANTED) == 8


@pytest.mark.parametrize("name", OPTIONS)
def test_a_redis_that_could_hang_or_is_shared_without_a_prefix_is_an_error(settings, name):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {name: None}
    (found,) = check_celery(None)
    assert found.id == "alerts.E006"
    assert found.msg.startswith(f"CELERY_BROKER_TRANSPORT_OPTIONS has no {name}: ")


def test_a_visibility_time_out_within_a_task_is_an_error(settings):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"visibility_timeout": 120}
    assert ids(check_celery) == ["alerts.E006"]
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"visibility_timeout": 151}
    assert ids(check_celery) == []


def test_naive_times_are_an_error_and_another_zone_is_a_warning(settings):
    settings.CELERY_TIMEZONE = "Asia/Seoul"
    assert ids(check_time_zone) == ["alerts.W001"]
    settings.USE_TZ = False
    assert ids(check_time_zone) == ["alerts.E007"]
