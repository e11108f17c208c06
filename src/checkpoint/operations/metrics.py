"""The registry that a service's metrics are in, with those that every service has."""

from __future__ import annotations

import platform

from prometheus_client import CollectorRegistry, Info, ProcessCollector, disable_created_metrics

from checkpoint.version import VERSION


def new_registry(service: str) -> CollectorRegistry:
    """A registry that holds `checkpoint_build_info` and, on Linux, the metrics of the process (`process_…`).

    service: the program's name, a label of `checkpoint_build_info`.
    From then on no registry of this process shows `_created` series: they double the number of series, and Prometheus
    does not use them (https://prometheus.github.io/client_python/instrumenting/#disabling-_created-metrics).
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no type there
    registry = CollectorRegistry()
    build = Info("checkpoint_build", "Which version of Checkpoint runs, and on which Python.", registry=registry)
    build.info({"service": service, "version": VERSION, "python_version": platform.python_version()})
    ProcessCollector(registry=registry)
    return registry
