"""Faults to plant in course_lib/learning/training.py: right text, wrong text, and what it does in a phrase."""

FAULTS = [
    ("if not len(task.validation):", "if False:", "the loss of nothing is 0"),
    ("    if count == 0:\n        raise", "    if False:\n        raise", "the loss of padding is 0"),
    ("if not any(parameter.requires_grad for", "if not any(True for", "a frozen model trained"),
    (
        "if self.history.steps and isinstance(self.labels_seen, Tensor)",
        "if False and isinstance(self.labels_seen, Tensor)",
        "trained on padding only",
    ),
    ("return {**of_model, **fixed,", "return {**fixed,", "a checkpoint continues in another model"),
    ('"objective": describe_function(task.objective),', "", "a checkpoint continues with another objective"),
    (
        "            if interruption:\n                raise KeyboardInterrupt\n            for",
        "            for",
        "an early interruption forgotten",
    ),
    (
        "    with _interruption_held_back():\n        training.save()",
        "    training.save()",
        "the last checkpoint interrupted",
    ),
    (
        "            except OSError as error:\n",
        "            except ZeroDivisionError as error:\n",
        "a full disk loses the history",
    ),
    ("                if not self.warned:\n", "                if True:\n", "a warning for each failed write"),
    ("else place(checkpoint)", "else Path(checkpoint)", "a folder that is called ~"),
    ("0 <= beta < 1 for beta", "0 <= beta <= 1 for beta", "betas of 1"),
    ('rate * group["share"]', "rate", "all groups learn as fast as the fastest"),
    ('own["groups"] = [[group["lr"], ', 'own["groups"] = [[', "a checkpoint continues at other rates of groups"),
    ("if groups is not None and rate is not None:", "if False:", "a rate beside those of groups"),
    ("and task.validation and stop(", "and stop(", "asked whether to stop without a measurement"),
]
