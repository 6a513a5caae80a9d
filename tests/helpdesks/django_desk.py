"""`python django_desk.py PORT FOLDER`: django-helpdesk with one queue and two custom fields; admin, password admin."""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.simple_server import make_server

import django
from django.conf import settings

PORT, FOLDER = int(sys.argv[1]), Path(sys.argv[2])
CATALOG = Path(__file__).parents[1] / "data" / "gold" / "stadt.yaml"
_DJANGO = ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles", "sites", "humanize")
_CONTEXT = ("template.context_processors.request", "contrib.auth.context_processors.auth")

sys.modules["django_desk"] = sys.modules["__main__"]  # the module with the URLs is this one
settings.configure(
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="django_desk",
    USE_TZ=True,
    TIME_ZONE="Europe/Berlin",
    SITE_ID=1,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "desk.sqlite3"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[*(f"django.contrib.{name}" for name in _DJANGO), "rest_framework", "helpdesk"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": [f"django.{name}" for name in _CONTEXT]},
        }
    ],
    STATIC_URL="/static/",
    MEDIA_ROOT=str(FOLDER / "media"),
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    HELPDESK_TEAMS_MODE_ENABLED=False,
    HELPDESK_ACTIVATE_API_ENDPOINT=True,
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]},
)
django.setup()

from django.contrib import admin  # noqa: E402  # only after the setup
from django.urls import include, path  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls), path("", include("helpdesk.urls", namespace="helpdesk"))]


def main() -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from helpdesk.models import CustomField, Queue
    from ruamel.yaml import YAML

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("admin", "admin@example.com", "admin")
    Queue.objects.create(title="IT", slug="it")
    entries = YAML(typ="safe").load(CATALOG.read_text(encoding="utf-8"))["service_catalog"]["catalog"]["categories"]
    values = {
        "category": [category["name"] for category in entries],
        "request_type": [request["name"] for category in entries for request in category["requests"]],
    }
    # A list with an empty choice: the API cannot empty a field of any other kind.
    for place, (name, choices) in enumerate(values.items()):
        CustomField.objects.create(
            name=name,
            label=name,
            data_type="list",
            list_values="\n".join(dict.fromkeys(choices)),
            empty_selection_list=True,
            required=False,
            staff_only=True,
            ordering=place,
        )
    make_server("127.0.0.1", PORT, get_wsgi_application()).serve_forever()


if __name__ == "__main__":
    main()
