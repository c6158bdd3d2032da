"""One ONNX model with one thread, for every peer that is written in Python."""
import numpy
import onnxruntime


class OnnxScorer:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        self.outputs = [output.name for output in self.session.get_outputs()]

    def arrays(self, array):
        """Output arrays by name."""
        values = self.session.run(self.outputs, {self.input: numpy.asarray(array, dtype=numpy.float32)})
        return dict(zip(self.outputs, values))

    def lists(self, rows):
        """Output lists by name, as JSON wants them."""
        return {name: array.tolist() for name, array in self.arrays(rows).items()}
