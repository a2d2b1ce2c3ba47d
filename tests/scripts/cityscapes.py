"""Runs the official Cityscapes pixel-level evaluation and writes its counts and IoU scores as JSON.

pip install cityscapesscripts==2.3.0 numpy pillow pyquaternion
CITYSCAPES_DATASET=DATA CITYSCAPES_RESULTS=LABELS CITYSCAPES_EXPORT_DIR=DIR python3 cityscapes.py OUT.json

Rows and columns of the confusion matrix are the 19 evaluated classes, in the order of their train ids.
"""
import glob
import json
import math
import sys

import cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling as official
from cityscapesscripts.helpers.labels import labels

truths = sorted(glob.glob(official.args.groundTruthSearch))
predictions = [official.getPrediction(official.args, truth) for truth in truths]
official.args.quiet = True
official.args.JSONOutput = False
result = official.evaluateImgLists(predictions, truths, official.args)

matrix = result["confMatrix"]
scored = sorted((l for l in labels if not l.ignoreInEval), key=lambda l: l.trainId)
iou = [result["classScores"][l.name] for l in scored]
json.dump(
    {
        "confusion": [[int(matrix[t.id][p.id]) for p in scored] for t in scored],
        "iou": [None if math.isnan(score) else float(score) for score in iou],
    },
    open(sys.argv[1], "w"),
)
