"""The portal for any WSGI server; `xueshi serve` uses waitress."""

from agent.boot import start

start()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - Django starts first

application = get_wsgi_application()
