"""Right answers to the exercises of notebook 06, written as differently as learners write them."""
