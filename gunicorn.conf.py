"""How the site is served; each value can be set from the environment."""

import os
import runpy
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

# Read here first, an unsafe setting stops the start in one sentence, and not each worker with a traceback.
# As a file, not a module: a reload then takes new settings, and new code, in the workers.
try:
    settings = runpy.run_path(str(Path(__file__).resolve().parent / "peacekb" / "settings.py"))
except ImproperlyConfigured as error:
    raise SystemExit(f"peacekb did not start: {error}") from error

# Loopback unless told otherwise: the open network belongs behind a server that speaks TLS.
bind = f"{settings['HOST']}:{settings['PORT']}"
wsgi_app = "peacekb.wsgi"

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = int(os.environ.get("WEB_THREADS") or 4)
# In memory where there is some: a heartbeat file on a slow disk gets healthy workers killed.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108

# A request gets this many seconds to finish after SIGTERM, and a stuck worker is replaced after `timeout`.
graceful_timeout = 20
timeout = 60
keepalive = 5

# Whether a forwarded header counts is decided in one place, TRUST_PROXY in peacekb/settings.py.
forwarded_allow_ips = ""
# Nothing of the running server is kept outside this checkout.
control_socket_disable = True

accesslog = os.environ.get("ACCESS_LOG") or None
errorlog = "-"
loglevel = os.environ.get("GUNICORN_LOG_LEVEL") or "info"
