"""What can go wrong with what is made for a class."""


class BundleError(Exception):
    """A bundle cannot be made or used. The message is one sentence that says why and what to do."""
