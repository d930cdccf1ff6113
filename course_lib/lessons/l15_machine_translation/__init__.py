"""The exercises of notebook 15: translating what people say, and scoring translations."""
