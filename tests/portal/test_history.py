from portal import history
from tests.builders import grant, jun, minji


def test_newest_first_and_turned_over_by_number(minji, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 3)
    for points in range(1, 8):
        grant(minji, points)

    first = history.page(minji, before=None)
    second = history.page(minji, before=first.older)
    third = history.page(minji, before=second.older)

    assert [line.seq for line in first.lines] == [7, 6, 5]
    assert [line.seq for line in second.lines] == [4, 3, 2]
    assert [line.seq for line in third.lines] == [1]
    assert (first.older, second.older, third.older) == (5, 2, None)


def test_a_full_last_page_has_nothing_older(minji, monkeypatch):
    monkeypatch.setattr(history, "PAGE", 2)
    grant(minji, 1)
    grant(minji, 2)

    assert history.page(minji, before=None).older is None


def test_before_the_beginning_there_is_nothing(minji):
    grant(minji, 1)

    page = history.page(minji, before=1)
    assert (page.lines, page.older) == ([], None)


def test_only_the_accounts_own_entries(moa):
    hers, his = minji(moa), jun(moa)
    grant(hers, 5)
    grant(his, 7)

    assert [line.points for line in history.page(hers, before=None).lines] == [5]


def test_the_number_of_queries_does_not_grow_with_the_lines(minji, django_assert_max_num_queries):
    for points in range(1, 20):
        grant(minji, points)

    with django_assert_max_num_queries(8):
        history.page(minji, before=None)
