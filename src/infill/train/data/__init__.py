"""Photos to learn from.

| module | what it does |
|---|---|
| `layouts` | finds the photos of a data set on disk, and those held out |
| `photos` | gives them one by one, read anew or out of one decoded file |
| `crops` | cuts the squares of a step: which, where and how follows from seed and step |
| `prefetch` | makes the next batches while the present one is learnt from |
"""
