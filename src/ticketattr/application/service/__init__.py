"""The use cases of the service. Pages, API and chat call them, and hold no rule themselves."""
