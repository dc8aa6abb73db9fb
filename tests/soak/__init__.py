"""A soak: everything real, everything hurt at random, and afterwards the proof that nothing was lost.

`promises.py` says what is proved, `faults.py` what is done to it, `traffic.py` what is sent meanwhile, `verdict/` how
what was written down - by the senders, the mail server, the streams and the database - is held against the promises.
"""
