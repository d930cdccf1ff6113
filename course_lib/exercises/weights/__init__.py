"""Judge a learner's class by its weights: what each is for, how it begins, and whether it is learned and used."""
