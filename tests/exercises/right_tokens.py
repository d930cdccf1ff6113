"""Right answers to the exercises of notebook 03, written as differently as learners write them."""
