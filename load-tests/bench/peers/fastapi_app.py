"""What a team writes by hand: FastAPI in front of ONNX Runtime. BENCH_MODELS names a folder of *.onnx."""
import os
from pathlib import Path

from fastapi import FastAPI, Request
from onnx_scorer import OnnxScorer

scorers = {file.stem: OnnxScorer(str(file)) for file in Path(os.environ["BENCH_MODELS"]).glob("*.onnx")}
app = FastAPI()


@app.get("/ready")
async def ready():
    return {"models": sorted(scorers)}


@app.post("/sum")
async def add(request: Request):
    return {"sum": sum((await request.json())["data"])}


@app.post("/{model}")
async def score(model: str, request: Request):
    return scorers[model].lists((await request.json())["data"])
