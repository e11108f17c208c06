"""Numbers as people read them."""

from __future__ import annotations

import pytest

from checkpoint.operations.status_page import units


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0"),
        (0.0042, "4.2 ms"),
        (0.25, "250 ms"),
        (1, "1 s"),
        (1.5, "1.5 s"),
        (42.4, "42 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (7_500, "2 h 5 min"),
        (3 * 86_400 + 4 * 3_600, "3 d 4 h"),
    ],
)
def test_a_duration_has_one_or_two_units(seconds: float, written: str) -> None:
    assert units.duration(seconds) == written


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KiB"),
        (131_072, "128 KiB"),
        (12.3 * 2**20, "12.3 MiB"),
        (2**52, "4,096.0 TiB"),
    ],
)
def test_a_size_has_a_binary_unit(size: float, written: str) -> None:
    assert units.size(size) == written


@pytest.mark.parametrize(("rate", "written"), [(0, "0"), (0.25, "0.25"), (12.34, "12.3"), (1_234.5, "1,234")])
def test_a_rate_has_three_digits(rate: float, written: str) -> None:
    assert units.rate(rate) == written


@pytest.mark.parametrize(("part", "written"), [(0, "0 %"), (0.0001, "0 %"), (0.075, "7.5 %"), (1.5, "150 %")])
def test_a_percentage_is_of_one(part: float, written: str) -> None:
    assert units.percent(part) == written


@pytest.mark.parametrize(
    ("highest", "end"), [(0, 1), (0.3, 0.5), (1, 1), (1.01, 2), (20, 20), (501, 1_000), (0.00011, 0.0002)]
)
def test_a_scale_ends_at_a_round_number(highest: float, end: float) -> None:
    assert units.round_up(highest) == pytest.approx(end)


@pytest.mark.parametrize(
    ("highest", "written"),
    [(0.3, "500 ms"), (12, "20 s"), (500, "10 min"), (5_000, "2 h"), (50_000, "1 d"), (9e5, "20 d")],
)
def test_a_scale_of_durations_ends_at_a_round_one(highest: float, written: str) -> None:
    assert units.duration(units.round_up_duration(highest)) == written


def test_a_scale_of_sizes_or_percentages_ends_at_a_round_one() -> None:
    assert units.size(units.round_up_size(34 * 2**20)) == "50.0 MiB"
    assert units.percent(units.round_up_percent(0.123)) == "20 %"
