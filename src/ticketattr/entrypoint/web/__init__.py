"""The service over HTTP: pages for people, an API for programs. Both call the use cases, and hold no rule."""
