from alerts.checks import check_time_outs


def test_the_shipped_values_fit_together():
    assert check_time_outs(None) == []


def test_a_lease_shorter_than_two_calls_is_an_error(settings):
    settings.DELIVERY_LEASE_SECONDS = 219
    (error,) = check_time_outs(None)
    assert error.id == "alerts.E002"
    assert "219 s" in error.msg
    settings.DELIVERY_LEASE_SECONDS = 220  # 2 calls of 11 answers of 10 s
    assert check_time_outs(None) == []


def test_mail_without_a_time_out_is_an_error(settings):
    settings.EMAIL_TIMEOUT = None
    assert [error.id for error in check_time_outs(None)] == ["alerts.E001"]
