"""Scoring script for the Azure ML inference server: an ONNX model below AZUREML_MODEL_DIR."""
import json
import os

from onnx_scorer import OnnxScorer

scorer = None


def init():
    global scorer
    scorer = OnnxScorer(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.onnx"))


def run(raw_data):
    return scorer.lists(json.loads(raw_data)["data"])
