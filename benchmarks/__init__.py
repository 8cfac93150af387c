"""Speed and quality of Infill against what could be installed instead.

python -m benchmarks.fill      quality and speed of a fill, against peers, in one run
python -m benchmarks.large     a 24-megapixel JPEG: time and memory around the fill
python -m benchmarks.startup   `import infill` and the whole process of `infill fill`
python -m benchmarks.batch     `infill batch` with one process and with two
python -m benchmarks.clicks    objects from clicks and boxes, against GrabCut
python -m benchmarks.segment_cache  the second click with Segment Anything, against the first
python -m benchmarks.service   many fills at once over HTTP

Run from the root of the repository; each takes --help.
"""
