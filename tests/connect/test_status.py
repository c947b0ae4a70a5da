"""What servers say by headers: when to come again, and what time they have."""

from datetime import UTC, datetime

import pytest

from streamkit.connect import StatusError
from streamkit.connect.status import date_header, public, retry_after

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:50:07 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": LATER}, 30.0),
        ({"Retry-After": LATER, "Date": "Sun, 06 Nov 1994 08:50:00 GMT"}, 7.0),  # by the server's clock
        ({"Retry-After": LATER, "Date": "no date"}, 30.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:00:00 GMT"}, 0.0),  # it is past
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "1.5"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "²"}, 0.0),  # a digit to Python
        ({"Retry-After": "9" * 400}, 999_999_999_999.0),
        ({"Retry-After": "Sun, 06 Nov 99999 08:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after_in_both_forms_and_in_none(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, NOW.timestamp()) == seconds


def test_dates_are_in_utc_or_none() -> None:
    assert date_header(DATE) == date_header("Sun, 06 Nov 1994 09:49:37 +0100") == NOW
    assert date_header("Sun, 06 Nov 1994 08:49:37 -0000") == NOW
    assert [date_header(value) for value in (None, "", "x", "Sun, 99 Nov 1994 08:49:37 GMT")] == [None] * 4


def test_no_error_shows_a_secret_of_a_url() -> None:
    url = "https://user:word@example.org:8443/feed?key=secret#part"
    assert public(url) == "https://example.org:8443/feed?..."
    assert str(StatusError(503, public(url), 30.0)) == (
        "status 503 of https://example.org:8443/feed?..., asked to wait 30 s"
    )
