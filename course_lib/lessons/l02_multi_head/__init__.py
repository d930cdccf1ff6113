"""The exercises of notebook 02: heads split, attended in and merged, their parameters counted, and the whole class."""
