"""Data sets of photos: which files they are, whether they are what they say, and their objects.

| module | what it does |
|---|---|
| `layouts` | how public data sets lie on disk, and what is held out of learning |
| `published` | what a folder must look like, and where its files are to be had |
| `datasets` | photos by name, subsets and shards of them; none is held in memory |
| `records` | a large file of annotations, piece by piece |
| `coco` | COCO's annotated objects as masks |
"""

from infill.data.coco import Instances, instances_of
from infill.data.datasets import DATASETS, Dataset, Sample, Unread, open_dataset
from infill.masks.objects import Objects

__all__ = [
    "DATASETS",
    "Dataset",
    "Instances",
    "Objects",
    "Sample",
    "Unread",
    "instances_of",
    "open_dataset",
]
