"""MLServer runtimes: an ONNX model (its `uri`), and a sum without a model."""
import numpy
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
from onnx_scorer import OnnxScorer


def response(model, request, arrays):
    outputs = [NumpyCodec.encode_output(name, array) for name, array in arrays.items()]
    return InferenceResponse(model_name=model.name, id=request.id, outputs=outputs)


class Onnx(MLModel):
    async def load(self):
        self.scorer = OnnxScorer(self.settings.parameters.uri)
        return True

    async def predict(self, payload):
        return response(self, payload, self.scorer.arrays(NumpyCodec.decode_input(payload.inputs[0])))


class Sum(MLModel):
    async def load(self):
        return True

    async def predict(self, payload):
        total = NumpyCodec.decode_input(payload.inputs[0]).sum()
        return response(self, payload, {"sum": numpy.array([float(total)])})
