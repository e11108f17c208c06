"""How many processors there are to use, by affinity and by the quotas of control groups."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from processing_requests.workers.cpus import available_cpus

if TYPE_CHECKING:
    from pathlib import Path


class Groups:
    """Files as Linux shows them."""

    def __init__(self, directory: Path) -> None:
        self.process = directory / "cgroup"
        self.mounted = directory / "fs"

    def write(self, path: str, text: str) -> None:
        file = self.mounted / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def cpus(self) -> int:
        return available_cpus(self.process, self.mounted)


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Groups:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return Groups(tmp_path)


def test_without_control_groups_affinity_decides(groups: Groups) -> None:
    assert groups.cpus() == 8


def test_where_a_system_has_no_affinity_the_processors_are_counted(
    groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert groups.cpus() == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert groups.cpus() == 1


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("250000 100000", 2),
        ("50000 100000", 1),
        ("30000 10000", 3),
        ("1600000 100000", 8),
        ("", 8),
        ("200000", 8),
        ("200000 0", 8),
    ],
)
def test_a_quota_of_version_2_counts_in_whole_processors(groups: Groups, quota: str, expected: int) -> None:
    groups.process.write_text("0::/\n")
    groups.write("cpu.max", quota)
    assert groups.cpus() == expected


def test_of_groups_within_groups_the_smallest_quota_holds(groups: Groups) -> None:
    groups.process.write_text("0::/kubepods/pod/container\n")
    groups.write("kubepods/cpu.max", "700000 100000")
    groups.write("kubepods/pod/cpu.max", "300000 100000")
    groups.write("kubepods/pod/container/cpu.max", "max 100000")
    assert groups.cpus() == 3


def test_a_quota_of_version_1_counts_too_and_minus_1_is_none(groups: Groups) -> None:
    groups.process.write_text("7:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:cpuset:/docker/abc\n0::/\n")
    groups.write("cpu/docker/abc/cpu.cfs_quota_us", "-1")
    groups.write("cpu/docker/abc/cpu.cfs_period_us", "100000")
    assert groups.cpus() == 8
    groups.write("cpu/docker/abc/cpu.cfs_quota_us", "400000")
    assert groups.cpus() == 4


def test_in_a_container_that_sees_only_its_own_group_the_path_does_not_matter(groups: Groups) -> None:
    groups.process.write_text("4:cpu,cpuacct:/docker/a/path/of/the/host\n0::/../elsewhere\n")
    groups.write("cpu/cpu.cfs_quota_us", "200000")
    groups.write("cpu/cpu.cfs_period_us", "100000")
    assert groups.cpus() == 2
    groups.write("cpu.max", "100000 100000")
    assert groups.cpus() == 1


def test_on_this_machine_there_is_at_least_one_and_not_more_than_there_are() -> None:
    assert 1 <= available_cpus() <= (os.cpu_count() or 1)
