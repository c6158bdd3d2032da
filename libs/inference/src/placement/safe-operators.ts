/**
 * Operators whose time and output follow from the shapes of their inputs alone, that keep no state and draw no random
 * numbers. What is not here (loops, ranges, expansions by a value, texts, sequences, operators of other makers) may still be
 * harmless, but a process that serves others does not find out.
 */
const onnx = `
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast Ceil Celu Clip Concat
Constant Conv ConvTranspose Cos Cosh DepthToSpace DequantizeLinear Div Elu Equal Erf Exp Flatten Floor GRU Gather
GatherElements Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish
Hardmax Identity InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear RNN Reciprocal
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
Reshape Round Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub
Sum Tan Tanh ThresholdedRelu Transpose Unsqueeze Where Xor`;

const ml = `
ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer
OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor`;

const words = (text: string): string[] => text.trim().split(/\s+/);

export const safeOperators: ReadonlySet<string> = new Set([
  ...words(onnx),
  ...words(ml).map((name) => `ai.onnx.ml.${name}`),
]);
