"""Right answers to the exercises of notebook 04, written as differently as learners write them."""
