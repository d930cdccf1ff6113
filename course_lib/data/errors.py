"""What can go wrong with a data set. Each message is a sentence that says why, and what to do."""


class DataError(RuntimeError):
    """A data set is not available; the message says why, and what to do."""


class DataMissing(DataError):
    """A data set is not on this computer yet, or nowhere to be found, or there is none of that name."""


class DataBroken(DataError):
    """A downloaded file, or one in the cache, is not the data set that was requested."""


class Offline(DataError):
    """The server that has a data set could not be reached, or refused to give it."""
