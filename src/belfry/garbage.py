"""Python's collector of cyclic garbage, in a process that holds much for long.

As it comes, it looks through everything there is several times a second under load: with some thousands of streams a
fifth of the processor, and pauses of a tenth of a second in which nothing is answered.
"""

import gc

# Between two looks at what is new, instead of 700 objects: a request leaves some seventy in cycles behind.
NEW_OBJECTS = 10_000


def settle() -> None:
    """Once everything is set up: it is never garbage, and need not be looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
