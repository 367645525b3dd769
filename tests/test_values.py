"""Ids and moments, from numbers that are none."""

import pytest

from models.values import parse_json, read_id, read_moment

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
