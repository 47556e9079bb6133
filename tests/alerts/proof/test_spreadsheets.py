import csv
from datetime import datetime
from io import StringIO

import pytest

from alerts.proof.spreadsheets import as_csv, safe
from tests.builders import SEOUL


def test_excel_in_korea_opens_it_and_instants_are_in_utc():
    text = as_csv(["at", "points", "said"], [[datetime(2026, 4, 1, tzinfo=SEOUL), -5, "민지, “네”"], [None, 0, ""]])
    assert text == '\ufeffat,points,said\r\n2026-03-31T15:00:00+00:00,-5,"민지, “네”"\r\n,0,\r\n'
    assert text.encode()[:3] == b"\xef\xbb\xbf"


@pytest.mark.parametrize("text", ["=1+1", "+82", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x"])
def test_a_text_that_could_be_a_formula_gets_a_quote(text):
    assert safe(text) == f"'{text}"
    ((cell,),) = list(
        csv.reader(StringIO(as_csv([], [[text]]).removeprefix("\ufeff").removeprefix("\r\n"), newline=""))
    )
    assert cell == f"'{text}"


@pytest.mark.parametrize("text", ["", "1+1=2", "minji", " =1", "5"])
def test_other_texts_stay_as_they_are(text):
    assert safe(text) == text
