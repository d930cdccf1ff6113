"""Right answers to the exercises of notebook 05, written as differently as learners write them."""
