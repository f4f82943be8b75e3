"""The forms in which the service speaks: this project's own and those of other services, a module each."""
