import pytest

from chassis.strict_json import parse_object


def test_reads_an_object():
    assert parse_object('{"a": [1, 2.5, null], "ö": {}}'.encode()) == {"a": [1, 2.5, None], "ö": {}}


def test_reads_a_whole_surrogate_pair():
    assert parse_object(b'{"a": "\\ud83d\\ude00 \\\\ud800"}') == {"a": "\U0001f600 \\ud800"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xff",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"\\uDFFF": 1}',
        b'{"a": ["\\ude00\\ud83d"]}',
    ],
)
def test_refuses_what_is_read_in_two_ways_or_none(data):
    with pytest.raises(ValueError):
        parse_object(data)


@pytest.mark.parametrize("number", [b"1.0", b"1e3", b"1" * 18])
def test_takes_short_integers_alone_when_asked_to(number):
    with pytest.raises(ValueError):
        parse_object(b'{"a": ' + number + b"}", integers_only=True)
