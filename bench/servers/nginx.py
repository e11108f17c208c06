"""nginx with one worker, which answers each post with the same bytes: what HTTP costs where nothing else is done.

Run: `python nginx.py --port PORT`. It writes nginx.conf in the folder where it is started, and becomes nginx.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Final

# Debian has it where not every user's PATH leads.
_PATH: Final = f"{os.environ['PATH']}:/usr/sbin"

CONFIGURATION: Final = """
daemon off;
pid nginx.pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    client_body_temp_path bodies;
    fastcgi_temp_path fastcgi;
    proxy_temp_path proxy;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location = /process_request {{
            default_type application/json;
            return 200 '{{"message": "Request processed successfully"}}';
        }}
    }}
}}
"""


def program() -> str | None:
    """Where nginx is; None where it is not installed."""
    return shutil.which("nginx", path=_PATH)


def main() -> None:
    """Become nginx."""
    parser = argparse.ArgumentParser(description="nginx answering a constant.")
    parser.add_argument("--port", type=int, required=True)
    Path("nginx.conf").write_text(CONFIGURATION.format(port=parser.parse_args().port))
    nginx = program()
    if nginx is None:
        sys.exit("nginx is not installed.")
    os.execv(nginx, [nginx, "-p", str(Path.cwd()), "-c", "nginx.conf"])  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    main()
