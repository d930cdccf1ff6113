"""Right answers to the exercises of notebook 07, written as differently as learners write them."""
