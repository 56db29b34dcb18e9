"""How often the agent takes a pause for the end of a turn, and how long it waits once the turn is over.

`python -m benchmarks.end_of_turn` makes the corpus, listens, and tries every setting, which takes some minutes; with
`--quick` a fifth of it.
"""
