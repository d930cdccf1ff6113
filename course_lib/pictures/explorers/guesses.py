"""The questions of the notebooks' explorers, for `ask_first`: here, so that no cell gives an answer away."""

Guess = tuple[str, dict[str, str]] | tuple[str, dict[str, str], str]
"""A question, a reply to each possible answer, and perhaps the token that it is about."""

FIND: Guess = (
    "in layer 0, head 0, does “find” read itself most, or another word?",
    {
        "itself": "No, it reads the second “the” most: look at its row. Then try the other heads.",
        "another word": "Right, it reads the second “the” most: look at its row. Then try the other heads.",
    },
    "find",
)
IT: Guess = (
    "in “The animal … tired”, what does “it” read most in layer 3, head 1?",
    {
        "animal": "Right: look at its row. Then change “tired” to “wide”.",
        "street": "No, “animal”: look at its row. Then change “tired” to “wide”.",
        "it": "No, “animal”: look at its row. Then change “tired” to “wide”.",
    },
    "it",
)
NEIGHBOURS: Guess = (
    "positions 5 and 6 are neighbours. Which clocks tell them apart?",
    {
        "the fast ones": "Right: go through the clocks at positions 5 and 6. The slow ones have hardly moved.",
        "the slow ones": "No: go through the clocks at positions 5 and 6. The slow ones have hardly moved.",
        "all alike": "No: go through the clocks at positions 5 and 6. The slow ones have hardly moved.",
    },
)
FIRST_STEPS: Guess = (
    "post-norm without warm-up never learns. What happens to the gradient in layer 0 in the first five steps?",
    {
        "it stays": "No, it all but vanishes: go to step 5. With warm-up, much of it is left.",
        "it grows": "No, it all but vanishes: go to step 5. With warm-up, much of it is left.",
        "it vanishes": "Right, almost entirely: go to step 5. With warm-up, much of it is left.",
    },
)
DETERMINER: Guess = (
    "when the next word is a determiner, such as “le” or “ces”, what does the worst aligned head read most?",
    {
        "the English determiner": "No, mostly the noun: choose the head with the highest error.",
        "its noun": "Right, mostly: choose the head with the highest error.",
        "all words alike": "No, mostly the noun: choose the head with the highest error.",
    },
)
HOTTER: Guess = (
    "top-p keeps 0.9 of the probability. You raise the temperature from 1 to 2. Are more characters kept, or fewer?",
    {
        "more": "Right: temperature comes first and flattens, so it takes more characters to reach 0.9.",
        "fewer": "No, more: temperature comes first and flattens, so it takes more characters to reach 0.9.",
        "as many": "No, more: temperature comes first and flattens, so it takes more characters to reach 0.9.",
    },
)
FOUR_BEAMS: Guess = (
    "greedy decoding ends this sentence with “du médecin” six times. What do 4 beams do?",
    {
        "the same": "No, they end after the first: step to the end, then set Beams to 1.",
        "they say it once": "Right: step to the end, then set Beams to 1.",
    },
)
FEW_SEEDS: Guess = (
    "the new variant is better by 0.05 nats. How often do 3 seeds show it, with an interval that excludes 0?",
    {
        "in 1 of 5 drawings": "Right: press “100 times”. How many seeds find it in 4 of 5?",
        "in half of them": "No, in about 1 of 5: press “100 times”. How many seeds find it in 4 of 5?",
        "in 4 of 5": "No, in about 1 of 5: press “100 times”. How many seeds find it in 4 of 5?",
    },
)
