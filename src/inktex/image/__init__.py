"""Pictures: any file to the one form that a model sees."""
