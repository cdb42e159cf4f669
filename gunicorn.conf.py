"""How the site is served; each value can be set from the environment."""

import os

# Loopback unless told otherwise: the open network belongs behind a server that speaks TLS.
bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
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
