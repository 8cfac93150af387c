"""Photos to learn from, out of the folders that `infill.data.layouts` finds.

| module | what it does |
|---|---|
| `photos` | gives them one by one, read anew or out of one decoded file |
| `crops` | cuts the squares of a step: which, where and how follows from seed and step |
| `prefetch` | makes the next batches while the present one is learnt from |
"""
