"""The exercises of notebook 12: a pretrained encoder learns a task from few examples."""
