"""Ids and moments, from numbers that are none."""

from datetime import UTC, datetime

import pytest

from models.values import parse_json, read_id, read_moment, read_text

NUMBERS = ["1e308", "-1e400", "1e-400", "1E+999999999", "1E-999999999", "1E+9999999999", "1.5e12", "1700000000.5"]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_of_any_size_is_a_short_id_or_refused_as_one_and_as_a_moment(text: str) -> None:
    for read in (read_id, read_moment):
        try:
            value = read(parse_json(text))
        except ValueError:
            continue
        assert len(str(value)) < 400


@pytest.mark.parametrize("text", ["1e99999999999999999999", "[-1.5E-99999999999999999999]", '{"a": 1e99999999999999999999}'])
def test_a_number_that_no_decimal_has_is_no_json_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="holds a number out of range"):
        parse_json(text)


@pytest.mark.parametrize("text", ["1700000000000", "1.7e12", "1.7E9", "17e8", "1700000000.0"])
def test_an_epoch_may_be_written_with_an_exponent(text: str) -> None:
    assert read_moment(parse_json(text)) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("more", ["", ', "salary": 1.5', ', "note": "\\ud83d"', ', "\\ud800": 1'])
def test_a_place_in_parts_reads_the_same_whatever_stands_beside_it(more: str) -> None:
    document = parse_json('{"location": {"city": "Berlin", "address": "A 1"}%s}' % more)  # noqa: UP031
    assert read_text(document["location"]) == "Berlin, A 1"
