from __future__ import annotations

collect_ignore = ["package"]  # its tests are those of a project of its own, run where it is installed
