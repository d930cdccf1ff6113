"""What can go wrong with a data set. Each message is a sentence that says why, and what to do."""


class DataError(RuntimeError):
    """A data set is not available; the message says why, and what to do."""


class DataMissing(DataError):
    """A data set is not on this computer yet, or nowhere to be found, or there is none of that name."""


class DataBroken(DataError):
    """A downloaded file, or one in the cache, is not the data set that was requested."""


class Offline(DataError):
    """The server that has a data set could not be reached, or refused to give it."""


def broken_file(data_set: str, model: str, file: str, error: Exception) -> DataBroken:
    """Say that a file of a pretrained model cannot be read, and what to do.

    Takes the data set that has it, what the model is called, the file's name, and what was raised.
    """
    remedy = f"run `python3 course.py data {data_set}` once with a network to replace it"
    return DataBroken(f"The {model}'s {file} cannot be read ({error}): {remedy}.")
