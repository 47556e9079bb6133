import pytest

from alerts.checked import save_checked
from alerts.errors import BadInput
from alerts.models import ExtensionRule


def test_a_row_that_breaks_its_rules_is_not_saved_and_the_field_is_named(byeol):
    rule = ExtensionRule(programme=byeol, active_days=90, extend_days=0, most_times=1, days_before=30)
    with pytest.raises(BadInput) as refusal:
        save_checked(rule)
    assert refusal.value.field == "extend_days"
    assert not ExtensionRule.objects.exists()


def test_a_row_that_keeps_them_is_saved(byeol):
    save_checked(ExtensionRule(programme=byeol, active_days=90, extend_days=30, most_times=1, days_before=30))
    assert ExtensionRule.objects.count() == 1
