"""The exercises of notebook 13: names in sentences, from labels on word pieces to the F1 of whole entities."""
