import pytest
from django.contrib.auth.models import User
from django.http import Http404

from portal.memberships import accounts_of, actor_of, chosen, chosen_or_404
from tests.builders import byeol, jun, minji
from tests.windows import sign_in_of


def test_a_member_sees_their_own_accounts_by_name_of_the_programme(moa):
    mine, other = minji(moa), minji(byeol())
    sign_in_of(jun(moa))
    user = sign_in_of(mine, other)

    assert accounts_of(user.pk) == [other, mine]


def test_a_user_without_membership_and_nobody_see_none(moa):
    minji(moa)

    assert accounts_of(User.objects.create_user("guest").pk) == []
    assert accounts_of(None) == []


def test_the_chosen_one_is_by_code_and_else_the_first(moa):
    mine, other = minji(moa), minji(byeol())

    assert chosen([other, mine], "moa") == mine
    assert chosen([other, mine], "") == other
    assert chosen([other, mine], "nope") is None
    assert chosen([], "") is None
    assert chosen_or_404([other, mine], "moa") == mine
    with pytest.raises(Http404):
        chosen_or_404([other, mine], "nope")


def test_who_acts_is_named_by_an_id_whatever_the_reference_is(moa, rf):
    request = rf.get("/")
    request.user = sign_in_of(minji(moa))
    assert str(actor_of(request)) == f"member:{request.user.pk}"
