"""The exercises of notebook 17: asking questions of your own."""
