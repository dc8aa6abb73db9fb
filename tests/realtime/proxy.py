"""nginx in front of a server, set up by nobody who knows of streams: its response buffering stays on."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.processes import answers, free_port

NGINX = shutil.which("nginx")
needed = pytest.mark.skipif(NGINX is None, reason="needs nginx: apt-get install nginx-light")

TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    {places}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
            {more}
        }}
    }}
}}
"""


@asynccontextmanager
async def nginx(upstream: str, *more: str) -> AsyncIterator[str]:
    """The address of an nginx that passes everything on to `upstream`; `more` are directives of its location."""
    assert NGINX is not None
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        configuration = CONFIGURATION.format(
            places=" ".join(f"{name}_temp_path {name};" for name in TEMPORARY),
            port=port,
            upstream=upstream,
            more=" ".join(f"{directive};" for directive in more),
        )
        (Path(directory) / "nginx.conf").write_text(configuration)
        process = await asyncio.create_subprocess_exec(NGINX, "-p", directory, "-c", "nginx.conf", "-e", "stderr")
        try:
            await answers(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()
