/** The one ONNX file among a model's files (paths relative to the model), or what is wrong. */
export function chooseOnnxFile(files: readonly string[]): { file: string } | { problem: string } {
  const found = files.filter((file) => file.toLowerCase().endsWith('.onnx'));
  const [only] = found;
  if (found.length === 1 && only !== undefined) return { file: only };
  if (found.length > 1) {
    return {
      problem: `has ${found.length} .onnx files (${shorten(found)}); a deployment without code_configuration serves exactly one. Register the file itself as the model`,
    };
  }
  const others = files.length === 0 ? 'no files' : `only ${shorten(files)}`;
  return {
    problem: `has no .onnx file (${others}); a deployment without code_configuration serves an ONNX model. Add code_configuration with a scoring script, or register an .onnx file`,
  };
}

function shorten(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown}, and ${files.length - 5} more` : shown;
}
